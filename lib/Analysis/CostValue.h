//===- CostValue.h - what is known of an integer or a mask on a box of programs --------------===//
//
// The values of Cost.h's analysis. A box is a range for each axis: the three program ids, then the iterations of the loops around. An
// integer is an affine form over the axes and over the element's index; a mask is a box of indices. What has neither form is a list of its
// elements, which holds for one point of the box only.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "mlir/IR/Operation.h"

#include <memory>
#include <optional>
#include <vector>

namespace triton_metal::cost {

/// From begin up to end.
struct Interval {
  int64_t begin = 0, end = 1;
  int64_t size() const { return end - begin; }
  bool operator==(const Interval &other) const { return begin == other.begin && end == other.end; }
};
using Axes = llvm::SmallVector<Interval, 6>;
using Shape = llvm::ArrayRef<int64_t>; ///< empty for scalars

int64_t numElements(Shape shape);

/// base + sum of perAxis[a] * (position on axis a) + sum of perDim[d] * (index along dimension d). No value on the box, nor a part of
/// the sum, leaves 64 bits: `plus` sees to it.
struct Affine {
  int64_t base = 0;
  llvm::SmallVector<int64_t, 4> perAxis; ///< those that are missing are 0
  llvm::SmallVector<int64_t, 4> perDim;  ///< as many as the value has dimensions

  bool isConstant() const;
  bool isUniform() const; ///< the same for every element
  /// this + other * factor; nothing where that may leave 64 bits on the box or for an element.
  std::optional<Affine> plus(const Affine &other, int64_t factor, const Axes &axes, Shape shape) const;
  /// Of the positions alone, at the place where it is least or greatest.
  Interval scalarExtremes(const Axes &axes) const;
  /// The least and the greatest value, both included.
  Interval extremes(const Axes &axes, Shape shape) const;
};

/// What is known of one value of the kernel.
struct Known {
  enum class Kind : uint8_t { Unknown, Integers, Mask, Elements, Number } kind = Kind::Unknown;
  bool atMost = false; ///< Mask, Elements of bits: some that are true may be false
  mlir::Operation *origin = nullptr; ///< Unknown, atMost: what is not followed, null where nothing is known of it
  Affine affine;
  llvm::SmallVector<Interval, 4> box; ///< Mask: a range for each dimension; for scalars one of size 0 or 1
  std::shared_ptr<const std::vector<int64_t>> elements; ///< in row-major order
  double number = 0; ///< a scalar of floats

  static Known unknown(mlir::Operation *origin);
  static Known integers(Affine affine);
  static Known constant(int64_t value, Shape shape);
  static Known mask(bool value, Shape shape);
  static Known list(std::vector<int64_t> elements);
  static Known ofNumber(double value);

  bool isUnknown() const { return kind == Kind::Unknown; }
  bool isIntegers() const { return kind == Kind::Integers; }
  std::optional<int64_t> asConstant() const;
  /// Masks: true, or false, for every element; nothing where it differs or is not sure.
  std::optional<bool> asUniform(Shape shape) const;
  /// Masks: elements that are true.
  uint64_t count() const;
};

int64_t floorDiv(int64_t a, int64_t b); ///< b > 0
int64_t ceilDiv(int64_t a, int64_t b);  ///< b > 0

/// `value` as a signed integer of `width` bits.
int64_t wrapTo(int64_t value, unsigned width);

} // namespace triton_metal::cost
