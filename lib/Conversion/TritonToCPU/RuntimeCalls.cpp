//===- RuntimeCalls.cpp - printing and assertions -----------------------------------------===//
//
// Calls of the runtime's callbacks (Runtime/CPU/Callbacks.h). What a call is about that is known now lies in a constant beside
// the code.
//
//===----------------------------------------------------------------------------===//
#include "Elementwise.h"
#include "Program.h"
#include "triton_metal/Support/SourcePosition.h"

using namespace mlir;

namespace triton_metal::cpu {

void Program::callRuntime(OpBuilder &builder, Location loc, StringRef name, const Site &site, StringRef text,
                          ValueRange operands) {
  OpBuilder::InsertionGuard guard(builder);
  auto module = block->getParentOp()->getParentOfType<ModuleOp>();

  // The site; calls from one place share it.
  std::string bytes = encodeAt(loc, site, text);
  LLVM::GlobalOp &global = sites[bytes];
  if (!global) {
    OpBuilder top = OpBuilder::atBlockBegin(module.getBody());
    auto type = LLVM::LLVMArrayType::get(builder.getI8Type(), bytes.size());
    global = LLVM::GlobalOp::create(top, loc, type, /*isConstant=*/true, LLVM::Linkage::Internal,
                                    ("site." + Twine(sites.size() - 1)).str() + "." + kernelName, builder.getStringAttr(bytes),
                                    alignof(Site));
  }
  SmallVector<Value> values{LLVM::AddressOfOp::create(builder, loc, global)};
  llvm::append_range(values, frame.programId);
  llvm::append_range(values, operands);

  auto callee = module.lookupSymbol<LLVM::LLVMFuncOp>(name);
  if (!callee) {
    OpBuilder top = OpBuilder::atBlockBegin(module.getBody());
    SmallVector<Type> types;
    for (Value value : values)
      types.push_back(value.getType());
    callee = LLVM::LLVMFuncOp::create(top, module.getLoc(), name,
                                      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(builder.getContext()), types));
  }
  LLVM::CallOp::create(builder, loc, callee, values);
}

/// A number as the print callback takes it: floats as the bits of a double, pointers as addresses, integers extended.
static Value printedBits(OpBuilder &b, Location loc, Value value, Site::Value kind) {
  Type i64 = b.getI64Type();
  if (kind == Site::Value::Float) {
    Value wide = convertFloat(b, loc, value, b.getF64Type());
    return wide ? Value(arith::BitcastOp::create(b, loc, i64, wide)) : wide;
  }
  if (isa<LLVM::LLVMPointerType>(value.getType()))
    return LLVM::PtrToIntOp::create(b, loc, i64, value);
  if (value.getType() == i64)
    return value;
  if (kind == Site::Value::Signed)
    return arith::ExtSIOp::create(b, loc, i64, value);
  return arith::ExtUIOp::create(b, loc, i64, value);
}

void Program::lowerPrint(tt::PrintOp op) {
  Location loc = op.getLoc();
  flush();
  Site site;
  site.hex = op.getHex();
  site.operands = op.getArgs().size();
  if (op.getArgs().empty()) {
    Value none = arith::ConstantOp::create(here(), loc, b.getI64IntegerAttr(0));
    return callRuntime(here(), loc, kPrintCallback, site, op.getPrefix(), {none, none});
  }
  if (op.getArgs().size() > 255)
    return refuse(op, loc, "a print of more than 255 values");
  prepare(op.getArgs());
  for (auto [number, operand] : llvm::enumerate(op.getArgs())) {
    auto tensor = dyn_cast<RankedTensorType>(operand.getType());
    Type element = tt::getElementOf(operand.getType());
    site.operand = number;
    site.rank = 0;
    if (tensor) {
      if (tensor.getRank() > int64_t(kMaxPrintRank))
        return refuse(op, loc, "a print of a tensor of more than " + Twine(kMaxPrintRank) + " dimensions");
      for (int64_t extent : tensor.getShape())
        site.shape[site.rank++] = extent;
    }
    bool isSigned = op.getIsSigned()[number] != 0;
    site.value = isa<tt::PointerType>(element) ? Site::Value::Pointer
                 : isa<FloatType>(element)     ? Site::Value::Float
                 : isSigned                    ? Site::Value::Signed
                                               : Site::Value::Unsigned;
    site.bits = isa<tt::PointerType>(element) ? 64 : element.getIntOrFloatBitWidth();
    forEachElement(tensor ? tensor.getShape() : ArrayRef<int64_t>(), loc, [&](Nest &nest, unsigned index) {
      Lanes lanes = nest.evaluate(operand, index);
      unsigned depth = nest.deepest();
      Value value = lanes.pointer ? nest.address(lanes) : lanes.isPointer() ? lanes.vector : nest.scalarPart(lanes);
      Value place = nest.constant(b.getI64Type(), 0);
      for (auto [position, extent] : llvm::zip_equal(Nest::Index(nest.indexAt(index)), ArrayRef(site.shape, site.rank))) {
        Value coordinate = nest.scalarPart(position), factor = nest.constant(b.getI64Type(), extent);
        place = arith::MulIOp::create(nest.at(depth), loc, place, factor);
        place = arith::AddIOp::create(nest.at(depth), loc, place, coordinate);
      }
      Value bits = printedBits(nest.at(depth), loc, value, site.value);
      if (!bits)
        return refuse(op, loc, "a print of values of this type");
      callRuntime(nest.at(depth), loc, kPrintCallback, site, op.getPrefix(), {place, bits});
    });
  }
}

void Program::lowerAssert(tt::AssertOp op) {
  Location loc = op.getLoc();
  flush();
  Value condition = op.getCondition();
  prepare(condition);
  auto tensor = dyn_cast<RankedTensorType>(condition.getType());
  forEachElement(
      tensor ? tensor.getShape() : ArrayRef<int64_t>(), loc,
      [&](Nest &nest, unsigned index) {
        Lanes lanes = nest.evaluate(condition, index);
        unsigned depth = nest.deepest();
        Value holds = lanes.isUniform() ? nest.scalarPart(lanes) : nest.toVector(lanes);
        if (isa<VectorType>(holds.getType()))
          holds = vector::ReductionOp::create(nest.at(depth), loc, vector::CombiningKind::AND, holds);
        Value yes = arith::ConstantOp::create(nest.at(depth), loc, b.getBoolAttr(true));
        Value fails = arith::XOrIOp::create(nest.at(depth), loc, holds, yes);
        auto branch = scf::IfOp::create(nest.at(depth), loc, fails, /*withElse=*/false);
        OpBuilder inner = branch.getThenBodyBuilder();
        callRuntime(inner, loc, kFailCallback, Site(), op.getMessage(), {});
      },
      options.vectorBits / 32);
}

} // namespace triton_metal::cpu
