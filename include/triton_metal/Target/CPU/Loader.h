//===- Loader.h - objects in memory become callable code ------------------------===//
//
// Links one object, fresh from codegen or read from the disk cache, into this process. No code generation, no compiler state. External
// symbols come from an explicit table and from nowhere else: an object that wants more is refused with the symbol's name.
//
//===----------------------------------------------------------------------------===//
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace triton_metal::cpu {

/// The entry of every kernel: runs the programs with linear ids [begin, end), x fastest, with 64-byte-aligned scratch `arena`.
using KernelEntry = void (*)(const void *params, const int32_t grid[3], int64_t begin, int64_t end, char *arena);

struct RuntimeSymbol {
  std::string_view name;
  const void *address;
};

/// What compiled code may call without being given it: memcpy, memmove, memset, conversions from and to half and bfloat, fmod.
std::span<const RuntimeSymbol> runtimeSymbols();

/// Code in memory. It lives as long as the object.
class LoadedCode {
public:
  /// `object` need not outlive the call. `extra` (callbacks of the runtime) comes before the standing table. Null and a reason on failure.
  static std::unique_ptr<LoadedCode> load(std::string_view object, std::span<const RuntimeSymbol> extra, std::string &error);

  ~LoadedCode();
  LoadedCode(const LoadedCode &) = delete;
  LoadedCode &operator=(const LoadedCode &) = delete;

  /// Address of a public function, or null.
  void *symbol(std::string_view name) const;

private:
  struct Impl;
  explicit LoadedCode(std::unique_ptr<Impl>);
  std::unique_ptr<Impl> impl;
};

} // namespace triton_metal::cpu
