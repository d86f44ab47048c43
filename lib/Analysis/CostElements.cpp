//===- CostElements.cpp - what has no affine form, element by element ------------------------===//
//
// Loops over flat lists: an operation is chosen once, so that a loop over a tile takes about a nanosecond an element.
//
//===----------------------------------------------------------------------===//
#include "CostEvaluator.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::cost;

//===----------------------------------------------------------------------===//
// Lists
//===----------------------------------------------------------------------===//

/// Calls row(position in the list, index of the row's first element) for each run of elements along the last dimension.
static void forEachRow(Shape shape, llvm::function_ref<void(size_t, ArrayRef<int64_t>)> row) {
  SmallVector<int64_t> index(shape.size(), 0);
  auto count = size_t(numElements(shape)), length = shape.empty() ? 1 : size_t(shape.back());
  for (size_t at = 0; at < count; at += length) {
    row(at, index);
    for (size_t dim = shape.size(); dim-- > 1 && ++index[dim - 1] == shape[dim - 1];)
      index[dim - 1] = 0;
  }
}

std::vector<int64_t> cost::permuted(const std::vector<int64_t> &source, Shape shape, ArrayRef<int64_t> strides) {
  std::vector<int64_t> result(size_t(numElements(shape)));
  int64_t length = shape.empty() ? 1 : shape.back(), step = shape.empty() ? 0 : strides.back();
  forEachRow(shape, [&](size_t at, ArrayRef<int64_t> index) {
    int64_t first = 0;
    for (auto [position, stride] : llvm::zip(index, strides))
      first += position * stride;
    for (int64_t i = 0; i < length; ++i)
      result[at + size_t(i)] = source[size_t(first + i * step)];
  });
  return result;
}

std::shared_ptr<const std::vector<int64_t>> Evaluator::elementsOf(const Known &known, Shape shape) {
  effort -= numElements(shape) / 4;
  if (known.kind == Known::Kind::Elements)
    return known.elements;
  bool isAffine = known.kind == Known::Kind::Integers;
  if (isAffine && !atOnePoint(known.affine))
    return nullptr;
  auto list = std::make_shared<std::vector<int64_t>>(size_t(numElements(shape)));
  if (shape.empty()) {
    list->front() = isAffine ? known.affine.scalarExtremes(axes).begin : known.box[0].size();
    return list;
  }
  int64_t start = isAffine ? known.affine.scalarExtremes(axes).begin : 0;
  forEachRow(shape, [&](size_t at, ArrayRef<int64_t> index) {
    int64_t *row = list->data() + at;
    if (isAffine) {
      int64_t first = start, step = known.affine.perDim.back();
      for (auto [position, coefficient] : llvm::zip(index, known.affine.perDim))
        first += position * coefficient;
      for (int64_t i = 0; i < shape.back(); ++i)
        row[i] = first + i * step;
      return;
    }
    bool inside = true;
    for (auto [position, range] : llvm::zip(index.drop_back(), known.box))
      inside &= position >= range.begin && position < range.end;
    if (inside)
      std::fill(row + known.box.back().begin, row + std::max(known.box.back().begin, known.box.back().end), 1);
  });
  return list;
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

namespace {

/// An operand: its elements, or one for all.
struct Operand {
  const int64_t *elements;
  size_t step; ///< 0 for one
  int64_t operator[](size_t i) const { return elements[i * step]; }
};

/// Runs one operation over all elements. False where it has no value for one of them, or is not one of these.
class Loop {
public:
  Loop(Operation *op, ArrayRef<Operand> in, std::vector<int64_t> &out)
      : op(op), in(in), out(out), width(widthOf(resultType(op))),
        widthOfOperands(widthOf(op->getOperand(op->getNumOperands() - 1).getType())) {}

  bool run() {
    auto low = [this](int64_t value) { return uint64_t(value) & maskOf(width); };
    return llvm::TypeSwitch<Operation *, bool>(op)
        .Case([&](arith::AddIOp) { return two([](int64_t a, int64_t b) { return int64_t(uint64_t(a) + uint64_t(b)); }); })
        .Case([&](arith::SubIOp) { return two([](int64_t a, int64_t b) { return int64_t(uint64_t(a) - uint64_t(b)); }); })
        .Case([&](arith::MulIOp) { return two([](int64_t a, int64_t b) { return int64_t(uint64_t(a) * uint64_t(b)); }); })
        .Case([&](arith::DivSIOp) { return isDivisible() && two([](int64_t a, int64_t b) { return a / b; }); })
        .Case([&](arith::RemSIOp) { return isDivisible() && two([](int64_t a, int64_t b) { return a % b; }); })
        .Case([&](arith::DivUIOp) { return isDivisible() && two([&](int64_t a, int64_t b) { return int64_t(low(a) / low(b)); }); })
        .Case([&](arith::RemUIOp) { return isDivisible() && two([&](int64_t a, int64_t b) { return int64_t(low(a) % low(b)); }); })
        .Case([&](arith::ShLIOp) {
          return two([&](int64_t a, int64_t b) { return low(b) >= width ? 0 : int64_t(uint64_t(a) << low(b)); });
        })
        .Case([&](arith::ShRUIOp) { return two([&](int64_t a, int64_t b) { return low(b) >= width ? 0 : int64_t(low(a) >> low(b)); }); })
        .Case([&](arith::ShRSIOp) { return two([&](int64_t a, int64_t b) { return a >> std::min<uint64_t>(low(b), 63); }); })
        .Case([&](arith::AndIOp) { return two([](int64_t a, int64_t b) { return a & b; }); })
        .Case([&](arith::OrIOp) { return two([](int64_t a, int64_t b) { return a | b; }); })
        .Case([&](arith::XOrIOp) { return two([](int64_t a, int64_t b) { return a ^ b; }); })
        .Case([&](arith::MinSIOp) { return two([](int64_t a, int64_t b) { return std::min(a, b); }); })
        .Case([&](arith::MaxSIOp) { return two([](int64_t a, int64_t b) { return std::max(a, b); }); })
        .Case([&](arith::MinUIOp) { return two([&](int64_t a, int64_t b) { return low(a) < low(b) ? a : b; }); })
        .Case([&](arith::MaxUIOp) { return two([&](int64_t a, int64_t b) { return low(a) > low(b) ? a : b; }); })
        .Case([&](arith::CmpIOp comparison) { return compare(comparison.getPredicate()); })
        .Case([&](arith::SelectOp) { return each([&](size_t i) { return in[0][i] ? in[1][i] : in[2][i]; }); })
        .Case([&](math::AbsIOp) { return each([&](size_t i) { return in[0][i] < 0 ? int64_t(-uint64_t(in[0][i])) : in[0][i]; }); })
        .Case<arith::ExtSIOp, arith::TruncIOp, arith::IndexCastOp>([&](auto) { return each([&](size_t i) { return in[0][i]; }); })
        .Case([&](arith::ExtUIOp) { return each([&](size_t i) { return int64_t(uint64_t(in[0][i]) & maskOf(widthOfOperands)); }); })
        .Default([](Operation *) { return false; });
  }

private:
  static uint64_t maskOf(unsigned width) { return width >= 64 ? ~uint64_t(0) : (uint64_t(1) << width) - 1; }

  template <typename Function> bool each(Function function) {
    for (size_t i = 0; i < out.size(); ++i)
      out[i] = width == 1 ? function(i) & 1 : wrapTo(function(i), width);
    return true;
  }
  template <typename Function> bool two(Function function) {
    return each([&, a = in[0], b = in[1]](size_t i) { return function(a[i], b[i]); });
  }
  /// No divisor is 0, nor -1, which the least integer has no quotient by.
  bool isDivisible() const {
    size_t count = in[1].step ? out.size() : 1;
    for (size_t i = 0; i < count; ++i)
      if (in[1][i] == 0 || in[1][i] == -1)
        return false;
    return true;
  }
  bool compare(arith::CmpIPredicate predicate) {
    using P = arith::CmpIPredicate;
    uint64_t mask = maskOf(widthOfOperands);
    auto low = [mask](int64_t value) { return uint64_t(value) & mask; };
    switch (predicate) {
    case P::eq:
      return two([&](int64_t a, int64_t b) { return int64_t(low(a) == low(b)); });
    case P::ne:
      return two([&](int64_t a, int64_t b) { return int64_t(low(a) != low(b)); });
    case P::slt:
      return two([](int64_t a, int64_t b) { return int64_t(a < b); });
    case P::sle:
      return two([](int64_t a, int64_t b) { return int64_t(a <= b); });
    case P::sgt:
      return two([](int64_t a, int64_t b) { return int64_t(a > b); });
    case P::sge:
      return two([](int64_t a, int64_t b) { return int64_t(a >= b); });
    case P::ult:
      return two([&](int64_t a, int64_t b) { return int64_t(low(a) < low(b)); });
    case P::ule:
      return two([&](int64_t a, int64_t b) { return int64_t(low(a) <= low(b)); });
    case P::ugt:
      return two([&](int64_t a, int64_t b) { return int64_t(low(a) > low(b)); });
    case P::uge:
      return two([&](int64_t a, int64_t b) { return int64_t(low(a) >= low(b)); });
    }
    return false;
  }

  Operation *op;
  ArrayRef<Operand> in;
  std::vector<int64_t> &out;
  unsigned width, widthOfOperands;
};

} // namespace

Known Evaluator::pointwise(Operation *op) {
  Shape shape = tt::getShapeOf(resultType(op));
  bool atMost = false;
  Operation *origin = nullptr;
  SmallVector<std::shared_ptr<const std::vector<int64_t>>, 3> lists;
  SmallVector<Operand, 3> operands;
  for (Value operand : op->getOperands()) {
    Known known = get(operand);
    if (known.isUnknown() || known.kind == Known::Kind::Number)
      return Known::unknown(known.origin ? known.origin : op);
    if (known.atMost) {
      atMost = true;
      origin = known.origin;
    }
    Shape of = tt::getShapeOf(operand.getType()); // a scalar where a select chooses between tensors
    bool isOne = of.empty() || (known.isIntegers() && known.affine.isUniform());
    auto list = elementsOf(known, isOne ? Shape() : of);
    if (!list)
      return Known::unknown(op);
    operands.push_back({list->data(), isOne ? size_t(0) : size_t(1)});
    lists.push_back(std::move(list));
  }
  // What is true at most stays so through `and` only.
  if (atMost && !isa<arith::AndIOp>(op))
    return Known::unknown(origin);
  std::vector<int64_t> results(size_t(numElements(shape)));
  effort -= int64_t(results.size()) / 4;
  if (!Loop(op, operands, results).run())
    return Known::unknown(op);
  bool isMask = widthOf(resultType(op)) == 1;
  Known known = !shape.empty() ? Known::list(std::move(results))
                : isMask       ? Known::mask(results[0] & 1, {})
                               : Known::constant(results[0], {});
  known.atMost = atMost;
  known.origin = origin;
  return known;
}
