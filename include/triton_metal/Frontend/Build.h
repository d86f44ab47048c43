//===- Build.h - the front end's entry ----------------------------------------------===//
#pragma once
#include "triton_metal/Compiler/Compiler.h"

#include <nanobind/nanobind.h>

namespace triton_metal::frontend {

/// The tt module of a jit function, verified and not yet simplified. Raises CompilationError for what is wrong with the kernel.
/// The arguments are described at the binding (python/bindings/frontend.cpp).
Module buildModule(nanobind::object function, nanobind::object signature, nanobind::dict constants, nanobind::dict attributes,
                   nanobind::dict options);

} // namespace triton_metal::frontend
