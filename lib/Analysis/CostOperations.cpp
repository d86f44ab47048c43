//===- CostOperations.cpp - what one operation costs ------------------------------------------===//
#include "triton_metal/Analysis/Cost.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace triton_metal;

constexpr uint64_t Cost::*kCounts[] = {&Cost::bytesLoaded,       &Cost::bytesStored,   &Cost::bytesAtomic,      &Cost::floatOperations,
                                       &Cost::specialOperations, &Cost::dotOperations, &Cost::integerOperations};
static_assert(sizeof(kCounts) / sizeof(*kCounts) == sizeof(Cost) / sizeof(uint64_t), "every count is listed");

Cost &Cost::operator+=(const Cost &other) {
  for (auto count : kCounts)
    this->*count += other.*count;
  return *this;
}

Cost Cost::operator*(uint64_t times) const {
  Cost result;
  for (auto count : kCounts)
    result.*count = this->*count * times;
  return result;
}

Cost Cost::scaled(double factor) const {
  Cost result;
  for (auto count : kCounts)
    result.*count = uint64_t(double(this->*count) * factor + 0.5);
  return result;
}

static uint64_t elementsOf(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor ? uint64_t(tensor.getNumElements()) : 1;
}

static Cost ofFloats(uint64_t count) {
  Cost cost;
  cost.floatOperations = count;
  return cost;
}
static Cost ofSpecials(uint64_t count) {
  Cost cost;
  cost.specialOperations = count;
  return cost;
}
static Cost ofIntegers(uint64_t count) {
  Cost cost;
  cost.integerOperations = count;
  return cost;
}

/// Applications of a combining region: `sources` is the shape that is combined along `axis`.
static Cost ofRegion(Block &block, ArrayRef<int64_t> shape, int64_t axis) {
  Cost once;
  for (Operation &inner : block)
    once += costOfOperation(&inner);
  uint64_t times = uint64_t(std::max<int64_t>(shape[axis] - 1, 0));
  for (auto [dim, size] : llvm::enumerate(shape))
    if (int64_t(dim) != axis)
      times *= uint64_t(size);
  return once * times;
}

Cost triton_metal::costOfOperation(Operation *op) {
  if (auto dot = dyn_cast<tt::DotOp>(op)) {
    Cost cost;
    cost.dotOperations = 2 * elementsOf(dot.getType()) * uint64_t(cast<RankedTensorType>(dot.getA().getType()).getShape().back());
    return cost;
  }
  if (auto reduce = dyn_cast<tt::ReduceOp>(op))
    return ofRegion(reduce.getCombineBlock(), reduce.getSourceShape(), reduce.getAxis());
  if (auto scan = dyn_cast<tt::ScanOp>(op))
    return ofRegion(scan.getCombineBlock(), cast<RankedTensorType>(scan.getSrcs()[0].getType()).getShape(), scan.getAxis());
  if (auto histogram = dyn_cast<tt::HistogramOp>(op))
    return ofIntegers(elementsOf(histogram.getSrc().getType()));
  if (op->getNumResults() != 1)
    return {};
  uint64_t count = elementsOf(op->getResult(0).getType());
  Type element = tt::getElementOf(op->getResult(0).getType());
  return llvm::TypeSwitch<Operation *, Cost>(op)
      .Case<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp, arith::RemFOp, arith::MaximumFOp, arith::MinimumFOp,
            arith::MaxNumFOp, arith::MinNumFOp, tt::PreciseDivFOp>([&](auto) { return ofFloats(count); })
      .Case<math::FmaOp, tt::ClampFOp>([&](auto) { return ofFloats(2 * count); })
      .Case<arith::AddIOp, arith::SubIOp, arith::MulIOp, arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp, arith::ShLIOp,
            arith::ShRSIOp, arith::ShRUIOp, arith::AndIOp, arith::OrIOp, arith::XOrIOp, arith::MaxSIOp, arith::MinSIOp, arith::MaxUIOp,
            arith::MinUIOp, tt::MulhiUIOp>([&](auto) { return element.isInteger(1) ? Cost() : ofIntegers(count); })
      .Case<math::AbsFOp, math::CopySignOp>([&](auto) { return Cost(); })
      .Case<tt::PreciseSqrtOp, tt::ExternElementwiseOp>([&](auto) { return ofSpecials(count); })
      .Default([&](Operation *) {
        if (!isa<math::MathDialect>(op->getDialect()))
          return Cost();
        return isa<FloatType>(element) ? ofSpecials(count) : ofIntegers(count);
      });
}
