//===- Checked.cpp - accesses are compared with the arrays that were passed ----------------===//
//
// Before an access of checked code stands a call that gets the addresses of its lanes and which of them count. The address is
// compared with the array of the one argument that it comes from where that is seen, else with all arrays. Addresses that come
// from memory or from integers lie in arrays that the launcher was not told of: they are not checked. Accesses to shared arrays go to
// their shadow (Runtime/CPU/SharedChecks.cpp), each where it stands in the program.
//
//===----------------------------------------------------------------------------===//
#include "Program.h"

using namespace mlir;

namespace triton_metal::cpu {

namespace {
/// Where a pointer may come from.
struct Origin {
  bool foreign = false; ///< from memory or from an integer, too
  llvm::SmallDenseSet<int32_t, 4> arguments;
  llvm::SmallDenseSet<mlir::Operation *, 4> shared; ///< tt.shared_memory
};
} // namespace

/// Values that `value` may be made of, as far as pointers go; false if it is none of them that we look through.
static bool sourcesOf(Value value, SmallVectorImpl<Value> &sources) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    Operation *parent = argument.getOwner()->getParentOp();
    unsigned number = argument.getArgNumber();
    if (auto loop = dyn_cast<scf::ForOp>(parent)) {
      if (number == 0)
        return false;
      sources.push_back(loop.getInitArgs()[number - 1]);
      sources.push_back(loop.getYieldedValues()[number - 1]);
      return true;
    }
    if (auto loop = dyn_cast<scf::WhileOp>(parent)) {
      if (argument.getOwner() == loop.getBeforeBody()) {
        sources.push_back(loop.getInits()[number]);
        sources.push_back(loop.getYieldOp().getOperand(number));
      } else {
        sources.push_back(loop.getConditionOp().getArgs()[number]);
      }
      return true;
    }
    // A block that several branches lead to.
    for (Block *before : argument.getOwner()->getPredecessors()) {
      auto branch = dyn_cast<BranchOpInterface>(before->getTerminator());
      if (!branch)
        return false;
      for (auto [index, successor] : llvm::enumerate(before->getSuccessors()))
        if (successor == argument.getOwner())
          sources.push_back(branch.getSuccessorOperands(index)[number]);
    }
    return true;
  }
  Operation *op = value.getDefiningOp();
  unsigned number = cast<OpResult>(value).getResultNumber();
  if (auto loop = dyn_cast<scf::ForOp>(op)) {
    sources.push_back(loop.getInitArgs()[number]);
    sources.push_back(loop.getYieldedValues()[number]);
  } else if (auto loop = dyn_cast<scf::WhileOp>(op)) {
    sources.push_back(loop.getConditionOp().getArgs()[number]);
  } else if (auto branch = dyn_cast<scf::IfOp>(op)) {
    sources.push_back(branch.thenYield().getOperand(number));
    sources.push_back(branch.elseYield().getOperand(number));
  } else if (isa<arith::SelectOp>(op)) {
    sources.push_back(op->getOperand(1));
    sources.push_back(op->getOperand(2));
  } else if (isa<tt::JoinOp, tt::CatOp>(op)) {
    llvm::append_range(sources, op->getOperands());
  } else if (isa<tt::AddPtrOp, tt::SplatOp, tt::UnsplatOp, tt::BroadcastOp, tt::ExpandDimsOp, tt::ReshapeOp, tt::TransOp,
                 tt::SplitOp, tt::GatherOp, tt::BitcastOp>(op)) {
    sources.push_back(op->getOperand(0));
  } else {
    return false;
  }
  return true;
}

static Origin originOf(Value pointer) {
  Origin origin;
  SmallVector<Value> stack{pointer};
  DenseSet<Value> visited;
  while (!stack.empty()) {
    Value value = stack.pop_back_val();
    if (!visited.insert(value).second)
      continue;
    if (auto argument = dyn_cast<BlockArgument>(value);
        argument && isa<tt::FuncOp>(argument.getOwner()->getParentOp()) && argument.getOwner()->isEntryBlock())
      origin.arguments.insert(int32_t(argument.getArgNumber()));
    else if (auto array = value.getDefiningOp<tt::SharedMemoryOp>())
      origin.shared.insert(array);
    else if (!sourcesOf(value, stack))
      origin.foreign = true;
  }
  return origin;
}

std::optional<Site> Program::accessSite(const Access &access, Type memory) const {
  if (!options.checked)
    return std::nullopt;
  Origin origin = originOf(access.pointer);
  if (origin.foreign || origin.arguments.empty())
    return std::nullopt;
  Site site;
  site.argument = origin.arguments.size() == 1 ? *origin.arguments.begin() : Site::kAnyArray;
  site.access = access.kind;
  site.elementBytes = std::max(1u, memory.getIntOrFloatBitWidth() / 8);
  return site;
}

std::optional<Site> Program::sharedSite(const Access &access, Type memory) const {
  if (!options.checked || !tt::isSharedPointer(access.pointer.getType()))
    return std::nullopt;
  Origin origin = originOf(access.pointer);
  Site site;
  site.argument = origin.shared.size() == 1 && !origin.foreign ? sharedArrays.lookup(*origin.shared.begin()) : Site::kAnyArray;
  site.access = access.kind;
  site.elementBytes = std::max(1u, memory.getIntOrFloatBitWidth() / 8);
  return site;
}

Value Program::addressSlot() {
  if (!slot) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(entryBlock);
    Value count = arith::ConstantOp::create(b, entryBlock->getParentOp()->getLoc(), b.getI32IntegerAttr(64));
    slot = LLVM::AllocaOp::create(b, count.getLoc(), LLVM::LLVMPointerType::get(b.getContext()), b.getI64Type(), count, 64);
  }
  return slot;
}

void Nest::check(const Access *access, const Lanes &pointer, Value mask, Type memory, unsigned depth) {
  std::optional<Site> site = access ? program.sharedSite(*access, memory) : std::nullopt;
  StringRef callback = site ? kSharedAccessCallback : kCheckCallback;
  StringRef callbackOfLanes = site ? kSharedAccessLanesCallback : kCheckLanesCallback;
  // A tensor that is stored to one element writes it several times.
  bool repeats = site && site->access == Site::Access::Store && width > 1 && pointer.isUniform();
  if (access && !site)
    site = program.accessSite(*access, memory);
  if (!site)
    return;
  Location place = access->op->getLoc();
  Type i64 = builder.getI64Type();
  auto pointerType = LLVM::LLVMPointerType::get(builder.getContext());
  bool one = (pointer.isUniform() || width == 1) && !repeats;
  Value bits;
  if (!mask) {
    int64_t lanes = one ? 1 : width;
    bits = arith::ConstantOp::create(at(depth), loc, builder.getI64IntegerAttr(lanes == 64 ? -1 : (int64_t(1) << lanes) - 1));
  } else {
    if (isa<VectorType>(mask.getType()) && one)
      mask = vector::ReductionOp::create(at(depth), loc, vector::CombiningKind::OR, mask);
    else if (isa<VectorType>(mask.getType()))
      mask = LLVM::BitcastOp::create(at(depth), loc, builder.getIntegerType(width), mask);
    bits = width == 64 && !one ? mask : Value(arith::ExtUIOp::create(at(depth), loc, i64, mask));
  }
  if (!pointer.vector && (one || isContiguous(pointer, width))) {
    Value from = address(pointer);
    return program.callRuntime(at(depth), place, callback, *site, "", {from, bits});
  }
  if (width == 1) {
    Value from = pointer.pointer ? Value(LLVM::GEPOp::create(at(depth), loc, pointerType, memory, pointer.pointer,
                                                             ArrayRef<LLVM::GEPArg>{LLVM::GEPArg(pointer.vector)}))
                                 : Value(LLVM::IntToPtrOp::create(at(depth), loc, pointerType, pointer.vector));
    return program.callRuntime(at(depth), place, callback, *site, "", {from, bits});
  }
  Value pointers = pointerVector(pointer, memory, depth);
  Value addresses = LLVM::PtrToIntOp::create(at(depth), loc, laneType(i64), pointers);
  Value slot = program.addressSlot();
  LLVM::StoreOp::create(at(depth), loc, addresses, slot, 8);
  program.callRuntime(at(depth), place, callbackOfLanes, *site, "", {slot, bits});
}

void Program::pollInLoop(Block *body, Location loc, bool mayBeEndless) {
  if (!(options.checked || mayBeEndless) || failed)
    return;
  b.setInsertionPointToEnd(body);
  callRuntime(b, loc, kPollCallback, Site(), "", {});
}

} // namespace triton_metal::cpu
