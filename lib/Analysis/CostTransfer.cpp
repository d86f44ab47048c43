//===- CostTransfer.cpp - integers, masks and scalars through operations ----------------------===//
//
// Affine where it can be, resolved by splitting the box where it must be (quotients, minima, comparisons), else element by element.
//
//===----------------------------------------------------------------------===//
#include "CostEvaluator.h"
#include "triton_metal/Dialect/Triton/IR/ElementBytes.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::cost;

//===----------------------------------------------------------------------===//
// Splits
//===----------------------------------------------------------------------===//

void Evaluator::splitIntoPoints(unsigned axis) { split = {axis, axes[axis].begin + 1, /*intoPoints=*/true}; }

bool Evaluator::atOnePoint(const Affine &value) {
  for (auto [axis, coefficient] : llvm::enumerate(value.perAxis))
    if (coefficient != 0 && axes[axis].size() > 1) {
      splitIntoPoints(axis);
      return false;
    }
  return true;
}

bool Evaluator::isSettled(const Affine &value, llvm::function_ref<int64_t(int64_t)> function) {
  Interval ends = value.scalarExtremes(axes);
  if (function(ends.begin) == function(ends.end))
    return true;
  SmallVector<unsigned> active;
  for (auto [axis, coefficient] : llvm::enumerate(value.perAxis))
    if (coefficient != 0 && axes[axis].size() > 1)
      active.push_back(axis);
  auto spread = [&](unsigned axis) { return uint64_t(std::abs(value.perAxis[axis])) * uint64_t(axes[axis].size() - 1); };
  unsigned axis = *llvm::max_element(active, [&](unsigned a, unsigned b) { return spread(a) < spread(b); });
  Interval range = axes[axis];
  if (active.size() > 1) {
    split = {axis, range.begin + range.size() / 2, false};
    return false;
  }
  // The first position with another outcome than the first.
  int64_t coefficient = value.perAxis[axis];
  int64_t atBegin = coefficient > 0 ? ends.begin : ends.end;
  auto outcome = [&](int64_t position) { // the sum is in range, the product need not be
    return function(int64_t(uint64_t(atBegin) + uint64_t(coefficient) * uint64_t(position - range.begin)));
  };
  int64_t same = range.begin, other = range.end - 1, first = outcome(range.begin);
  while (other - same > 1) {
    int64_t middle = same + (other - same) / 2;
    (outcome(middle) == first ? same : other) = middle;
  }
  split = {axis, other, false};
  return false;
}

//===----------------------------------------------------------------------===//
// Comparisons and choices
//===----------------------------------------------------------------------===//

/// Where value < 0.
Known Evaluator::isNegative(Operation *op, const Affine &value, Shape shape) {
  Interval all = value.extremes(axes, shape);
  if (all.end < 0 || all.begin >= 0)
    return Known::mask(all.end < 0, shape);
  unsigned dims = 0, dim = 0;
  for (auto [d, coefficient] : llvm::enumerate(value.perDim))
    if (coefficient != 0 && shape[d] > 1) {
      ++dims;
      dim = d;
    }
  if (dims > 1)
    return pointwise(op);
  if (dims == 0) {
    auto holds = [](int64_t scalar) -> int64_t { return scalar < 0; };
    return isSettled(value, holds) ? Known::mask(value.scalarExtremes(axes).begin < 0, shape) : Known::unknown(op);
  }
  int64_t step = value.perDim[dim], size = shape[dim];
  auto boundary = [&](int64_t scalar) {
    return step > 0 ? std::clamp<int64_t>(-std::max(floorDiv(scalar, step), -size), 0, size)
                    : std::clamp<int64_t>(std::min(floorDiv(scalar, -step), size) + 1, 0, size);
  };
  if (!isSettled(value, boundary))
    return Known::unknown(op);
  int64_t at = boundary(value.scalarExtremes(axes).begin);
  Known known = Known::mask(true, shape);
  known.box[dim] = step > 0 ? Interval{0, at} : Interval{at, size};
  return known;
}

Known Evaluator::compare(arith::CmpIOp op) {
  using P = arith::CmpIPredicate;
  const Known &a = get(op.getLhs()), &b = get(op.getRhs());
  Shape shape = tt::getShapeOf(op.getType());
  if (!a.isIntegers() || !b.isIntegers())
    return pointwise(op);
  P predicate = op.getPredicate();
  if (predicate != P::eq && predicate != P::ne && predicate >= P::ult) {
    if (a.affine.extremes(axes, shape).begin < 0 || b.affine.extremes(axes, shape).begin < 0)
      return pointwise(op);
    predicate = predicate == P::ult ? P::slt : predicate == P::ule ? P::sle : predicate == P::ugt ? P::sgt : P::sge;
  }
  bool swaps = predicate == P::sgt || predicate == P::sge, orEqual = predicate == P::sle || predicate == P::sge;
  std::optional<Affine> distance = (swaps ? b : a).affine.plus((swaps ? a : b).affine, -1, axes, shape);
  if (distance && orEqual)
    distance = distance->plus(Known::constant(1, {}).affine, -1, axes, shape);
  if (!distance)
    return pointwise(op);
  distance->perDim.resize(shape.size());
  if (predicate != P::eq && predicate != P::ne)
    return isNegative(op, *distance, shape);
  bool wanted = predicate == P::eq;
  Interval all = distance->extremes(axes, shape);
  if (all.begin > 0 || all.end < 0)
    return Known::mask(!wanted, shape);
  if (all.begin == 0 && all.end == 0)
    return Known::mask(wanted, shape);
  if (!distance->isUniform())
    return pointwise(op);
  auto sign = [](int64_t value) -> int64_t { return value < 0 ? -1 : value > 0; };
  if (!isSettled(*distance, sign))
    return Known::unknown(op);
  return Known::mask((distance->scalarExtremes(axes).begin == 0) == wanted, shape);
}

Known Evaluator::choose(Operation *op, const Known &condition, const Known &yes, const Known &no) {
  Shape shape = tt::getShapeOf(op->getOperand(0).getType());
  if (std::optional<bool> holds = condition.asUniform(shape))
    return *holds ? yes : no;
  if (condition.isUnknown() || yes.isUnknown() || no.isUnknown() || condition.atMost)
    return Known::unknown(condition.origin ? condition.origin : yes.origin ? yes.origin : no.origin);
  return pointwise(op);
}

//===----------------------------------------------------------------------===//
// Bits
//===----------------------------------------------------------------------===//

Known Evaluator::transferBits(Operation *op) {
  Shape shape = tt::getShapeOf(resultType(op));
  const Known &a = get(op->getOperand(0)), &b = get(op->getOperand(1));
  std::optional<bool> aAll = a.asUniform(shape), bAll = b.asUniform(shape);
  if (isa<arith::AndIOp>(op)) {
    if (aAll)
      return *aAll ? b : a;
    if (bAll)
      return *bAll ? a : b;
    if (a.isUnknown() || b.isUnknown()) {
      Known known = a.isUnknown() ? b : a;
      if (!known.isUnknown() && !known.atMost) {
        known.atMost = true;
        known.origin = (a.isUnknown() ? a : b).origin;
      }
      return known;
    }
    if (a.kind == Known::Kind::Mask && b.kind == Known::Kind::Mask) {
      Known known = a;
      for (auto [mine, other] : llvm::zip(known.box, b.box))
        mine = {std::max(mine.begin, other.begin), std::max(std::max(mine.begin, other.begin), std::min(mine.end, other.end))};
      known.atMost = a.atMost || b.atMost;
      known.origin = a.origin ? a.origin : b.origin;
      return known;
    }
  } else if (isa<arith::OrIOp>(op)) {
    if (aAll)
      return *aAll ? a : b;
    if (bAll)
      return *bAll ? b : a;
  } else if (isa<arith::XOrIOp>(op) && aAll && bAll) {
    return Known::mask(*aAll != *bAll, shape);
  }
  if (a.isUnknown() || b.isUnknown())
    return Known::unknown(a.origin ? a.origin : b.origin);
  return pointwise(op);
}

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

/// `affine`, if there is one and no element leaves the type of the result; else what wraps, element by element.
Known Evaluator::fitted(Operation *op, std::optional<Affine> affine) {
  if (!affine)
    return pointwise(op);
  unsigned width = widthOf(resultType(op));
  if (width < 64) {
    Interval all = affine->extremes(axes, tt::getShapeOf(resultType(op)));
    if (all.begin < -(int64_t(1) << (width - 1)) || all.end >= int64_t(1) << (width - 1))
      return pointwise(op);
  }
  return Known::integers(std::move(*affine));
}

/// Quotient or remainder by `divisor` > 0, rounded down.
Known Evaluator::divide(Operation *op, const Known &known, int64_t divisor, bool remainder) {
  const Affine &value = known.affine;
  Shape shape = tt::getShapeOf(resultType(op));
  auto divisible = [&](ArrayRef<int64_t> list) {
    return llvm::all_of(list, [&](int64_t coefficient) { return coefficient % divisor == 0; });
  };
  if (divisible(value.perAxis) && divisible(value.perDim)) {
    Affine quotient;
    quotient.base = floorDiv(value.base, divisor);
    if (remainder)
      return Known::constant(value.base % divisor + (value.base % divisor < 0 ? divisor : 0), shape);
    for (int64_t coefficient : value.perAxis)
      quotient.perAxis.push_back(coefficient / divisor);
    for (int64_t coefficient : value.perDim)
      quotient.perDim.push_back(coefficient / divisor);
    return Known::integers(quotient);
  }
  Interval all = value.extremes(axes, shape);
  int64_t quotient = floorDiv(all.begin, divisor);
  if (quotient != floorDiv(all.end, divisor)) {
    if (!value.isUniform())
      return pointwise(op);
    if (!isSettled(value, [&](int64_t scalar) { return floorDiv(scalar, divisor); }))
      return Known::unknown(op);
  }
  if (!remainder)
    return Known::constant(quotient, shape);
  return fitted(op, value.plus(Known::constant(quotient, {}).affine, -divisor, axes, shape));
}

Known Evaluator::transferIntegers(Operation *op) {
  Shape shape = tt::getShapeOf(resultType(op));
  for (Value operand : op->getOperands())
    if (get(operand).isUnknown())
      return Known::unknown(get(operand).origin);
  if (op->getNumOperands() == 1) {
    Known in = get(op->getOperand(0));
    bool keeps = isa<arith::ExtSIOp, arith::IndexCastOp>(op) ||
                 (isa<arith::ExtUIOp>(op) && in.isIntegers() && in.affine.extremes(axes, shape).begin >= 0);
    if (in.isIntegers() && keeps)
      return in;
    if (in.isIntegers() && isa<arith::TruncIOp>(op) && widthOf(resultType(op)) > 1)
      return fitted(op, in.affine);
    return pointwise(op);
  }
  Known a = get(op->getOperand(0)), b = get(op->getOperand(1));
  if (op->getNumOperands() != 2 || !a.isIntegers() || !b.isIntegers())
    return pointwise(op);
  std::optional<int64_t> constant = b.asConstant();
  Interval left = a.affine.extremes(axes, shape), right = b.affine.extremes(axes, shape);
  auto powerOfTwo = [&](int64_t exponent) { return exponent >= 0 && exponent < 62; };
  if (isa<arith::AddIOp>(op))
    return fitted(op, a.affine.plus(b.affine, 1, axes, shape));
  if (isa<arith::SubIOp>(op))
    return fitted(op, a.affine.plus(b.affine, -1, axes, shape));
  if (isa<arith::MulIOp>(op) && (constant || a.asConstant()))
    return fitted(op, constant ? Affine().plus(a.affine, *constant, axes, shape) : Affine().plus(b.affine, *a.asConstant(), axes, shape));
  if (isa<arith::ShLIOp>(op) && constant && powerOfTwo(*constant))
    return fitted(op, Affine().plus(a.affine, int64_t(1) << *constant, axes, shape));
  if (constant && *constant > 0 && left.begin >= 0) {
    if (isa<arith::DivSIOp, arith::DivUIOp>(op))
      return divide(op, a, *constant, /*remainder=*/false);
    if (isa<arith::RemSIOp, arith::RemUIOp>(op))
      return divide(op, a, *constant, /*remainder=*/true);
    if (isa<arith::AndIOp>(op) && llvm::isPowerOf2_64(uint64_t(*constant) + 1))
      return divide(op, a, *constant + 1, /*remainder=*/true);
  }
  if (isa<arith::ShRSIOp, arith::ShRUIOp>(op) && constant && powerOfTwo(*constant) && (left.begin >= 0 || isa<arith::ShRSIOp>(op)))
    return divide(op, a, int64_t(1) << *constant, /*remainder=*/false);
  bool isUnsigned = isa<arith::MinUIOp, arith::MaxUIOp>(op);
  if ((isa<arith::MinSIOp, arith::MaxSIOp>(op) || isUnsigned) && (!isUnsigned || (left.begin >= 0 && right.begin >= 0))) {
    bool isMinimum = isa<arith::MinSIOp, arith::MinUIOp>(op);
    std::optional<Affine> distance = a.affine.plus(b.affine, -1, axes, shape);
    if (!distance)
      return pointwise(op);
    Interval all = distance->extremes(axes, shape);
    if (all.end <= 0)
      return isMinimum ? a : b;
    if (all.begin >= 0)
      return isMinimum ? b : a;
    if (!distance->isUniform())
      return pointwise(op);
    if (!isSettled(*distance, [](int64_t scalar) -> int64_t { return scalar < 0; }))
      return Known::unknown(op);
    return (distance->scalarExtremes(axes).begin < 0) == isMinimum ? a : b;
  }
  return pointwise(op);
}

//===----------------------------------------------------------------------===//
// Scalars of floats
//===----------------------------------------------------------------------===//

/// Bounds that are computed through floats, as far as they are scalars.
Known Evaluator::transferFloat(Operation *op) {
  SmallVector<double, 2> in;
  for (Value operand : op->getOperands()) {
    const Known &known = get(operand);
    if (known.isUnknown())
      return Known::unknown(known.origin);
    std::optional<int64_t> constant = known.asConstant();
    if (known.isIntegers() && !constant && !atOnePoint(known.affine))
      return Known::unknown(op);
    if (known.isIntegers() && known.affine.isUniform())
      constant = known.affine.scalarExtremes(axes).begin;
    if (known.kind != Known::Kind::Number && !constant)
      return Known::unknown(op);
    in.push_back(constant ? double(*constant) : known.number);
  }
  Type type = resultType(op);
  auto rounded = [&](double value) { return Known::ofNumber(type.isF32() ? double(float(value)) : value); };
  return llvm::TypeSwitch<Operation *, Known>(op)
      .Case([&](arith::AddFOp) { return rounded(in[0] + in[1]); })
      .Case([&](arith::SubFOp) { return rounded(in[0] - in[1]); })
      .Case([&](arith::MulFOp) { return rounded(in[0] * in[1]); })
      .Case<arith::DivFOp, tt::PreciseDivFOp>([&](auto) { return rounded(in[0] / in[1]); })
      .Case([&](arith::NegFOp) { return rounded(-in[0]); })
      .Case([&](math::CeilOp) { return rounded(std::ceil(in[0])); })
      .Case([&](math::FloorOp) { return rounded(std::floor(in[0])); })
      .Case([&](arith::SIToFPOp) { return rounded(in[0]); })
      .Case<arith::ExtFOp, arith::TruncFOp>([&](auto) { return rounded(in[0]); })
      .Case([&](arith::FPToSIOp) {
        return std::fabs(in[0]) < 9e18 ? Known::constant(wrapTo(int64_t(in[0]), widthOf(type)), {}) : Known::unknown(op);
      })
      .Case([&](arith::CmpFOp compare) {
        using P = arith::CmpFPredicate;
        double a = in[0], b = in[1];
        bool unordered = std::isnan(a) || std::isnan(b);
        switch (compare.getPredicate()) {
        case P::OEQ:
          return Known::mask(a == b, {});
        case P::OGT:
          return Known::mask(a > b, {});
        case P::OGE:
          return Known::mask(a >= b, {});
        case P::OLT:
          return Known::mask(a < b, {});
        case P::OLE:
          return Known::mask(a <= b, {});
        case P::UNE:
          return Known::mask(unordered || a != b, {});
        default:
          return Known::unknown(op);
        }
      })
      .Default([&](Operation *) { return Known::unknown(op); });
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

Known Evaluator::transferShape(Operation *op, const Known &source) {
  using Kind = Known::Kind;
  Shape from = tt::getShapeOf(op->getOperand(0).getType()), to = tt::getShapeOf(resultType(op));
  Known known = source;
  if (source.kind == Kind::Number)
    return Known::unknown(op);
  if (isa<tt::SplatOp>(op)) {
    if (source.isIntegers())
      known.affine.perDim.assign(to.size(), 0);
    else if (source.kind == Kind::Mask)
      known.box = Known::mask(source.count() != 0, to).box;
    return known;
  }
  if (auto expand = dyn_cast<tt::ExpandDimsOp>(op)) {
    unsigned axis = expand.getAxis();
    if (source.isIntegers())
      known.affine.perDim.insert(known.affine.perDim.begin() + axis, 0);
    else if (source.kind == Kind::Mask)
      known.box.insert(known.box.begin() + axis, Interval{0, 1});
    return known; // elements stay in their order
  }
  if (isa<tt::BroadcastOp>(op) && source.kind != Kind::Elements) {
    for (size_t dim = 0; source.kind == Kind::Mask && dim < to.size(); ++dim)
      if (from[dim] != to[dim] && source.box[dim].size() == 1)
        known.box[dim] = {0, to[dim]};
    return known;
  }
  if (auto transpose = dyn_cast<tt::TransOp>(op); transpose && source.kind != Kind::Elements) {
    for (auto [dim, old] : llvm::enumerate(transpose.getOrder())) {
      if (source.isIntegers())
        known.affine.perDim[dim] = source.affine.perDim[old];
      else
        known.box[dim] = source.box[old];
    }
    return known;
  }
  if (source.isIntegers() && source.affine.isUniform()) {
    known.affine.perDim.assign(to.size(), 0);
    return known;
  }
  known.elements = elementsOf(source, from);
  if (!known.elements)
    return Known::unknown(op);
  known.kind = Kind::Elements;
  if (isa<tt::ReshapeOp>(op))
    return known;
  // Each element of the result from where it lies in the source.
  SmallVector<int64_t> strides(from.size(), 1), perResultDim(to.size());
  for (size_t dim = from.size(); dim-- > 1;)
    strides[dim - 1] = strides[dim] * from[dim];
  for (size_t dim = 0; dim < to.size(); ++dim) {
    size_t old = isa<tt::TransOp>(op) ? size_t(cast<tt::TransOp>(op).getOrder()[dim]) : dim;
    perResultDim[dim] = from[old] == to[dim] ? strides[old] : 0;
  }
  effort -= numElements(to) / 4;
  known.elements = std::make_shared<const std::vector<int64_t>>(permuted(*known.elements, to, perResultDim));
  return known;
}

//===----------------------------------------------------------------------===//
// All operations
//===----------------------------------------------------------------------===//

static Known knownConstant(arith::ConstantOp op) {
  Shape shape = tt::getShapeOf(op.getType());
  Attribute attribute = op.getValue();
  if (auto elements = dyn_cast<DenseElementsAttr>(attribute)) {
    if (!elements.isSplat() || !isa<IntegerType>(elements.getElementType()))
      return Known::unknown(op);
    attribute = elements.getSplatValue<Attribute>();
  }
  if (auto integer = dyn_cast<IntegerAttr>(attribute))
    return integer.getType().isInteger(1) ? Known::mask(!integer.getValue().isZero(), shape)
                                          : Known::constant(integer.getValue().getSExtValue(), shape);
  if (auto number = dyn_cast<FloatAttr>(attribute); number && shape.empty())
    return Known::ofNumber(number.getValueAsDouble());
  return Known::unknown(op);
}

Known Evaluator::transfer(Operation *op) {
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return knownConstant(constant);
  if (auto id = dyn_cast<tt::GetProgramIdOp>(op)) {
    Affine affine;
    affine.perAxis.assign(3, 0);
    affine.perAxis[unsigned(id.getAxis())] = 1;
    return Known::integers(affine);
  }
  if (auto programs = dyn_cast<tt::GetNumProgramsOp>(op))
    return Known::constant(grid[unsigned(programs.getAxis())], {});
  if (auto range = dyn_cast<tt::MakeRangeOp>(op)) {
    Affine affine;
    affine.base = int32_t(range.getStart());
    affine.perDim = {1};
    return Known::integers(affine);
  }
  if (op->getNumOperands() == 0 || op->getNumRegions() != 0)
    return unknownResult(op);
  if (isa<tt::SplatOp, tt::ExpandDimsOp, tt::BroadcastOp, tt::TransOp, tt::ReshapeOp>(op)) {
    Known source = get(op->getOperand(0));
    return source.isUnknown() ? source : transferShape(op, source);
  }
  if (auto pointer = dyn_cast<tt::AddPtrOp>(op)) {
    Known base = get(pointer.getPtr()), offset = get(pointer.getOffset());
    int64_t bytes = tt::getPointeeBytes(pointer.getType());
    if (base.isUnknown() || offset.isUnknown())
      return Known::unknown(base.isUnknown() ? base.origin : offset.origin);
    Shape shape = tt::getShapeOf(pointer.getType());
    if (base.isIntegers() && offset.isIntegers())
      if (std::optional<Affine> moved = base.affine.plus(offset.affine, bytes, axes, shape))
        return Known::integers(std::move(*moved));
    auto bases = elementsOf(base, shape), offsets = elementsOf(offset, shape);
    if (!bases || !offsets)
      return Known::unknown(op);
    std::vector<int64_t> addresses = *bases;
    for (auto [address, moved] : llvm::zip(addresses, *offsets))
      address = int64_t(uint64_t(address) + uint64_t(moved) * uint64_t(bytes));
    return shape.empty() ? Known::constant(addresses[0], {}) : Known::list(std::move(addresses));
  }
  if (isa<tt::PtrToIntOp, tt::IntToPtrOp>(op) || (isa<tt::BitcastOp>(op) && isa<tt::PointerType>(tt::getElementOf(resultType(op)))))
    return get(op->getOperand(0));
  if (auto select = dyn_cast<arith::SelectOp>(op)) {
    Known condition = get(select.getCondition()), yes = get(select.getTrueValue()), no = get(select.getFalseValue());
    return choose(op, condition, yes, no);
  }
  if (auto comparison = dyn_cast<arith::CmpIOp>(op)) {
    for (Value operand : op->getOperands())
      if (get(operand).isUnknown())
        return Known::unknown(get(operand).origin);
    return compare(comparison);
  }
  bool fromFloats = isa<FloatType>(tt::getElementOf(op->getOperand(0).getType()));
  if (fromFloats || isa<FloatType>(tt::getElementOf(resultType(op))))
    return tt::getShapeOf(resultType(op)).empty() ? transferFloat(op) : unknownResult(op);
  if (isa<arith::AndIOp, arith::OrIOp, arith::XOrIOp>(op) && tt::getElementOf(resultType(op)).isInteger(1))
    return transferBits(op);
  return transferIntegers(op);
}
