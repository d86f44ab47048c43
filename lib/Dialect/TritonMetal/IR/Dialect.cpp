//===- Dialect.cpp - registration of the ttm dialect --------------------------------===//
#include "triton_metal/Dialect/TritonMetal/IR/Dialect.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::ttm;

#include "triton_metal/Dialect/TritonMetal/IR/TritonMetalDialect.cpp.inc"
#include "triton_metal/Dialect/TritonMetal/IR/TritonMetalEnums.cpp.inc"

namespace {

/// Layouts are printed once, before the module, under a name that says what they look like.
struct LayoutAliases : public OpAsmDialectInterface {
  using OpAsmDialectInterface::OpAsmDialectInterface;

  AliasResult getAlias(Attribute attribute, raw_ostream &os) const override {
    auto layout = dyn_cast<LayoutAttr>(attribute);
    if (!layout)
      return AliasResult::NoAlias;
    if (layout.getShape().size() >= 2) {
      os << (isMatrixFragment(layout.getLayout()) ? "matrix" : "blocked");
    } else {
      os << (llvm::is_contained(layout.getLanes(), 0u) ? "slice" : "blocked");
    }
    return AliasResult::OverridableAlias;
  }
};

} // namespace

void TritonMetalDialect::initialize() {
  registerTypes();
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "triton_metal/Dialect/TritonMetal/IR/TritonMetalOps.cpp.inc"
      >();
  addInterfaces<LayoutAliases>();
}
