//===- Callbacks.h - what generated code asks of the runtime --------------------------===//
//
// Printing, assertions, and in checked code the bounds of arrays, the order of accesses to shared ones, and whether the launch shall
// end. Each call says where it stands by the address of a Site, which lies beside the code. A callback that ends the launch does not
// return to the generated code.
//
// The first half is for the compiler, which writes sites; the second for whoever loads code. No LLVM and no Python.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "triton_metal/Runtime/CPU/ThreadPool.h"
#include "triton_metal/Runtime/Site.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace triton_metal::cpu {

// Names of the callbacks. All begin with (const Site *, int32_t x, int32_t y, int32_t z): the program.
//
//   print        (..., int64_t element, int64_t bits)   one number; floats as the bits of a double
//   fail         (...)                                  an assertion that does not hold; does not return
//   check        (..., const char *address, int64_t mask)     consecutive elements, those whose bit is set are accessed
//   checkLanes   (..., const uint64_t *addresses, int64_t mask)
//   poll         (...)                                  at the end of each iteration of a loop
//
// Of shared arrays, whose number is the site's `argument`, or kAnyArray; the site of an array itself has its name and shape:
//   sharedBegin  (..., const char *address, int64_t elements)   the program begins to use the array
//   sharedAccess (..., const char *address, int64_t mask)       as check
//   sharedAccessLanes (..., const uint64_t *addresses, int64_t mask)
//   sharedBarrier (...)
inline constexpr std::string_view kPrintCallback = "triton_metal_print", kFailCallback = "triton_metal_fail",
                                  kCheckCallback = "triton_metal_check", kCheckLanesCallback = "triton_metal_check_lanes",
                                  kPollCallback = "triton_metal_poll",
                                  kSharedBeginCallback = "triton_metal_shared_begin",
                                  kSharedAccessCallback = "triton_metal_shared_access",
                                  kSharedAccessLanesCallback = "triton_metal_shared_access_lanes",
                                  kSharedBarrierCallback = "triton_metal_shared_barrier";

/// Names and addresses of all callbacks, for LoadedCode.
std::span<const std::pair<std::string_view, const void *>> callbacks();

/// The line that says one printed number, with its end; `bits` as the print callback takes them.
std::string printedLine(const Site &site, int32_t x, int32_t y, int32_t z, int64_t element, int64_t bits);
/// An assertion that does not hold in a program.
Fault failureOf(const Site &site, int32_t x, int32_t y, int32_t z);

} // namespace triton_metal::cpu
