//===- Environment.h - a cheap look at the environment's switches -----------------===//
//
// Switches of the environment change what a kernel compiles to, so they are a part of the key of a launch, and a launch has some
// tens of nanoseconds to look at them. The look compares the pointers of `environ` with those seen before; only a change makes it
// read strings.
//
//===----------------------------------------------------------------------===//
#pragma once
#include <cstdint>

namespace triton_metal {

/// A number for the present contents of all variables whose name begins with "TRITON": equal contents give equal numbers.
/// Not thread-safe with changes of the environment, as getenv.
uint64_t environmentStamp();

} // namespace triton_metal
