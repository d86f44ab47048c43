//===- Session.cpp - a front end's work on a Module ----------------------------------===//
#include "triton_metal/Frontend/Session.h"
#include "triton_metal/Compiler/ModuleAccess.h"

using namespace triton_metal;
using namespace triton_metal::frontend;

std::unique_ptr<Semantics> triton_metal::frontend::startBuilding(Module &module, SemanticOptions options) {
  return std::make_unique<Semantics>(getContext(module), std::move(options));
}

frontend::Result<Nothing> triton_metal::frontend::finishBuilding(Module &module, Semantics &semantics) {
  TM_TRY(verified, semantics.verifyModule());
  (void)verified;
  module.state().op = mlir::cast<mlir::ModuleOp>(static_cast<mlir::Operation *>(semantics.releaseModule()));
  return Nothing{};
}
