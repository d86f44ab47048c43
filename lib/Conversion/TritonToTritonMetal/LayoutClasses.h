//===- LayoutClasses.h - choosing layouts -------------------------------------------------===//
//
// Values that are cheap to recompute get no layout: each use has a copy of its own. All other tensors are anchored, and so are the
// memory accesses. Anchored things that must agree (operands and results of elementwise operations, what loops and branches carry)
// form classes; a class has one layout. Layouts are decided in order of what they are worth, and each decision spreads to classes
// that have none yet:
//
//   1. results of dot, by the chip's table of SIMD-group tiles; then their operands, which so arrive as fragments in registers
//   2. loads and stores with a hint of the user's, the largest first. A COALESCED access keeps its layout whatever dots want; a BLOCK
//      access takes that of a dot, which is a tile, and else one of its own
//   3. other loads, stores and atomics, the largest first, by what coalesces
//   4. what is left: blocked
//
// A decision spreads along shape operations, reductions and broadcasts as far as the layout of one side determines the other, and
// between an access and its value where the access stays about as coalesced. Where neighbours end up different, the rewriter
// converts.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "triton_metal/Analysis/AxisInfo.h"
#include "triton_metal/Dialect/TritonMetal/IR/Dialect.h"
#include "triton_metal/Support/Chips.h"

namespace triton_metal::ttm {

/// Whether a dimension is below that of a matrix: the product is computed element by element.
bool isScalarDot(tt::DotOp dot);

/// What `layout=` of a load or store asks for, where it can be done (LayoutHints.cpp).
enum class LayoutHint : uint8_t { None, Coalesced, Block };
/// The hint of `access`, after checkLayoutHints.
LayoutHint getLayoutHint(mlir::Operation *access);
/// Warns of each hint in `function` that cannot be followed, at its line, and removes it; fails where one has no name that is known. None
/// can be where `neededBytes` is not 0: the threadgroup memory that the layouts of hints were found to need.
mlir::LogicalResult checkLayoutHints(tt::FuncOp function, const AxisInfoAnalysis &axis, int64_t neededBytes);

struct DotLayouts {
  LinearLayout a, b, c;
};

class LayoutClasses {
public:
  LayoutClasses(tt::FuncOp function, const AxisInfoAnalysis &axis, const Chip &chip, unsigned simdgroupBits);

  /// A tensor that has a layout of its own.
  bool isAnchored(mlir::Value value) const { return values.contains(value); }
  /// The layout of the class of an anchored value.
  const LinearLayout &get(mlir::Value value) const { return layoutOf(values.lookup(value)); }
  /// The layout in which a load, store, atomic, scan or gather works.
  const LinearLayout &get(mlir::Operation *access) const { return layoutOf(accesses.lookup(access)); }
  const DotLayouts &get(tt::DotOp dot) const { return dots.find(dot)->second; }
  /// What a tensor gets that nothing else decides.
  LinearLayout getDefault(mlir::Type type) const;
  /// A layout of `type` whose `axis` is not spread over SIMD-groups.
  LinearLayout getForScan(mlir::Type type, unsigned axis) const;

private:
  struct Node {
    unsigned parent;
    std::optional<LinearLayout> layout; ///< of a root
    bool fromDot = false;
  };
  /// A layout of class `from` determines one of class `to`.
  struct Edge {
    enum Kind { OperandToResult, ResultToOperand, AccessToValue, ValueToAccess } kind;
    unsigned from, to;
    mlir::Operation *op;
    unsigned operand = 0;
  };

  unsigned makeNode() {
    nodes.push_back({unsigned(nodes.size()), std::nullopt, false});
    return nodes.size() - 1;
  }
  unsigned find(unsigned node) const {
    while (nodes[node].parent != node)
      node = nodes[node].parent;
    return node;
  }
  void unite(unsigned a, unsigned b);
  /// Unites those of `list` that are anchored.
  void uniteValues(mlir::ValueRange list);
  const LinearLayout &layoutOf(unsigned node) const { return *nodes[find(node)].layout; }

  bool isCheap(mlir::Operation *op) const;
  void collect(mlir::Operation *root);
  void connect(mlir::Operation *op);
  void connectAccess(mlir::Operation *op);
  void addEdge(Edge::Kind kind, unsigned from, unsigned to, mlir::Operation *op, unsigned operand = 0) {
    edges.push_back({kind, from, to, op, operand});
  }

  void sortAccesses();
  void fixCoalesced();
  void decideDots();
  void decideHinted();
  void decideAccesses();
  void decideRest();
  /// Spreads the layout of a class to those that have none.
  void spread(unsigned root);
  /// Gives a class a layout, unless it has one, and spreads it.
  void decide(unsigned node, const LinearLayout &layout, bool fromDot);
  std::optional<LinearLayout> follow(const Edge &edge, const LinearLayout &layout, bool fromDot) const;

  LinearLayout getCoalesced(mlir::Operation *access) const;
  /// The tile of a BLOCK access.
  LinearLayout getTiled(mlir::Operation *access) const;
  /// Whether `layout` is as good a tile for a BLOCK access as its own.
  bool isTileFor(mlir::Operation *access, const LinearLayout &layout, bool fromDot) const;
  /// The widest vectors of an access along its fastest dimension that are proven and leave no lane without work.
  int64_t getVector(mlir::Operation *access) const;
  bool isGoodFor(mlir::Operation *access, const LinearLayout &layout) const;
  DotLayouts chooseDot(tt::DotOp dot) const;

  const AxisInfoAnalysis &axis;
  const Chip &chip;
  unsigned simdgroupBits;
  llvm::DenseMap<mlir::Value, unsigned> values;
  llvm::DenseMap<mlir::Operation *, unsigned> accesses;
  llvm::MapVector<mlir::Operation *, DotLayouts> dots;
  llvm::DenseMap<mlir::Operation *, LayoutHint> hints; ///< of accesses that have one
  llvm::SmallVector<mlir::Operation *> accessOrder;    ///< the largest first
  llvm::SmallVector<mlir::Value> valueOrder;
  llvm::SmallVector<Node> nodes;
  llvm::SmallVector<Edge> edges;
  llvm::DenseMap<unsigned, llvm::SmallVector<unsigned>> edgesFrom; ///< by class
};

/// The pointer operand of a load, store or atomic; null for scans and gathers.
mlir::Value getPointers(mlir::Operation *access);

} // namespace triton_metal::ttm
