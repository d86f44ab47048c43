//===- Elementwise.cpp - operations of tt, arith and math on numbers ------------------===//
#include "Lowering.h"
#include "triton_metal/Support/Unsupported.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::lane;

Type KernelLowering::convertType(Type type) {
  auto pointer = dyn_cast<tt::PointerType>(type);
  if (!pointer)
    return type;
  Type pointee = convertType(pointer.getPointeeType());
  if (pointee.isInteger(1)) // a boolean takes a byte of memory
    pointee = builder.getI8Type();
  return msl::PointerType::get(pointee, pointer.isShared() ? msl::AddressSpace::Threadgroup : msl::AddressSpace::Device);
}

Value KernelLowering::fromMemory(Value value, Type type) {
  if (!type.isInteger(1) || value.getType().isInteger(1))
    return value;
  Value zero = arith::ConstantOp::create(builder, loc, builder.getI8IntegerAttr(0));
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, value, zero);
}

Value KernelLowering::toMemory(Value value) {
  return value.getType().isInteger(1) ? arith::ExtUIOp::create(builder, loc, builder.getI8Type(), value).getResult() : value;
}

/// `value` as a number of `type`, both floating-point.
static Value convertFloat(OpBuilder &builder, Location loc, Value value, Type type, bool towardZero) {
  Type from = value.getType();
  if (from == type)
    return value;
  if (from.getIntOrFloatBitWidth() < type.getIntOrFloatBitWidth())
    return arith::ExtFOp::create(builder, loc, type, value);
  if (!from.isF32()) // between the 16-bit types
    value = arith::ExtFOp::create(builder, loc, builder.getF32Type(), value);
  if (!towardZero)
    return arith::TruncFOp::create(builder, loc, type, value);
  if (type.isF16())
    return msl::CallOp::create(builder, loc, type, "half_toward_zero", value).getResult();
  // The upper half of a float is the bfloat nearer to zero; a NaN keeps its quiet bit there.
  Value bits = arith::BitcastOp::create(builder, loc, builder.getI32Type(), value);
  Value sixteen = arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(16));
  Value high = arith::ShRUIOp::create(builder, loc, bits, sixteen);
  Value half = arith::TruncIOp::create(builder, loc, builder.getI16Type(), high);
  return arith::BitcastOp::create(builder, loc, type, half);
}

Value KernelLowering::createScalar(Operation *op, ValueRange operands, Type type) {
  if (isa<arith::ArithDialect, math::MathDialect>(op->getDialect())) {
    if (auto select = dyn_cast<arith::SelectOp>(op))
      return arith::SelectOp::create(builder, loc, operands[0], operands[1], operands[2]);
    OperationState state(loc, op->getName());
    state.addOperands(operands);
    state.addTypes(type);
    state.addAttributes(op->getAttrs());
    if (state.attributes.erase(ttm::kExact))
      state.addAttribute(msl::kExactAttr, builder.getUnitAttr());
    Operation *scalar = builder.create(state);
    return scalar->getResult(0);
  }
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](tt::AddPtrOp) -> Value {
        Value offset = operands[1];
        unsigned width = offset.getType().getIntOrFloatBitWidth();
        if (width < 32)
          offset = arith::ExtSIOp::create(builder, loc, builder.getI32Type(), offset);
        return msl::PtrAddOp::create(builder, loc, operands[0], offset);
      })
      .Case([&](tt::BitcastOp) -> Value {
        Type from = operands[0].getType();
        if (from == type)
          return operands[0];
        if (isa<msl::PointerType>(from) && isa<msl::PointerType>(type))
          return msl::PtrCastOp::create(builder, loc, type, operands[0]);
        return arith::BitcastOp::create(builder, loc, type, operands[0]);
      })
      .Case([&](tt::IntToPtrOp) -> Value { return msl::IntToPtrOp::create(builder, loc, type, operands[0]); })
      .Case([&](tt::PtrToIntOp) -> Value { return msl::PtrToIntOp::create(builder, loc, builder.getI64Type(), operands[0]); })
      .Case([&](tt::FpToFpOp convert) -> Value {
        bool towardZero = convert.getRounding() && *convert.getRounding() == tt::RoundingMode::RTZ;
        return convertFloat(builder, loc, operands[0], type, towardZero);
      })
      .Case([&](tt::ClampFOp clamp) -> Value {
        if (clamp.getPropagateNan() == tt::PropagateNan::ALL) {
          Value low = arith::MaximumFOp::create(builder, loc, operands[0], operands[1]);
          return arith::MinimumFOp::create(builder, loc, low, operands[2]);
        }
        Value low = arith::MaxNumFOp::create(builder, loc, operands[0], operands[1]);
        return arith::MinNumFOp::create(builder, loc, low, operands[2]);
      })
      .Case([&](tt::PreciseSqrtOp) -> Value { return math::SqrtOp::create(builder, loc, operands[0]); })
      .Case([&](tt::PreciseDivFOp) -> Value { return arith::DivFOp::create(builder, loc, operands[0], operands[1]); })
      .Case([&](tt::MulhiUIOp) -> Value {
        StringRef name = type.isInteger(64) ? "mulhi_unsigned_64" : "mulhi_unsigned_32";
        return msl::CallOp::create(builder, loc, type, name, operands).getResult();
      })
      .Default([&](Operation *) -> Value {
        (void)emitUnsupported(op, "metal", "there is no Metal code for it", "run the kernel with device=\"cpu\"");
        return {};
      });
}

FailureOr<SmallVector<Value>> KernelLowering::inlineRegion(Block &block, ValueRange arguments) {
  DenseMap<Value, Value> values;
  for (auto [argument, value] : llvm::zip_equal(block.getArguments(), arguments))
    values[argument] = value;
  auto valueOf = [&](Value value) {
    auto it = values.find(value);
    return it != values.end() ? it->second : scalars.lookup(value);
  };
  for (Operation &op : block.without_terminator()) {
    if (op.getNumResults() != 1 || op.getNumRegions() || !isMemoryEffectFree(&op))
      return emitUnsupported(&op, "metal", "a combine function may only compute on its arguments, without control flow",
                             "write it with tl.where instead of if");
    SmallVector<Value> operands;
    for (Value operand : op.getOperands())
      operands.push_back(valueOf(operand));
    Location outer = loc;
    loc = op.getLoc();
    Value result = createScalar(&op, operands, convertType(op.getResult(0).getType()));
    loc = outer;
    if (!result)
      return failure();
    values[op.getResult(0)] = result;
  }
  SmallVector<Value> results;
  for (Value result : block.getTerminator()->getOperands())
    results.push_back(valueOf(result));
  return results;
}
