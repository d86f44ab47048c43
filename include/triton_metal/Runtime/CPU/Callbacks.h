//===- Callbacks.h - what generated code asks of the runtime --------------------------===//
//
// Printing, assertions, and in checked code the bounds of arrays and whether the launch shall end. Each call says where it stands
// by the address of a Site, which lies beside the code. A callback that ends the launch does not return to the generated code.
//
// The first half is for the compiler, which writes sites; the second for whoever loads code. No LLVM and no Python.
//
//===----------------------------------------------------------------------===//
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace triton_metal::cpu {

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
  int32_t argument = kAnyArray; ///< parameter of the kernel that the address comes from
  Access access = Access::Load;
  uint8_t elementBytes = 1;
  // Prints.
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

// Names of the callbacks. All begin with (const Site *, int32_t x, int32_t y, int32_t z): the program.
//
//   print        (..., int64_t element, int64_t bits)   one number; floats as the bits of a double
//   fail         (...)                                  an assertion that does not hold; does not return
//   check        (..., const char *address, int64_t mask)     consecutive elements, those whose bit is set are accessed
//   checkLanes   (..., const uint64_t *addresses, int64_t mask)
//   poll         (...)                                  at the end of each iteration of a loop
inline constexpr std::string_view kPrintCallback = "triton_metal_print", kFailCallback = "triton_metal_fail",
                                  kCheckCallback = "triton_metal_check", kCheckLanesCallback = "triton_metal_check_lanes",
                                  kPollCallback = "triton_metal_poll";

/// Names and addresses of all callbacks, for LoadedCode.
std::span<const std::pair<std::string_view, const void *>> callbacks();

} // namespace triton_metal::cpu
