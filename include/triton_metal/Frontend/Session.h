//===- Session.h - a front end's work on a Module ----------------------------------------===//
//
// Connects Semantics with the compiler's Module without MLIR in either header.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "triton_metal/Compiler/Compiler.h"
#include "triton_metal/Frontend/Semantics.h"

namespace triton_metal::frontend {

/// A builder in the module's context.
std::unique_ptr<Semantics> startBuilding(Module &module, SemanticOptions options);
/// Verifies what was built and makes it the module's content.
Result<Nothing> finishBuilding(Module &module, Semantics &semantics);

} // namespace triton_metal::frontend
