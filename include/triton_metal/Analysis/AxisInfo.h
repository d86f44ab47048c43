//===- AxisInfo.h - contiguity, divisibility and constancy of integers and pointers ------===//
//
// For each dimension of an integer or pointer tensor, three powers of two that are proven:
//   contiguity c   along the dimension, aligned blocks of c elements rise by 1 (by one element, for pointers)
//   divisibility d the first element of each such block is a multiple of d (bytes, for pointers)
//   constancy k    aligned blocks of k elements are equal
// A scalar has one dimension of size 1. Facts come from arguments (tt.divisibility), ranges, constants and the hints tt.contiguity,
// tt.divisibility, tt.constancy on operations; loops are iterated to a fixed point. Encodings of tensors are ignored.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "triton_metal/Dialect/Triton/IR/Dialect.h"

namespace triton_metal {

struct AxisInfo {
  llvm::SmallVector<int64_t, 4> contiguity, divisibility, constancy;
  /// The value of every element, where it is one known integer.
  std::optional<int64_t> constant;
  /// No element is negative, if index arithmetic does not wrap.
  bool nonNegative = false;

  AxisInfo() = default;
  /// Nothing known of a value of `rank` dimensions.
  explicit AxisInfo(unsigned rank) : contiguity(rank, 1), divisibility(rank, 1), constancy(rank, 1) {}
  static AxisInfo ofConstant(int64_t value, llvm::ArrayRef<int64_t> shape);

  unsigned getRank() const { return contiguity.size(); }
  /// What holds for both.
  AxisInfo meet(const AxisInfo &other) const;
  bool operator==(const AxisInfo &other) const {
    return contiguity == other.contiguity && divisibility == other.divisibility && constancy == other.constancy &&
           constant == other.constant && nonNegative == other.nonNegative;
  }
  std::string str() const;
};

class AxisInfoAnalysis {
public:
  explicit AxisInfoAnalysis(tt::FuncOp function);

  /// Facts of `value`; nothing known for values that were made after the analysis.
  AxisInfo get(mlir::Value value) const;
  /// Elements of a tensor of pointers that are neighbours along `dim` and whose block is aligned to its size.
  int64_t getVector(mlir::Value pointers, unsigned dim) const;
  /// Elements along `dim` over which a mask (may be null) is one and the same.
  int64_t getMaskVector(mlir::Value mask, unsigned dim) const;
  /// Dimensions of a tensor of pointers from the fastest in memory; of equals, the last dimension first.
  llvm::SmallVector<unsigned> getOrder(mlir::Value pointers) const;

private:
  void visit(mlir::Block &block);
  void visit(mlir::Operation *op);
  void visitLoop(mlir::scf::ForOp loop);
  AxisInfo transfer(mlir::Operation *op, unsigned result) const;
  void set(mlir::Value value, AxisInfo info) { facts[value] = std::move(info); }

  llvm::DenseMap<mlir::Value, AxisInfo> facts;
};

} // namespace triton_metal
