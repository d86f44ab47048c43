//===- Fibre.cpp - stacks, and switching between them --------------------------------------------------------------------===//
#include "softmetal/Run/Fibre.h"
#include <sys/mman.h>
#include <unistd.h>

namespace softmetal {

void *newFibre(char *top, void (*start)()) {
  void **stack = reinterpret_cast<void **>(top);
#if defined(__x86_64__)
  *--stack = nullptr; // the return address of `start`: keeps the stack aligned as after a call
  *--stack = reinterpret_cast<void *>(start);
  for (int i = 0; i < 6; ++i)
    *--stack = nullptr;
#elif defined(__aarch64__)
  stack -= 20;
  for (int i = 0; i < 20; ++i)
    stack[i] = nullptr;
  stack[11] = reinterpret_cast<void *>(start); // x30
#else
#error "fibres are written for x86-64 and aarch64"
#endif
  return stack;
}

FibreStacks::~FibreStacks() {
  if (base)
    munmap(base, mapped);
}

bool FibreStacks::reserve(uint32_t wanted, size_t bytes) {
  page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  size_t need = (bytes + page - 1) / page * page + 4 * page; // one guard page, and room for the stagger
  if (base && wanted <= count && need <= stride)
    return true;
  if (base)
    munmap(base, mapped);
  base = nullptr;
  stride = need;
  count = wanted;
  mapped = stride * count;
  void *memory = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    return false;
  base = static_cast<char *>(memory);
  for (uint32_t i = 0; i < count; ++i)
    if (mprotect(base + i * stride, page, PROT_NONE) != 0)
      break; // the process has no mappings left: the rest runs without guards
  return true;
}

int FibreStacks::guardAt(const void *address) const {
  auto at = static_cast<const char *>(address);
  if (!base || at < base || at >= base + mapped)
    return -1;
  size_t offset = static_cast<size_t>(at - base);
  return offset % stride < page ? static_cast<int>(offset / stride) : -1;
}

} // namespace softmetal
