//===- Bindings.h - what the files of the extension module share ------------------===//
//
// One function a topic, each in the file of its name; and the way from the compiler's errors to Python's exceptions.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "triton_metal/Compiler/Error.h"

#include <nanobind/nanobind.h>

namespace triton_metal::python {

namespace nb = nanobind;

void bindCPU(nb::module_ &m);
void bindCache(nb::module_ &m);
void bindChips(nb::module_ &m);
void bindCompiler(nb::module_ &m);
void bindCost(nb::module_ &m);
void bindFrontend(nb::module_ &m);
void bindInspect(nb::module_ &m);
void bindLaunch(nb::module_ &m);
void bindMetal(nb::module_ &m);
void bindRecording(nb::module_ &m);

/// Raises the exception of triton_metal.errors that belongs to the error.
[[noreturn]] void raise(const Error &error);

/// The value, or the error as an exception.
template <typename T> T unwrap(Result<T> result) {
  if (!result)
    raise(result.error());
  return std::move(*result);
}

} // namespace triton_metal::python
