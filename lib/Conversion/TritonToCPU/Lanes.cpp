//===- Lanes.cpp - arithmetic on lane forms -----------------------------------------===//
#include "Lanes.h"

#include "llvm/Support/MathExtras.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace triton_metal::cpu {

OpBuilder &LaneEmitter::at(unsigned depth) {
  Level &level = levels[std::min<unsigned>(depth, deepest())];
  if (level.anchor)
    builder.setInsertionPoint(level.anchor);
  else if (level.block->mightHaveTerminator())
    builder.setInsertionPoint(level.block->getTerminator());
  else
    builder.setInsertionPointToEnd(level.block);
  return builder;
}

Type LaneEmitter::laneType(Type element) const { return width == 1 ? element : VectorType::get({width}, element); }

unsigned LaneEmitter::depthOf(const Lanes &lanes) const {
  return lanes.slope != 0 && innerIndex ? std::max(lanes.depth, innerDepth) : lanes.depth;
}

Lanes LaneEmitter::uniform(Value scalar, unsigned depth) const {
  Lanes lanes;
  lanes.type = scalar.getType();
  lanes.base = scalar;
  lanes.depth = depth;
  APInt value;
  if (scalar.getType().isInteger() && matchPattern(scalar, m_ConstantInt(&value))) {
    lanes.base = {};
    lanes.constant = value.getBitWidth() == 1 ? int64_t(value.getZExtValue()) : value.getSExtValue();
    lanes.depth = 0;
    lanes.nonNegative = lanes.constant >= 0;
  }
  return lanes;
}

Lanes LaneEmitter::integer(Type type, int64_t value) const {
  Lanes lanes;
  lanes.type = type;
  lanes.constant = value;
  lanes.nonNegative = value >= 0;
  return lanes;
}

Lanes LaneEmitter::fromVector(Type element, Value vector, unsigned depth) const {
  Lanes lanes;
  lanes.type = element;
  lanes.depth = depth;
  (width == 1 ? lanes.base : lanes.vector) = vector;
  return lanes;
}

Value LaneEmitter::constant(Type type, int64_t value) {
  OpBuilder::InsertionGuard guard(builder); // may stand among the operands of an operation that is being built
  Value &known = constants[{type, value}];
  if (!known)
    known = arith::ConstantOp::create(at(0), loc, IntegerAttr::get(type, APInt(type.getIntOrFloatBitWidth(), value, true, true)));
  return known;
}

Value LaneEmitter::broadcast(Value scalar, unsigned depth) {
  OpBuilder::InsertionGuard guard(builder); // may stand among the operands of an operation that is being built
  if (width == 1)
    return scalar;
  auto it = broadcasts.find(scalar);
  if (it != broadcasts.end())
    return it->second.value;
  Type type = VectorType::get({width}, scalar.getType());
  Value result;
  Attribute attr;
  if (matchPattern(scalar, m_Constant(&attr)) && isa<IntegerAttr, FloatAttr>(attr)) // a place that is not known is poison
    result = arith::ConstantOp::create(at(0), loc, SplatElementsAttr::get(cast<ShapedType>(type), attr));
  else
    result = vector::BroadcastOp::create(at(depth), loc, type, scalar);
  broadcasts[scalar] = {result, depth};
  return result;
}

void LaneEmitter::leave(unsigned depth) {
  SmallVector<Value> dead;
  for (auto &[key, cached] : broadcasts)
    if (cached.depth >= depth)
      dead.push_back(key);
  for (Value key : dead)
    broadcasts.erase(key);
}

Value LaneEmitter::offsetVector(Type element, ArrayRef<int64_t> offsets) {
  OpBuilder::InsertionGuard guard(builder); // may stand among the operands of an operation that is being built
  SmallVector<APInt> values;
  for (int64_t offset : offsets)
    values.push_back(APInt(element.getIntOrFloatBitWidth(), offset, true, true));
  auto type = VectorType::get({width}, element);
  return arith::ConstantOp::create(at(0), loc, DenseElementsAttr::get(type, values));
}

Value LaneEmitter::scalarPart(const Lanes &lanes) {
  OpBuilder::InsertionGuard guard(builder); // may stand among the operands of an operation that is being built
  Type type = lanes.isPointer() ? IntegerType::get(builder.getContext(), 64) : lanes.type;
  if (!isa<IntegerType>(type))
    return lanes.base;
  Value value = lanes.base;
  unsigned depth = lanes.depth;
  if (lanes.constant != 0 || !value) {
    Value number = constant(type, lanes.constant);
    value = value ? Value(arith::AddIOp::create(at(depth), loc, value, number)) : number;
  }
  if (lanes.slope != 0 && innerIndex) {
    OpBuilder &b = at(depth = std::max(depth, innerDepth));
    Value index = innerIndex;
    unsigned bits = type.getIntOrFloatBitWidth();
    if (bits < 64)
      index = arith::TruncIOp::create(b, loc, type, index);
    if (lanes.slope != 1)
      index = arith::MulIOp::create(b, loc, index, constant(type, lanes.slope));
    value = arith::AddIOp::create(at(depth), loc, value, index);
  }
  return value;
}

Value LaneEmitter::toVector(const Lanes &lanes) {
  OpBuilder::InsertionGuard guard(builder); // may stand among the operands of an operation that is being built
  if (lanes.isPointer()) {
    Type i64 = IntegerType::get(builder.getContext(), 64);
    if (lanes.vector && !lanes.pointer)
      return lanes.vector;
    // Address = pointer + offset * size.
    Value address = LLVM::PtrToIntOp::create(at(lanes.depth), loc, i64, lanes.pointer);
    int64_t size = std::max<int64_t>(1, lanes.pointee.getIntOrFloatBitWidth() / 8);
    Lanes offset = lanes;
    offset.type = i64;
    offset.pointee = {};
    offset.pointer = {};
    Value bytes = toVector(offset);
    OpBuilder &b = at(depthOf(lanes));
    if (size != 1)
      bytes = arith::MulIOp::create(b, loc, bytes, broadcast(constant(i64, size), 0));
    Value wide = broadcast(address, lanes.depth);
    return arith::AddIOp::create(at(depthOf(lanes)), loc, wide, bytes);
  }
  if (lanes.vector)
    return lanes.vector;
  if (lanes.offsets.empty())
    return broadcast(scalarPart(lanes), depthOf(lanes));
  Value offsets = offsetVector(lanes.type, lanes.offsets);
  if (!lanes.base && lanes.constant == 0 && (lanes.slope == 0 || !innerIndex))
    return offsets;
  Value wide = broadcast(scalarPart(lanes), depthOf(lanes));
  return arith::AddIOp::create(at(depthOf(lanes)), loc, wide, offsets);
}

static SmallVector<int64_t, 8> combineOffsets(const Lanes &a, const Lanes &b, int64_t sign, int64_t width) {
  SmallVector<int64_t, 8> result;
  if (a.offsets.empty() && b.offsets.empty())
    return result;
  bool any = false;
  for (int64_t i = 0; i < width; ++i) {
    result.push_back(a.offset(i) + sign * b.offset(i));
    any |= result.back() != 0;
  }
  if (!any)
    result.clear();
  return result;
}

std::optional<Lanes> LaneEmitter::add(const Lanes &a, const Lanes &b) {
  if (a.vector || b.vector)
    return std::nullopt;
  Lanes sum;
  sum.type = a.type;
  sum.constant = a.constant + b.constant;
  sum.slope = a.slope + b.slope;
  sum.offsets = combineOffsets(a, b, 1, width);
  sum.nonNegative = a.nonNegative && b.nonNegative;
  sum.depth = std::max(a.depth, b.depth);
  if (a.base && b.base) {
    sum.base = arith::AddIOp::create(at(sum.depth), loc, a.base, b.base);
    sum.divisor = std::min(a.divisor, b.divisor);
  } else if (a.base || b.base) {
    const Lanes &with = a.base ? a : b;
    sum.base = with.base;
    sum.divisor = with.divisor;
  }
  return sum;
}

std::optional<Lanes> LaneEmitter::subtract(const Lanes &a, const Lanes &b) {
  if (a.vector || b.vector)
    return std::nullopt;
  Lanes difference;
  difference.type = a.type;
  difference.constant = a.constant - b.constant;
  difference.slope = a.slope - b.slope;
  difference.offsets = combineOffsets(a, b, -1, width);
  difference.depth = std::max(a.depth, b.depth);
  if (b.base) {
    Value left = a.base ? a.base : constant(a.type, 0);
    difference.base = arith::SubIOp::create(at(difference.depth), loc, left, b.base);
    difference.divisor = a.base ? std::min(a.divisor, b.divisor) : b.divisor;
  } else if (a.base) {
    difference.base = a.base;
    difference.divisor = a.divisor;
  }
  return difference;
}

Lanes LaneEmitter::scalarOnly(const Lanes &lanes) {
  Lanes result;
  result.type = lanes.type;
  result.depth = depthOf(lanes);
  result.base = scalarPart(lanes);
  result.nonNegative = lanes.nonNegative;
  return result;
}

std::optional<Lanes> LaneEmitter::multiply(const Lanes &a, const Lanes &b) {
  if (a.vector || b.vector)
    return std::nullopt;
  if (!a.isConstant() && !b.isConstant()) {
    if (!a.isUniform() || !b.isUniform())
      return std::nullopt;
    Lanes left = scalarOnly(a), right = scalarOnly(b), product;
    product.type = a.type;
    product.depth = std::max(left.depth, right.depth);
    product.base = arith::MulIOp::create(at(product.depth), loc, left.base, right.base);
    product.nonNegative = a.nonNegative && b.nonNegative;
    return product;
  }
  const Lanes &number = b.isConstant() ? b : a;
  Lanes product = b.isConstant() ? a : b;
  int64_t factor = number.constant;
  // Large factors are arithmetic, not addressing: they may well wrap.
  constexpr int64_t kLargest = int64_t(1) << 30;
  bool affine = product.slope != 0 || !product.offsets.empty();
  if (affine && (std::abs(factor) > kLargest || std::abs(product.slope * factor) > (int64_t(1) << 20) ||
                 llvm::any_of(product.offsets, [&](int64_t offset) { return std::abs(offset * factor) > kLargest; })))
    return std::nullopt;
  product.nonNegative = a.nonNegative && b.nonNegative && factor <= 4096;
  product.depth = std::max(a.depth, b.depth);
  if (factor == 0) {
    Lanes none = integer(a.type, 0);
    none.depth = product.depth;
    return none;
  }
  if (product.base && factor != 1) {
    product.base = arith::MulIOp::create(at(product.depth), loc, product.base, constant(product.type, factor));
    product.divisor *= int64_t(1) << std::min(20, llvm::countr_zero(uint64_t(factor)));
  }
  product.constant *= factor;
  product.slope *= factor;
  for (int64_t &offset : product.offsets)
    offset *= factor;
  return product;
}

/// Whether every part but the lane offsets and the constant is a multiple of 2^bits, so that lanes can be split by constants.
static bool splitsAt(const Lanes &lanes, unsigned bits, int64_t innerDivisor, bool hasInner) {
  int64_t unit = int64_t(1) << bits;
  if (lanes.vector || lanes.isPointer())
    return false;
  if (lanes.base && lanes.divisor % unit != 0)
    return false;
  return !hasInner || lanes.slope == 0 || (lanes.slope * innerDivisor) % unit == 0;
}

std::optional<Lanes> LaneEmitter::shiftRight(const Lanes &lanes, unsigned bits) {
  if (!splitsAt(lanes, bits, innerDivisor, bool(innerIndex)))
    return std::nullopt;
  int64_t unit = int64_t(1) << bits;
  Lanes result;
  result.type = lanes.type;
  result.depth = lanes.depth;
  result.nonNegative = lanes.nonNegative;
  Value amount = constant(lanes.type, bits);
  if (lanes.base) {
    result.base = bits ? Value(arith::ShRSIOp::create(at(lanes.depth), loc, lanes.base, amount)) : lanes.base;
    result.divisor = std::max<int64_t>(1, lanes.divisor >> bits);
  }
  if (lanes.slope % unit == 0) {
    result.slope = lanes.slope >> bits;
  } else if (innerIndex) {
    Lanes steps;
    steps.type = lanes.type;
    steps.slope = lanes.slope;
    Value shifted = arith::ShRSIOp::create(at(innerDepth), loc, scalarPart(steps), amount);
    result.base = result.base ? Value(arith::AddIOp::create(at(std::max(innerDepth, result.depth)), loc, result.base, shifted)) : shifted;
    result.depth = std::max(innerDepth, result.depth);
    result.divisor = 1;
  }
  result.constant = 0;
  bool any = false;
  for (int64_t i = 0; i < width; ++i) {
    result.offsets.push_back((lanes.constant + lanes.offset(i)) >> bits);
    any |= result.offsets[i] != result.offsets[0];
  }
  if (!any) {
    result.constant = result.offsets[0];
    result.offsets.clear();
  }
  return result;
}

std::optional<Lanes> LaneEmitter::lowBits(const Lanes &lanes, unsigned bits) {
  if (!splitsAt(lanes, bits, innerDivisor, bool(innerIndex)))
    return std::nullopt;
  Lanes result = integer(lanes.type, 0);
  result.depth = lanes.depth;
  bool any = false;
  for (int64_t i = 0; i < width; ++i) {
    result.offsets.push_back((lanes.constant + lanes.offset(i)) & ((int64_t(1) << bits) - 1));
    any |= result.offsets[i] != result.offsets[0];
  }
  if (!any) {
    result.constant = result.offsets[0];
    result.offsets.clear();
  }
  return result;
}

std::optional<Lanes> LaneEmitter::cast(const Lanes &lanes, Type type, bool isSigned) {
  if (lanes.vector || lanes.isPointer() || lanes.type.isInteger(1) || type.isInteger(1))
    return std::nullopt;
  unsigned from = lanes.type.getIntOrFloatBitWidth(), to = type.getIntOrFloatBitWidth();
  Lanes result = lanes;
  result.type = type;
  if (from == to)
    return result;
  // Narrowing below 32 bits wraps in earnest; so does zero extension of what may be negative.
  bool affine = lanes.slope != 0 || !lanes.offsets.empty() || lanes.constant != 0;
  if (affine && (to < 32 || (to > from && !isSigned && !lanes.nonNegative)))
    return std::nullopt;
  if (lanes.base) {
    OpBuilder &b = at(lanes.depth);
    if (to < from)
      result.base = arith::TruncIOp::create(b, loc, type, lanes.base);
    else if (isSigned)
      result.base = arith::ExtSIOp::create(b, loc, type, lanes.base);
    else
      result.base = arith::ExtUIOp::create(b, loc, type, lanes.base);
  }
  if (to < from)
    result.nonNegative = false;
  if (to > from && !isSigned)
    result.nonNegative = true;
  return result;
}

Lanes LaneEmitter::addOffset(const Lanes &pointer, const Lanes &offset) {
  Type i64 = IntegerType::get(builder.getContext(), 64);
  Lanes current = pointer;
  std::optional<Lanes> wide = cast(offset, i64, /*isSigned=*/true);
  Lanes old;
  if (!pointer.vector) {
    old = pointer;
    old.type = i64;
    old.pointer = {};
    old.pointee = {};
  }
  if (wide && !pointer.vector) {
    if (std::optional<Lanes> sum = add(old, *wide)) {
      unsigned depth = sum->depth;
      sum->type = pointer.type;
      sum->pointer = pointer.pointer;
      sum->pointee = pointer.pointee;
      sum->depth = depth;
      return *sum;
    }
  }
  // Scattered: a vector of element offsets from the common base, or of addresses.
  unsigned depth = std::max(depthOf(pointer), depthOf(offset));
  Value elements = toVector(offset);
  Type wideType = laneType(i64);
  if (elements.getType() != wideType)
    elements = arith::ExtSIOp::create(at(depth), loc, wideType, elements);
  Lanes result;
  result.type = pointer.type;
  result.pointee = pointer.pointee;
  result.pointer = pointer.pointer;
  result.depth = depth;
  Value vector;
  if (pointer.pointer) {
    Value before;
    if (pointer.vector)
      before = pointer.vector;
    else if (!old.isConstant() || old.constant != 0)
      before = toVector(old);
    vector = before ? Value(arith::AddIOp::create(at(depth), loc, before, elements)) : elements;
  } else {
    int64_t size = std::max<int64_t>(1, pointer.pointee.getIntOrFloatBitWidth() / 8);
    if (size != 1)
      elements = arith::MulIOp::create(at(depth), loc, elements, broadcast(constant(i64, size), 0));
    vector = arith::AddIOp::create(at(depth), loc, pointer.vector, elements);
  }
  if (width == 1 && result.pointer) {
    result.base = vector;
  } else {
    result.vector = vector;
  }
  return result;
}

} // namespace triton_metal::cpu
