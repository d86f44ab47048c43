//===- TargetSpec.h - what machine CPU code is made for -------------------------===//
//
// A value: it is compared, hashed into cache keys and made by hand in tests. Code for any x86-64 or arm64 machine can be made on any
// other; only loading it needs the machine itself. No MLIR and no LLVM headers, so that the launcher can use it.
//
//===----------------------------------------------------------------------------===//
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace triton_metal::cpu {

struct TargetSpec {
  std::string triple;            ///< LLVM triple; objects are always ELF, for one loader serves every host
  std::string cpu;               ///< LLVM's name of the processor
  std::string features;          ///< "+avx2,+fma,..." beyond what `cpu` implies
  unsigned vectorBytes = 16;     ///< native vector: 16, 32 or 64
  unsigned vectorRegisters = 16; ///< how many of them

  bool operator==(const TargetSpec &) const = default;

  bool isX86() const { return triple.starts_with("x86_64"); }
  bool isArm64() const { return triple.starts_with("aarch64"); }
  bool hasFeature(std::string_view name) const; ///< "+name" is among `features`

  /// All fields in one line, for cache keys and messages.
  std::string key() const;

  /// This machine, detected once.
  static const TargetSpec &host();

  /// "host", "x86-64-v3" (AVX2), "x86-64-v4" (AVX-512), "sapphirerapids" (AVX-512 with bf16) or "aarch64" (NEON), or one of these
  /// with another width of the vectors that the compiler thinks in, as "host:16", which any machine of that kind runs; else nothing.
  static std::optional<TargetSpec> named(std::string_view name);
};

/// Why code for `spec` cannot run on this machine, or an empty string.
std::string whyNotHere(const TargetSpec &spec);

/// Why this build cannot make code for `spec` (TRITON_METAL_CROSS), or an empty string.
std::string whyNotMade(const TargetSpec &spec);

} // namespace triton_metal::cpu
