//===- CostElements.cpp - what has no affine form, element by element ------------------------===//
#include "CostEvaluator.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::cost;

std::optional<std::vector<int64_t>> Evaluator::elementsOf(const Known &known, Shape shape) {
  int64_t count = numElements(shape);
  effort -= count;
  if (known.kind == Known::Kind::Elements)
    return *known.elements;
  if (known.kind == Known::Kind::Integers && !atOnePoint(known.affine))
    return std::nullopt;
  std::vector<int64_t> list(static_cast<size_t>(count));
  SmallVector<int64_t> index(shape.size(), 0);
  int64_t start = known.kind == Known::Kind::Integers ? known.affine.scalarExtremes(axes).begin : 0;
  for (int64_t &element : list) {
    if (known.kind == Known::Kind::Integers) {
      element = start;
      for (size_t dim = 0; dim < known.affine.perDim.size() && dim < index.size(); ++dim)
        element += known.affine.perDim[dim] * index[dim];
    } else {
      element = shape.empty() ? known.box[0].size() : 1;
      for (size_t dim = 0; dim < index.size(); ++dim)
        element &= index[dim] >= known.box[dim].begin && index[dim] < known.box[dim].end;
    }
    for (size_t dim = shape.size(); dim-- > 0 && ++index[dim] == shape[dim];)
      index[dim] = 0;
  }
  return list;
}

static bool compareIntegers(arith::CmpIPredicate predicate, int64_t a, int64_t b, unsigned width) {
  using P = arith::CmpIPredicate;
  uint64_t mask = width >= 64 ? ~uint64_t(0) : (uint64_t(1) << width) - 1, ua = uint64_t(a) & mask, ub = uint64_t(b) & mask;
  switch (predicate) {
  case P::eq:
    return ua == ub;
  case P::ne:
    return ua != ub;
  case P::slt:
    return a < b;
  case P::sle:
    return a <= b;
  case P::sgt:
    return a > b;
  case P::sge:
    return a >= b;
  case P::ult:
    return ua < ub;
  case P::ule:
    return ua <= ub;
  case P::ugt:
    return ua > ub;
  case P::uge:
    return ua >= ub;
  }
  return false;
}

enum class ElementOp : uint8_t {
  None, Add, Sub, Mul, DivS, RemS, DivU, RemU, ShL, ShRU, ShRS, And, Or, Xor, MinS, MaxS, MinU, MaxU, Compare, Select, Abs, Same, Zero
};

/// What `op` does to one element of integers.
static ElementOp elementOp(Operation *op) {
  return llvm::TypeSwitch<Operation *, ElementOp>(op)
      .Case([](arith::AddIOp) { return ElementOp::Add; })
      .Case([](arith::SubIOp) { return ElementOp::Sub; })
      .Case([](arith::MulIOp) { return ElementOp::Mul; })
      .Case([](arith::DivSIOp) { return ElementOp::DivS; })
      .Case([](arith::RemSIOp) { return ElementOp::RemS; })
      .Case([](arith::DivUIOp) { return ElementOp::DivU; })
      .Case([](arith::RemUIOp) { return ElementOp::RemU; })
      .Case([](arith::ShLIOp) { return ElementOp::ShL; })
      .Case([](arith::ShRUIOp) { return ElementOp::ShRU; })
      .Case([](arith::ShRSIOp) { return ElementOp::ShRS; })
      .Case([](arith::AndIOp) { return ElementOp::And; })
      .Case([](arith::OrIOp) { return ElementOp::Or; })
      .Case([](arith::XOrIOp) { return ElementOp::Xor; })
      .Case([](arith::MinSIOp) { return ElementOp::MinS; })
      .Case([](arith::MaxSIOp) { return ElementOp::MaxS; })
      .Case([](arith::MinUIOp) { return ElementOp::MinU; })
      .Case([](arith::MaxUIOp) { return ElementOp::MaxU; })
      .Case([](arith::CmpIOp) { return ElementOp::Compare; })
      .Case([](arith::SelectOp) { return ElementOp::Select; })
      .Case([](math::AbsIOp) { return ElementOp::Abs; })
      .Case<arith::ExtSIOp, arith::TruncIOp, arith::IndexCastOp>([](auto) { return ElementOp::Same; })
      .Case([](arith::ExtUIOp) { return ElementOp::Zero; })
      .Default([](Operation *) { return ElementOp::None; });
}

/// The value of one element before it is wrapped to `width` bits; nothing where it is undefined.
static std::optional<int64_t> evaluateElement(ElementOp op, const int64_t *in, unsigned width, unsigned widthOfOperands,
                                              arith::CmpIPredicate predicate) {
  uint64_t mask = width >= 64 ? ~uint64_t(0) : (uint64_t(1) << width) - 1;
  auto low = [&](int64_t value) { return uint64_t(value) & mask; };
  switch (op) {
  case ElementOp::Add:
    return int64_t(uint64_t(in[0]) + uint64_t(in[1]));
  case ElementOp::Sub:
    return int64_t(uint64_t(in[0]) - uint64_t(in[1]));
  case ElementOp::Mul:
    return int64_t(uint64_t(in[0]) * uint64_t(in[1]));
  case ElementOp::DivS:
  case ElementOp::RemS:
    if (in[1] == 0 || in[1] == -1)
      return std::nullopt;
    return op == ElementOp::DivS ? in[0] / in[1] : in[0] % in[1];
  case ElementOp::DivU:
  case ElementOp::RemU:
    if (in[1] == 0)
      return std::nullopt;
    return int64_t(op == ElementOp::DivU ? low(in[0]) / low(in[1]) : low(in[0]) % low(in[1]));
  case ElementOp::ShL:
    return low(in[1]) >= width ? 0 : int64_t(uint64_t(in[0]) << in[1]);
  case ElementOp::ShRU:
    return low(in[1]) >= width ? 0 : int64_t(low(in[0]) >> in[1]);
  case ElementOp::ShRS:
    return in[0] >> std::min<uint64_t>(low(in[1]), 63);
  case ElementOp::And:
    return in[0] & in[1];
  case ElementOp::Or:
    return in[0] | in[1];
  case ElementOp::Xor:
    return in[0] ^ in[1];
  case ElementOp::MinS:
    return std::min(in[0], in[1]);
  case ElementOp::MaxS:
    return std::max(in[0], in[1]);
  case ElementOp::MinU:
    return low(in[0]) < low(in[1]) ? in[0] : in[1];
  case ElementOp::MaxU:
    return low(in[0]) > low(in[1]) ? in[0] : in[1];
  case ElementOp::Compare:
    return compareIntegers(predicate, in[0], in[1], widthOfOperands);
  case ElementOp::Select:
    return in[0] ? in[1] : in[2];
  case ElementOp::Abs:
    return in[0] < 0 ? int64_t(-uint64_t(in[0])) : in[0];
  case ElementOp::Same:
    return in[0];
  case ElementOp::Zero:
    return widthOfOperands >= 64 ? in[0] : in[0] & int64_t((uint64_t(1) << widthOfOperands) - 1);
  case ElementOp::None:
    return std::nullopt;
  }
  return std::nullopt;
}

Known Evaluator::pointwise(Operation *op) {
  Shape shape = tt::getShapeOf(resultType(op));
  unsigned width = widthOf(resultType(op)), widthOfOperands = widthOf(op->getOperand(op->getNumOperands() - 1).getType());
  bool atMost = false;
  Operation *origin = nullptr;
  SmallVector<std::vector<int64_t>, 3> lists;
  for (Value operand : op->getOperands()) {
    const Known &known = get(operand);
    if (known.isUnknown() || known.kind == Known::Kind::Number)
      return Known::unknown(known.origin ? known.origin : op);
    if (known.atMost) {
      atMost = true;
      origin = known.origin;
    }
    // A select may choose between a scalar condition's tensors.
    Shape of = tt::getShapeOf(operand.getType());
    std::optional<std::vector<int64_t>> list = elementsOf(known, of);
    if (!list)
      return Known::unknown(op);
    if (list->size() == 1)
      list->resize(size_t(numElements(shape)), list->front());
    lists.push_back(std::move(*list));
  }
  // What is true at most stays so through `and` only.
  if (atMost && !isa<arith::AndIOp>(op))
    return Known::unknown(origin);
  std::vector<int64_t> results(static_cast<size_t>(numElements(shape)));
  ElementOp kind = elementOp(op);
  auto comparison = dyn_cast<arith::CmpIOp>(op);
  arith::CmpIPredicate predicate = comparison ? comparison.getPredicate() : arith::CmpIPredicate::eq;
  if (lists.size() > 3)
    return Known::unknown(op);
  for (size_t i = 0; i < results.size(); ++i) {
    int64_t in[3] = {};
    for (size_t operand = 0; operand < lists.size(); ++operand)
      in[operand] = lists[operand][i];
    std::optional<int64_t> value = evaluateElement(kind, in, width, widthOfOperands, predicate);
    if (!value)
      return Known::unknown(op);
    results[i] = width == 1 ? *value & 1 : wrapTo(*value, width);
  }
  effort -= int64_t(results.size());
  if (shape.empty()) {
    Known scalar = width == 1 ? Known::mask(results[0] & 1, {}) : Known::constant(results[0], {});
    scalar.atMost = atMost;
    scalar.origin = origin;
    return scalar;
  }
  Known known = Known::list(std::move(results));
  known.atMost = atMost;
  known.origin = origin;
  return known;
}

