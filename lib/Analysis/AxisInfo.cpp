//===- AxisInfo.cpp - contiguity, divisibility and constancy of integers and pointers ------===//
#include "triton_metal/Analysis/AxisInfo.h"
#include "triton_metal/Analysis/SharedArrays.h"
#include "triton_metal/Dialect/Triton/IR/ElementBytes.h"

#include "llvm/Support/raw_ostream.h"
#include <numeric>

using namespace mlir;
using namespace triton_metal;

/// Facts beyond this say nothing more and would overflow.
static constexpr int64_t kLimit = int64_t(1) << 30;

static int64_t powerOfTwoIn(int64_t value) {
  return value == 0 ? kLimit : std::min(kLimit, int64_t(1) << llvm::countr_zero(uint64_t(value)));
}
static int64_t product(int64_t a, int64_t b) { return a >= kLimit / b ? kLimit : a * b; }

static SmallVector<int64_t> shapeOf(Value value) {
  if (auto tensor = dyn_cast<RankedTensorType>(value.getType()); tensor && tensor.getRank())
    return SmallVector<int64_t>(tensor.getShape());
  return {1};
}

//===----------------------------------------------------------------------===//
// Facts
//===----------------------------------------------------------------------===//

AxisInfo AxisInfo::ofConstant(int64_t value, ArrayRef<int64_t> shape) {
  AxisInfo info(shape.size());
  info.divisibility.assign(shape.size(), powerOfTwoIn(value));
  info.constancy.assign(shape.begin(), shape.end());
  info.constant = value;
  info.nonNegative = value >= 0;
  return info;
}

AxisInfo AxisInfo::meet(const AxisInfo &other) const {
  AxisInfo info(getRank());
  for (unsigned dim = 0; dim < getRank(); ++dim) {
    info.contiguity[dim] = std::min(contiguity[dim], other.contiguity[dim]);
    info.divisibility[dim] = std::min(divisibility[dim], other.divisibility[dim]);
    // Blocks of the longer run are cut into shorter ones, which start inside.
    if (contiguity[dim] != other.contiguity[dim])
      info.divisibility[dim] = std::min(info.divisibility[dim], info.contiguity[dim]);
    info.constancy[dim] = std::min(constancy[dim], other.constancy[dim]);
  }
  if (constant == other.constant)
    info.constant = constant;
  info.nonNegative = nonNegative && other.nonNegative;
  return info;
}

std::string AxisInfo::str() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  auto print = [&](StringRef name, ArrayRef<int64_t> list) {
    os << name << " = [";
    llvm::interleaveComma(list, os);
    os << "]";
  };
  print("contiguity", contiguity);
  print(", divisibility", divisibility);
  print(", constancy", constancy);
  if (constant)
    os << ", constant = " << *constant;
  return text;
}

/// Divisibility of every element along `dim`, not only of the first of each block.
static int64_t divisibilityOfAll(const AxisInfo &info, unsigned dim) {
  return info.contiguity[dim] > 1 ? 1 : info.divisibility[dim];
}
static int64_t divisibilityOfAll(const AxisInfo &info) {
  int64_t least = kLimit;
  for (unsigned dim = 0; dim < info.getRank(); ++dim)
    least = std::min(least, divisibilityOfAll(info, dim));
  return least;
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

/// a + b, or a - b. `scale` is the size of what one step of b means: bytes of the pointee for pointers, else 1.
static AxisInfo addInfo(const AxisInfo &a, const AxisInfo &b, int64_t scale, bool subtract) {
  AxisInfo info(a.getRank());
  for (unsigned dim = 0; dim < a.getRank(); ++dim) {
    int64_t left = std::min(a.contiguity[dim], b.constancy[dim]);
    int64_t right = subtract ? 1 : std::min(a.constancy[dim], b.contiguity[dim]);
    info.contiguity[dim] = std::max(left, right);
    int64_t step = product(b.divisibility[dim], scale);
    info.divisibility[dim] = std::min(a.divisibility[dim], step);
    bool cut = info.contiguity[dim] < a.contiguity[dim] || info.contiguity[dim] < b.contiguity[dim];
    if (cut)
      info.divisibility[dim] = std::min(info.divisibility[dim], product(info.contiguity[dim], scale));
    info.constancy[dim] = std::min(a.constancy[dim], b.constancy[dim]);
  }
  if (a.constant && b.constant && scale == 1)
    info.constant = subtract ? *a.constant - *b.constant : *a.constant + *b.constant;
  return info;
}

static AxisInfo mulInfo(const AxisInfo &a, const AxisInfo &b) {
  AxisInfo info(a.getRank());
  for (unsigned dim = 0; dim < a.getRank(); ++dim) {
    if (b.constant == 1 || a.constant == 1) {
      const AxisInfo &same = b.constant == 1 ? a : b;
      info.contiguity[dim] = same.contiguity[dim];
      info.divisibility[dim] = same.divisibility[dim];
    } else {
      info.divisibility[dim] = product(divisibilityOfAll(a, dim), divisibilityOfAll(b, dim));
    }
    info.constancy[dim] = std::min(a.constancy[dim], b.constancy[dim]);
    if (a.constant == 0 || b.constant == 0)
      info.constancy[dim] = std::max(a.constancy[dim], b.constancy[dim]);
  }
  if (a.constant && b.constant)
    info.constant = int64_t(uint64_t(*a.constant) * uint64_t(*b.constant));
  return info;
}

/// a / b, rounded down: where a power of two divides, a run of `a` becomes constant blocks.
static AxisInfo divInfo(const AxisInfo &a, const AxisInfo &b) {
  AxisInfo info(a.getRank());
  if (b.constant == 1)
    return a;
  for (unsigned dim = 0; dim < a.getRank(); ++dim) {
    info.constancy[dim] = std::min(a.constancy[dim], b.constancy[dim]);
    if (b.constant && *b.constant > 0 && a.contiguity[dim] > 1)
      info.constancy[dim] =
          std::max(info.constancy[dim], std::min({a.contiguity[dim], a.divisibility[dim], powerOfTwoIn(*b.constant)}));
    if (b.constant && *b.constant > 0 && llvm::isPowerOf2_64(*b.constant) && a.contiguity[dim] == 1)
      info.divisibility[dim] = std::max<int64_t>(1, a.divisibility[dim] / *b.constant);
  }
  return info;
}

/// a % b of numbers that are not negative: runs survive up to the power of two in b.
static AxisInfo remInfo(const AxisInfo &a, const AxisInfo &b) {
  AxisInfo info(a.getRank());
  for (unsigned dim = 0; dim < a.getRank(); ++dim) {
    int64_t divisor = divisibilityOfAll(b);
    info.contiguity[dim] = std::min({a.contiguity[dim], a.divisibility[dim], divisor, b.constancy[dim]});
    info.divisibility[dim] = std::min({a.divisibility[dim], divisor, a.contiguity[dim] > 1 ? info.contiguity[dim] : kLimit});
    info.constancy[dim] = std::min(a.constancy[dim], b.constancy[dim]);
  }
  return info;
}

static AxisInfo compareInfo(arith::CmpIPredicate predicate, const AxisInfo &a, const AxisInfo &b) {
  using P = arith::CmpIPredicate;
  AxisInfo info(a.getRank());
  for (unsigned dim = 0; dim < a.getRank(); ++dim) {
    int64_t constancy = std::min(a.constancy[dim], b.constancy[dim]);
    int64_t aligned = std::min(a.divisibility[dim], b.divisibility[dim]);
    // A run that starts at a multiple of g, against one bound that is a multiple of g, falls wholly on one side.
    bool aRuns = predicate == P::slt || predicate == P::sge || predicate == P::ult || predicate == P::uge;
    bool bRuns = predicate == P::sgt || predicate == P::sle || predicate == P::ugt || predicate == P::ule;
    if (aRuns)
      constancy = std::max(constancy, std::min({a.contiguity[dim], b.constancy[dim], aligned}));
    if (bRuns)
      constancy = std::max(constancy, std::min({b.contiguity[dim], a.constancy[dim], aligned}));
    info.constancy[dim] = constancy;
  }
  return info;
}

static AxisInfo constancyOf(unsigned rank, ArrayRef<AxisInfo> operands) {
  AxisInfo info(rank);
  for (unsigned dim = 0; dim < rank; ++dim) {
    info.constancy[dim] = operands.empty() ? 1 : kLimit;
    for (const AxisInfo &operand : operands)
      info.constancy[dim] = std::min(info.constancy[dim], operand.getRank() == rank ? operand.constancy[dim] : 1);
  }
  return info;
}

//===----------------------------------------------------------------------===//
// Transfer
//===----------------------------------------------------------------------===//

static AxisInfo constantInfo(arith::ConstantOp op) {
  SmallVector<int64_t> shape = shapeOf(op.getResult());
  if (auto integer = dyn_cast<IntegerAttr>(op.getValue()))
    return AxisInfo::ofConstant(integer.getInt(), shape);
  if (auto splat = dyn_cast<SplatElementsAttr>(op.getValue())) {
    if (isa<IntegerType>(splat.getElementType()))
      return AxisInfo::ofConstant(splat.getSplatValue<APInt>().getSExtValue(), shape);
    AxisInfo info(shape.size());
    info.constancy.assign(shape.begin(), shape.end());
    return info;
  }
  return AxisInfo(shape.size());
}

static AxisInfo expandInfo(const AxisInfo &source, unsigned axis, bool wasScalar) {
  AxisInfo info = wasScalar ? AxisInfo(0) : source;
  info.constant = source.constant;
  info.contiguity.insert(info.contiguity.begin() + axis, 1);
  info.constancy.insert(info.constancy.begin() + axis, 1);
  info.divisibility.insert(info.divisibility.begin() + axis, divisibilityOfAll(source));
  return info;
}

/// Whether the results of `op` are not negative, given that of its operands; sums and products are taken not to wrap.
static bool isNonNegative(Operation *op, ArrayRef<AxisInfo> in) {
  if (auto range = dyn_cast<tt::MakeRangeOp>(op))
    return int32_t(range.getStart()) >= 0;
  if (isa<tt::GetProgramIdOp, tt::GetNumProgramsOp>(op))
    return true;
  if (isa<arith::MaxSIOp>(op))
    return in[0].nonNegative || in[1].nonNegative;
  if (isa<arith::RemSIOp>(op))
    return in[0].nonNegative;
  if (isa<arith::SelectOp>(op))
    return in[1].nonNegative && in[2].nonNegative;
  bool keeps = isa<tt::SplatOp, tt::ExpandDimsOp, tt::BroadcastOp, tt::TransOp, tt::ReshapeOp, arith::AddIOp, arith::MulIOp,
                   arith::DivSIOp, arith::MinSIOp, arith::ExtSIOp, arith::ShRSIOp>(op);
  return keeps && llvm::all_of(in, [](const AxisInfo &info) { return info.nonNegative; });
}

AxisInfo AxisInfoAnalysis::transfer(Operation *op, unsigned result) const {
  Value value = op->getResult(result);
  SmallVector<int64_t> shape = shapeOf(value);
  unsigned rank = shape.size();
  SmallVector<AxisInfo> in;
  for (Value operand : op->getOperands())
    in.push_back(get(operand));
  auto pow2 = [&](unsigned i) { return AxisInfo::ofConstant(int64_t(1) << *in[i].constant, shape); };

  AxisInfo info = TypeSwitch<Operation *, AxisInfo>(op)
      .Case([&](arith::ConstantOp constant) { return constantInfo(constant); })
      .Case([&](tt::MakeRangeOp range) {
        AxisInfo info(1);
        info.contiguity[0] = shape[0];
        info.divisibility[0] = powerOfTwoIn(range.getStart());
        return info;
      })
      .Case([&](tt::SharedMemoryOp) {
        AxisInfo info(rank);
        info.divisibility.assign(info.getRank(), kSharedAlignment);
        return info;
      })
      .Case([&](tt::SplatOp) {
        AxisInfo info(rank);
        info.divisibility.assign(rank, in[0].divisibility[0]);
        info.constancy.assign(shape.begin(), shape.end());
        info.constant = in[0].constant;
        return info;
      })
      .Case([&](tt::ExpandDimsOp expand) {
        return expandInfo(in[0], expand.getAxis(), cast<RankedTensorType>(expand.getSrc().getType()).getRank() == 0);
      })
      .Case([&](tt::BroadcastOp broadcast) {
        AxisInfo info = in[0];
        for (auto [dim, size] : llvm::enumerate(shapeOf(broadcast.getSrc())))
          if (size != shape[dim]) {
            info.divisibility[dim] = divisibilityOfAll(info, dim);
            info.contiguity[dim] = 1;
            info.constancy[dim] = shape[dim];
          }
        return info;
      })
      .Case([&](tt::TransOp trans) {
        AxisInfo info(rank);
        info.constant = in[0].constant;
        for (auto [dim, from] : llvm::enumerate(trans.getOrder())) {
          info.contiguity[dim] = in[0].contiguity[from];
          info.divisibility[dim] = in[0].divisibility[from];
          info.constancy[dim] = in[0].constancy[from];
        }
        return info;
      })
      .Case<arith::AddIOp>([&](Operation *) { return addInfo(in[0], in[1], 1, false); })
      .Case<arith::SubIOp>([&](Operation *) { return addInfo(in[0], in[1], 1, true); })
      .Case([&](tt::AddPtrOp) { return addInfo(in[0], in[1], tt::getPointeeBytes(value.getType()), false); })
      .Case<arith::MulIOp>([&](Operation *) { return mulInfo(in[0], in[1]); })
      .Case<arith::ShLIOp>([&](Operation *) {
        bool known = in[1].constant && *in[1].constant >= 0 && *in[1].constant < 31;
        return known ? mulInfo(in[0], pow2(1)) : constancyOf(rank, in);
      })
      .Case<arith::DivSIOp, arith::DivUIOp>([&](Operation *) {
        // Signed division rounds towards zero: a block that reaches below zero is not constant.
        return isa<arith::DivUIOp>(op) || in[0].nonNegative ? divInfo(in[0], in[1]) : constancyOf(rank, in);
      })
      .Case<arith::ShRUIOp, arith::ShRSIOp>([&](Operation *) {
        bool known = in[1].constant && *in[1].constant >= 0 && *in[1].constant < 31;
        return known ? divInfo(in[0], pow2(1)) : constancyOf(rank, in);
      })
      .Case<arith::RemSIOp, arith::RemUIOp>([&](Operation *) {
        return isa<arith::RemUIOp>(op) || in[0].nonNegative ? remInfo(in[0], in[1]) : constancyOf(rank, in);
      })
      .Case([&](arith::CmpIOp compare) { return compareInfo(compare.getPredicate(), in[0], in[1]); })
      .Case<arith::ExtSIOp, arith::ExtUIOp, arith::TruncIOp, tt::PtrToIntOp, tt::IntToPtrOp>([&](Operation *) {
        AxisInfo info = in[0];
        if (isa<arith::TruncIOp, arith::ExtUIOp>(op))
          info.constant.reset(); // the value may change with the width
        if (isa<tt::PtrToIntOp, tt::IntToPtrOp>(op)) // neighbours are bytes on one side and elements on the other
          for (unsigned dim = 0; dim < rank; ++dim) {
            info.divisibility[dim] = divisibilityOfAll(info, dim);
            info.contiguity[dim] = 1;
          }
        return info;
      })
      .Case([&](arith::SelectOp) {
        AxisInfo both = in[1].meet(in[2]);
        AxisInfo condition = in[0].getRank() == rank ? in[0] : constancyOf(rank, {});
        if (!isa<RankedTensorType>(op->getOperand(0).getType()))
          return both;
        for (unsigned dim = 0; dim < rank; ++dim) {
          int64_t run = std::min(both.contiguity[dim], condition.constancy[dim]);
          if (run < both.contiguity[dim])
            both.divisibility[dim] = std::min(both.divisibility[dim], run);
          both.contiguity[dim] = run;
          both.constancy[dim] = std::min(both.constancy[dim], condition.constancy[dim]);
        }
        return both;
      })
      .Case<arith::MinSIOp, arith::MinUIOp, arith::MaxSIOp, arith::MaxUIOp>([&](Operation *) {
        AxisInfo info = constancyOf(rank, in);
        for (unsigned dim = 0; dim < rank; ++dim)
          info.divisibility[dim] = std::min(divisibilityOfAll(in[0], dim), divisibilityOfAll(in[1], dim));
        return info;
      })
      .Default([&](Operation *) {
        bool pure = op->hasTrait<OpTrait::Elementwise>() && isMemoryEffectFree(op);
        return pure ? constancyOf(rank, in) : AxisInfo(rank);
      });
  info.nonNegative = info.constant ? *info.constant >= 0 : isNonNegative(op, in);
  return info;
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

/// The hints tt.contiguity, tt.divisibility and tt.constancy of an operation.
static void applyHints(Operation *op, AxisInfo &info) {
  auto apply = [&](StringRef name, SmallVector<int64_t, 4> &list) {
    auto hint = op->getAttrOfType<DenseIntElementsAttr>(name);
    if (!hint || hint.getNumElements() != int64_t(list.size()))
      return;
    for (auto [entry, value] : llvm::zip(list, hint.getValues<APInt>()))
      entry = std::max(entry, powerOfTwoIn(value.getSExtValue()));
  };
  apply("tt.contiguity", info.contiguity);
  apply("tt.divisibility", info.divisibility);
  apply("tt.constancy", info.constancy);
}

AxisInfo AxisInfoAnalysis::get(Value value) const {
  auto found = facts.find(value);
  return found != facts.end() ? found->second : AxisInfo(shapeOf(value).size());
}

void AxisInfoAnalysis::visitLoop(scf::ForOp loop) {
  AxisInfo counter(1);
  counter.divisibility[0] = std::min(get(loop.getLowerBound()).divisibility[0], get(loop.getStep()).divisibility[0]);
  std::optional<int64_t> step = get(loop.getStep()).constant;
  counter.nonNegative = get(loop.getLowerBound()).nonNegative && step && *step > 0;
  set(loop.getInductionVar(), counter);
  for (auto [argument, init] : llvm::zip(loop.getRegionIterArgs(), loop.getInits()))
    set(argument, get(init));
  auto yield = cast<scf::YieldOp>(loop.getBody()->getTerminator());
  // Every round lowers some fact or ends; facts are powers of two, so the rounds are few.
  for (bool changed = true; changed;) {
    changed = false;
    visit(*loop.getBody());
    for (auto [argument, next] : llvm::zip(loop.getRegionIterArgs(), yield.getOperands())) {
      AxisInfo met = get(argument).meet(get(next));
      if (!(met == get(argument))) {
        set(argument, met);
        changed = true;
      }
    }
  }
  for (auto [result, argument] : llvm::zip(loop.getResults(), loop.getRegionIterArgs()))
    set(result, get(argument));
}

void AxisInfoAnalysis::visit(Operation *op) {
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return visitLoop(loop);
  for (Region &region : op->getRegions())
    if (!isa<tt::ReduceOp, tt::ScanOp>(op))
      for (Block &block : region)
        visit(block);
  if (auto branch = dyn_cast<scf::IfOp>(op)) {
    for (auto [i, result] : llvm::enumerate(branch.getResults()))
      set(result, get(branch.thenYield().getOperand(i)).meet(get(branch.elseYield().getOperand(i))));
    return;
  }
  for (unsigned i = 0; i < op->getNumResults(); ++i) {
    Type element = tt::getElementOf(op->getResult(i).getType());
    if (!isa<IntegerType, tt::PointerType>(element) || op->getNumRegions())
      continue;
    AxisInfo info = transfer(op, i);
    applyHints(op, info);
    set(op->getResult(i), info);
  }
}

void AxisInfoAnalysis::visit(Block &block) {
  for (Operation &op : block)
    visit(&op);
}

AxisInfoAnalysis::AxisInfoAnalysis(tt::FuncOp function) {
  for (BlockArgument argument : function.getArguments()) {
    AxisInfo info(shapeOf(argument).size());
    if (auto divisible = function.getArgAttrOfType<IntegerAttr>(argument.getArgNumber(), "tt.divisibility"))
      info.divisibility.assign(info.getRank(), powerOfTwoIn(divisible.getInt()));
    set(argument, info);
  }
  for (Block &block : function.getBody())
    visit(block);
}

int64_t AxisInfoAnalysis::getVector(Value pointers, unsigned dim) const {
  AxisInfo info = get(pointers);
  return std::max<int64_t>(1, std::min(info.contiguity[dim], info.divisibility[dim] / tt::getPointeeBytes(pointers.getType())));
}

int64_t AxisInfoAnalysis::getMaskVector(Value mask, unsigned dim) const { return mask ? get(mask).constancy[dim] : kLimit; }

SmallVector<unsigned> AxisInfoAnalysis::getOrder(Value pointers) const {
  AxisInfo info = get(pointers);
  SmallVector<unsigned> order;
  for (unsigned dim = info.getRank(); dim-- > 0;)
    order.push_back(dim);
  std::sort(order.begin(), order.end(),
            [&](unsigned a, unsigned b) { return std::pair(info.contiguity[a], a) > std::pair(info.contiguity[b], b); });
  return order;
}
