//===- Site.h - what is known, when a kernel is compiled, of a print, an assertion or an access ---===//
//
// Generated code names a site and adds what only it knows. On the CPU the site lies beside the code and calls of the runtime get
// its address; on Metal it stays with the host, and records of the kernel hold its number. No LLVM and no Python.
//
//===----------------------------------------------------------------------------------------===//
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace triton_metal {

/// Most dimensions of a tensor that is printed.
inline constexpr unsigned kMaxPrintRank = 8;

/// The fixed part of a site; after it come two strings, each ended by a NUL: the Python file, and the text (prefix or message).
struct Site {
  enum class Value : uint8_t { Signed, Unsigned, Float, Pointer, None };
  enum class Access : uint8_t { Load, Store, Atomic };
  /// `argument` of an address that may come from any array passed.
  static constexpr int32_t kAnyArray = -1;

  uint32_t line = 0, column = 0;
  // Accesses.
  int32_t argument = kAnyArray; ///< parameter of the kernel, or shared array, that the address comes from
  Access access = Access::Load;
  uint8_t elementBytes = 1;
  // Prints; of shared arrays `rank` and `shape` only.
  Value value = Value::None;
  uint8_t bits = 0; ///< of a printed number
  uint8_t hex = 0;
  uint8_t operand = 0, operands = 0;
  uint8_t rank = 0;
  int32_t shape[kMaxPrintRank] = {};
};

/// The bytes of a site.
inline std::string encode(const Site &site, std::string_view file, std::string_view text) {
  std::string bytes(reinterpret_cast<const char *>(&site), sizeof(Site));
  bytes.append(file.substr(0, file.find('\0'))).push_back('\0');
  bytes.append(text.substr(0, text.find('\0'))).push_back('\0');
  return bytes;
}

} // namespace triton_metal
