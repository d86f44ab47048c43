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
    // A fragment has lane bits 0 and 3 in columns and 1, 2, 4 in rows.
    ArrayRef<int64_t> shape = layout.getShape();
    ArrayRef<uint32_t> lanes = layout.getLanes();
    if (shape.size() >= 2) {
      uint32_t columns = uint32_t(shape.back() - 1);
      bool fragment =
          (lanes[0] & columns) && (lanes[3] & columns) && (lanes[1] & ~columns) && (lanes[2] & ~columns) && (lanes[4] & ~columns);
      os << (fragment ? "matrix" : "blocked");
    } else {
      os << (llvm::is_contained(lanes, 0u) ? "slice" : "blocked");
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
