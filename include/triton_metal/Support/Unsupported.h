//===- Unsupported.h - refusals and warnings that reach the user as typed errors -----===//
//
// A pass that cannot compile an operation faithfully says so through these functions. The message is an ordinary MLIR
// diagnostic, testable with -verify-diagnostics; its metadata carry the fields of the Python exception (UnsupportedOnDevice,
// OutOfResources), which lib/Compiler reads back. An error diagnostic without such metadata that comes out of a pipeline is
// taken for a fault of the compiler itself. Of warnings, only those made here reach the user.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "mlir/IR/Builders.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Operation.h"

namespace triton_metal {

inline constexpr llvm::StringLiteral kUnsupportedMetadata = "triton_metal.unsupported";
inline constexpr llvm::StringLiteral kResourcesMetadata = "triton_metal.resources";
inline constexpr llvm::StringLiteral kLayoutHintMetadata = "triton_metal.layout_hint";

/// `op` is refused on `device` ("cpu" or "metal") because of `reason`; `remedy` is the user's way out. `name` is what the user
/// knows the operation by, by default its MLIR name.
inline mlir::LogicalResult emitUnsupported(mlir::Operation *op, llvm::StringRef device, const llvm::Twine &reason,
                                           const llvm::Twine &remedy, llvm::StringRef name = {}) {
  mlir::Builder builder(op->getContext());
  std::string opName = name.empty() ? op->getName().getStringRef().str() : name.str();
  mlir::InFlightDiagnostic diag = op->emitError() << "'" << opName << "' is not supported on " << device << ": " << reason;
  auto &metadata = diag.getUnderlyingDiagnostic()->getMetadata();
  for (const std::string &field : {kUnsupportedMetadata.str(), opName, device.str(), reason.str(), remedy.str()})
    metadata.push_back(mlir::DiagnosticArgument(mlir::Attribute(builder.getStringAttr(field))));
  diag.attachNote() << "remedy: " << remedy;
  return mlir::failure();
}

/// The kernel needs `required` of `resource` ("threadgroup memory", "threads") where the device has `limit`.
inline mlir::LogicalResult emitOutOfResources(mlir::Operation *op, const llvm::Twine &resource, int64_t required, int64_t limit,
                                              const llvm::Twine &remedy) {
  mlir::Builder builder(op->getContext());
  mlir::InFlightDiagnostic diag = op->emitError() << "out of resource: " << resource << ", required: " << required
                                                  << ", limit: " << limit;
  auto &metadata = diag.getUnderlyingDiagnostic()->getMetadata();
  metadata.push_back(mlir::DiagnosticArgument(mlir::Attribute(builder.getStringAttr(kResourcesMetadata))));
  metadata.push_back(mlir::DiagnosticArgument(mlir::Attribute(builder.getStringAttr(resource))));
  metadata.push_back(mlir::DiagnosticArgument(mlir::Attribute(builder.getI64IntegerAttr(required))));
  metadata.push_back(mlir::DiagnosticArgument(mlir::Attribute(builder.getI64IntegerAttr(limit))));
  metadata.push_back(mlir::DiagnosticArgument(mlir::Attribute(builder.getStringAttr(remedy))));
  diag.attachNote() << "remedy: " << remedy;
  return mlir::failure();
}

/// The layout hint of `op` cannot be followed because of `reason`, `instead` is what is done. A warning of Python, at the line of `op`.
inline void emitLayoutHintIgnored(mlir::Operation *op, llvm::StringRef hint, const llvm::Twine &reason, const llvm::Twine &instead) {
  mlir::InFlightDiagnostic diag = op->emitWarning() << "layout hint " << hint << " is ignored: " << reason << "; " << instead;
  diag.getUnderlyingDiagnostic()->getMetadata().push_back(
      mlir::DiagnosticArgument(mlir::Attribute(mlir::StringAttr::get(op->getContext(), kLayoutHintMetadata))));
}

} // namespace triton_metal
