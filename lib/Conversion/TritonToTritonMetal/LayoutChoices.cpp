//===- LayoutChoices.cpp - choosing layouts: what is good for accesses and for dot ------------===//
#include "LayoutClasses.h"
#include "triton_metal/Dialect/Triton/IR/ElementBytes.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::ttm;

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

LinearLayout LayoutClasses::getCoalesced(Operation *access) const {
  Value pointers = getPointers(access);
  if (!pointers) {
    auto scan = dyn_cast<tt::ScanOp>(access);
    return scan ? getForScan(scan.getSrcs()[0].getType(), scan.getAxis()) : getDefault(access->getResult(0).getType());
  }
  auto type = cast<RankedTensorType>(pointers.getType());
  return LinearLayout::blocked(type.getShape(), axis.getOrder(pointers), getVector(access), simdgroupBits);
}

int64_t LayoutClasses::getVector(Operation *access) const {
  Value pointers = getPointers(access);
  auto type = cast<RankedTensorType>(tt::getPointeeLike(pointers.getType()));
  SmallVector<unsigned> order = axis.getOrder(pointers);
  if (order.empty())
    return 1;
  // At most 16 bytes a lane.
  int64_t perThread = std::max<int64_t>(1, type.getNumElements() >> (LinearLayout::kLaneBits + simdgroupBits));
  int64_t widest = std::max<int64_t>(1, kMaxVectorBytes / tt::getElementBytes(type.getElementType()));
  return std::min({axis.getVector(pointers, order[0]), widest, perThread});
}

bool LayoutClasses::isGoodFor(Operation *access, const LinearLayout &layout) const {
  if (auto scan = dyn_cast<tt::ScanOp>(access))
    return llvm::none_of(layout.getSimdgroupBases(), [&](uint32_t basis) { return layout.getCoordinate(basis, scan.getAxis()); });
  Value pointers = getPointers(access);
  if (!pointers || layout.getRank() == 0 || tt::isSharedPointer(pointers.getType())) // a conversion goes through the same memory
    return true;
  unsigned fastest = axis.getOrder(pointers)[0];
  int64_t contiguity = axis.get(pointers).contiguity[fastest], proven = axis.getVector(pointers, fastest);
  int64_t bytes = tt::getPointeeBytes(pointers.getType());
  struct Cost {
    int64_t run, accesses; ///< neighbouring bytes of one access of a SIMD-group; accesses of a lane
  };
  auto costOf = [&](const LinearLayout &candidate) {
    int64_t widest = std::max<int64_t>(1, std::min<int64_t>(proven, kMaxVectorBytes / bytes));
    unsigned vector = std::min<int64_t>(candidate.getContiguousRegisters(fastest), widest);
    int64_t run = std::min(contiguity, int64_t(1) << candidate.getCoalescedBits(fastest, llvm::Log2_32(vector)));
    return Cost{run * bytes, candidate.getNumRegisters() / vector};
  };
  Cost best = costOf(getCoalesced(access)), cost = costOf(layout);
  // 32 bytes are a sector. A short tile may be accessed by few lanes: a conversion through threadgroup memory costs more.
  bool coalesced = cost.run >= 32 || cost.run * 2 >= best.run;
  return coalesced && cost.accesses <= std::max<int64_t>(16, 4 * best.accesses);
}

//===----------------------------------------------------------------------===//
// Dot
//===----------------------------------------------------------------------===//

bool triton_metal::ttm::isScalarDot(tt::DotOp dot) {
  auto isSmall = [](Value operand) {
    ArrayRef<int64_t> shape = cast<RankedTensorType>(operand.getType()).getShape().take_back(2);
    return shape[0] < 8 || shape[1] < 8;
  };
  return isSmall(dot.getA()) || isSmall(dot.getB());
}

DotLayouts LayoutClasses::chooseDot(tt::DotOp dot) const {
  auto a = cast<RankedTensorType>(dot.getA().getType()), b = cast<RankedTensorType>(dot.getB().getType());
  auto d = cast<RankedTensorType>(dot.getType());
  unsigned rank = d.getRank(), bits = a.getElementTypeBitWidth();
  int64_t m = d.getDimSize(rank - 2), n = d.getDimSize(rank - 1);

  if (isScalarDot(dot)) { // each lane sums for its own elements of the result
    SmallVector<unsigned> order;
    for (unsigned dim = rank; dim-- > 0;)
      order.push_back(dim);
    LinearLayout c = LinearLayout::blocked(d.getShape(), order, 1, simdgroupBits);
    int64_t k = a.getDimSize(rank - 1);
    return {LinearLayout::scalarDotOperand(c, k, true), LinearLayout::scalarDotOperand(c, k, false), c};
  }

  // A row that is reduced, or that becomes the left operand of another dot, should stay in one SIMD-group; so should what becomes of it.
  unsigned cls = find(values.lookup(dot.getD()));
  bool keepRows = false;
  auto ours = [&](Value value) { return isAnchored(value) && find(values.lookup(value)) == cls; };
  dot->getParentOfType<tt::FuncOp>().walk([&](Operation *op) {
    if (auto reduce = dyn_cast<tt::ReduceOp>(op))
      keepRows |= reduce.getAxis() == rank - 1 && ours(reduce.getSrcs()[0]);
    if (auto other = dyn_cast<tt::DotOp>(op))
      keepRows |= ours(other.getA()) || (isAnchored(dot.getA()) && isAnchored(other.getD()) &&
                                         find(values.lookup(other.getD())) == find(values.lookup(dot.getA())));
  });

  // SIMD-groups along M and N: the best rank in the table; tiles that it does not list by the operands they load; rather one that
  // leaves no SIMD-group without work.
  int bestCost = INT_MAX;
  unsigned bestM = 0, bestN = 0;
  for (unsigned groupsM = 0; groupsM <= simdgroupBits; ++groupsM) {
    unsigned groupsN = simdgroupBits - groupsM;
    int64_t rows = std::max<int64_t>(8, m >> groupsM), columns = std::max<int64_t>(8, n >> groupsN);
    int cost = 100 + int(rows + columns) / 8;
    for (auto [i, tile] : llvm::enumerate(getDotTiles(chip)))
      if (tile.rows == rows && tile.columns == columns && bits <= tile.maxElementBits)
        cost = i;
    int64_t spread = (std::max<int64_t>(8, m) / rows) * (std::max<int64_t>(8, n) / columns);
    cost += 1000 * (simdgroupBits - llvm::Log2_64(spread));
    if (keepRows && groupsN)
      cost += 500;
    if (cost < bestCost)
      bestCost = cost, bestM = groupsM, bestN = groupsN;
  }
  unsigned tileM = std::max<int64_t>(8, m >> bestM), tileN = std::max<int64_t>(8, n >> bestN);
  return {LinearLayout::dotOperand(a.getShape(), true, tileM, bestM, bestN),
          LinearLayout::dotOperand(b.getShape(), false, tileN, bestM, bestN),
          LinearLayout::simdgroupMatrix(d.getShape(), tileM, tileN, bestM, bestN)};
}

void LayoutClasses::decideDots() {
  for (Value value : valueOrder)
    if (auto dot = value.getDefiningOp<tt::DotOp>()) {
      dots[dot] = chooseDot(dot);
      decide(values[dot.getD()], dots[dot].c, true);
    }
  // Operands after all results: the result of one dot may be the operand of the next.
  for (auto &[op, layouts] : dots) {
    auto dot = cast<tt::DotOp>(op);
    if (chip.stageDotOperands)
      continue;
    if (isAnchored(dot.getA()))
      decide(values[dot.getA()], layouts.a, true);
    if (isAnchored(dot.getB()))
      decide(values[dot.getB()], layouts.b, true);
  }
}
