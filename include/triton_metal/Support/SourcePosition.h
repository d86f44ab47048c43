//===- SourcePosition.h - where a person would look for an operation -----------------===//
#pragma once
#include "triton_metal/Runtime/Site.h"

#include "mlir/IR/Location.h"

namespace triton_metal {

/// The place in the source that a person would call the origin of `location`; null if there is none. Where a function of another
/// file was called, it is the caller.
inline mlir::FileLineColLoc positionOf(mlir::Location location) {
  if (auto file = mlir::dyn_cast<mlir::FileLineColLoc>(location))
    return file;
  if (auto name = mlir::dyn_cast<mlir::NameLoc>(location))
    return positionOf(name.getChildLoc());
  if (auto call = mlir::dyn_cast<mlir::CallSiteLoc>(location)) {
    mlir::FileLineColLoc callee = positionOf(call.getCallee()), caller = positionOf(call.getCaller());
    return callee && caller && callee.getFilename() == caller.getFilename() ? callee : caller ? caller : callee;
  }
  if (auto fused = mlir::dyn_cast<mlir::FusedLoc>(location))
    for (mlir::Location part : fused.getLocations())
      if (mlir::FileLineColLoc file = positionOf(part))
        return file;
  return {};
}

/// The bytes of a site at `location`.
inline std::string encodeAt(mlir::Location location, Site site, llvm::StringRef text) {
  llvm::StringRef file;
  if (mlir::FileLineColLoc position = positionOf(location)) {
    site.line = position.getLine();
    site.column = position.getColumn();
    file = position.getFilename().getValue();
  }
  return encode(site, std::string_view(file.data(), file.size()), std::string_view(text.data(), text.size()));
}

} // namespace triton_metal
