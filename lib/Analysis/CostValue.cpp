//===- CostValue.cpp - affine forms and masks of the cost analysis --------------------------===//
#include "CostValue.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace triton_metal::cost;

int64_t triton_metal::cost::floorDiv(int64_t a, int64_t b) { return a / b - (a % b < 0); }
int64_t triton_metal::cost::ceilDiv(int64_t a, int64_t b) { return a / b + (a % b > 0); }

int64_t triton_metal::cost::wrapTo(int64_t value, unsigned width) {
  if (width >= 64)
    return value;
  unsigned unused = 64 - width;
  return int64_t(uint64_t(value) << unused) >> unused;
}

int64_t triton_metal::cost::numElements(Shape shape) {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

static bool allZero(llvm::ArrayRef<int64_t> list) {
  return llvm::all_of(list, [](int64_t value) { return value == 0; });
}

bool Affine::isConstant() const { return allZero(perAxis) && isUniform(); }
bool Affine::isUniform() const { return allZero(perDim); }

/// sum + a * b; false where that leaves 64 bits.
static bool addProduct(int64_t &sum, int64_t a, int64_t b) {
  int64_t product;
  return !llvm::MulOverflow(a, b, product) && !llvm::AddOverflow(sum, product, sum);
}

/// Widens both ends by coefficient * [begin, end - 1]; false where that leaves 64 bits. The least integer is refused as a coefficient:
/// it has no absolute value.
static bool widen(Interval &range, int64_t coefficient, Interval positions) {
  if (coefficient == INT64_MIN)
    return false;
  int64_t first = coefficient < 0 ? positions.end - 1 : positions.begin, last = coefficient < 0 ? positions.begin : positions.end - 1;
  return addProduct(range.begin, coefficient, first) && addProduct(range.end, coefficient, last);
}

std::optional<Affine> Affine::plus(const Affine &other, int64_t factor, const Axes &axes, Shape shape) const {
  Affine sum = *this;
  if (!addProduct(sum.base, other.base, factor))
    return std::nullopt;
  auto add = [&](llvm::SmallVectorImpl<int64_t> &coefficients, llvm::ArrayRef<int64_t> others) {
    coefficients.resize(std::max(coefficients.size(), others.size()));
    return llvm::all_of(llvm::enumerate(others), [&](auto item) { return addProduct(coefficients[item.index()], item.value(), factor); });
  };
  if (!add(sum.perAxis, other.perAxis) || !add(sum.perDim, other.perDim))
    return std::nullopt;
  Interval range{sum.base, sum.base};
  for (auto [axis, coefficient] : llvm::enumerate(sum.perAxis))
    if (!widen(range, coefficient, axes[axis]))
      return std::nullopt;
  for (auto [dim, coefficient] : llvm::enumerate(sum.perDim))
    if (dim < shape.size() && !widen(range, coefficient, Interval{0, shape[dim]}))
      return std::nullopt;
  return sum;
}

Interval Affine::scalarExtremes(const Axes &axes) const {
  Interval range{base, base};
  for (auto [axis, coefficient] : llvm::enumerate(perAxis))
    (void)widen(range, coefficient, axes[axis]);
  return range;
}

Interval Affine::extremes(const Axes &axes, Shape shape) const {
  Interval range = scalarExtremes(axes);
  for (auto [dim, coefficient] : llvm::enumerate(perDim))
    if (dim < shape.size())
      (void)widen(range, coefficient, Interval{0, shape[dim]});
  return range;
}

Known Known::unknown(mlir::Operation *origin) {
  Known known;
  known.origin = origin;
  return known;
}

Known Known::integers(Affine affine) {
  Known known;
  known.kind = Kind::Integers;
  known.affine = std::move(affine);
  return known;
}

Known Known::constant(int64_t value, Shape shape) {
  Affine affine;
  affine.base = value;
  affine.perDim.assign(shape.size(), 0);
  return integers(std::move(affine));
}

Known Known::mask(bool value, Shape shape) {
  Known known;
  known.kind = Kind::Mask;
  for (int64_t size : shape)
    known.box.push_back({0, value ? size : 0});
  if (shape.empty())
    known.box.push_back({0, value});
  return known;
}

Known Known::list(std::vector<int64_t> elements) {
  Known known;
  known.kind = Kind::Elements;
  known.elements = std::make_shared<const std::vector<int64_t>>(std::move(elements));
  return known;
}

Known Known::ofNumber(double value) {
  Known known;
  known.kind = Kind::Number;
  known.number = value;
  return known;
}

std::optional<int64_t> Known::asConstant() const {
  if (kind == Kind::Integers && affine.isConstant())
    return affine.base;
  return std::nullopt;
}

uint64_t Known::count() const {
  if (kind == Kind::Elements)
    return uint64_t(llvm::count_if(*elements, [](int64_t value) { return value != 0; }));
  uint64_t product = 1;
  for (Interval range : box)
    product *= uint64_t(std::max<int64_t>(range.size(), 0));
  return product;
}

std::optional<bool> Known::asUniform(Shape shape) const {
  if (kind != Kind::Mask && kind != Kind::Elements)
    return std::nullopt;
  uint64_t all = uint64_t(numElements(shape)), held = count();
  if (held == 0)
    return false;
  if (held == all && !atMost)
    return true;
  return std::nullopt;
}
