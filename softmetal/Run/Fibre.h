//===- Fibre.h - stacks, and switching between them ----------------------------------------------------------------------===//
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" void softmetal_fibre_switch(void **save, void *target);

namespace softmetal {

/// The stack pointer of a fibre that will begin with `start`, which must not return. `top` is 16-byte aligned.
void *newFibre(char *top, void (*start)());

/// Equal stacks side by side, each above a guard page, mapped lazily and reused.
class FibreStacks {
public:
  FibreStacks() = default;
  ~FibreStacks();
  FibreStacks(const FibreStacks &) = delete;
  FibreStacks &operator=(const FibreStacks &) = delete;
  /// Makes room for `count` stacks of `bytes` (a multiple of the page). False when memory cannot be had.
  bool reserve(uint32_t count, size_t bytes);
  /// The highest address of stack `index`. Tops are staggered: equal ones would all lie in the same sets of the cache.
  char *top(uint32_t index) const { return base + (index + 1) * stride - (index % 32) * 320; }
  /// The stack whose guard page holds `address`, or -1.
  int guardAt(const void *address) const;

private:
  char *base = nullptr;
  size_t stride = 0, mapped = 0, page = 0;
  uint32_t count = 0;
};

} // namespace softmetal
