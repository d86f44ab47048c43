//===- Dependence.cpp - which bits of a lane's position its values depend on ---------------------------------------------===//
//
// From nothing upwards to a fixed point: values through operations, a lane's own arrays as one value each, blocks through the conditions
// that they are control dependent on. Where control flow meets again, a value depends on what decided the way; loops are in LCSSA form, so
// that this holds behind them as well.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#include "softmetal/Passes/Dependence.h"
#include "softmetal/Abi.h"
#include "softmetal/Passes/Accesses.h"
#include "llvm/ADT/PostOrderIterator.h"
#include "llvm/Analysis/PostDominators.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/PatternMatch.h"

using namespace llvm;

namespace softmetal {

PositionBits LaneDependence::Dependence::all() const {
  PositionBits sum = rest;
  for (PositionBits bit : bits)
    sum |= bit;
  return sum;
}

void LaneDependence::Dependence::add(PositionBits more) {
  for (PositionBits &bit : bits)
    bit |= more;
  rest |= more;
}

void LaneDependence::Dependence::add(const Dependence &other) {
  for (size_t i = 0; i < bits.size(); ++i)
    bits[i] |= other.bits[i];
  rest |= other.rest;
}

LaneDependence::Dependence LaneDependence::get(const Value *value) const {
  auto found = values.find(value);
  if (found != values.end())
    return found->second;
  auto *instruction = dyn_cast<Instruction>(value);
  auto *argument = dyn_cast<Argument>(value);
  Dependence result;
  if ((instruction && instruction->getFunction() != kernel) || (argument && argument->getParent() != kernel))
    result.add(allBits);
  return result;
}

PositionBits LaneDependence::ofOperands(const Instruction &instruction) const {
  PositionBits sum = 0;
  for (const Use &operand : instruction.operands())
    if (!isa<BasicBlock>(operand))
      sum |= get(operand).all();
  return sum;
}

//===--------------------------------------------------------------------------------------------------------------------===//
// Operations
//===--------------------------------------------------------------------------------------------------------------------===//

static StringRef airName(const Value *value) {
  auto *call = dyn_cast<CallInst>(value);
  StringRef name = call && call->getCalledFunction() ? call->getCalledFunction()->getName() : StringRef();
  return name.consume_front("air.") ? name : StringRef();
}

/// a op b == b op a, bit by bit.
static bool isCommutative(const Instruction &instruction) {
  if (auto *operation = dyn_cast<BinaryOperator>(&instruction))
    return operation->isCommutative();
  StringRef name = airName(&instruction);
  name.consume_front("fast_");
  return name.starts_with("fmin.") || name.starts_with("fmax.") || name.starts_with("min.") || name.starts_with("max.");
}

PositionBits LaneDependence::removed(const Instruction &instruction) {
  if (!isCommutative(instruction))
    return 0;
  for (unsigned mine = 0; mine < 2; ++mine) {
    const Value *shuffle = instruction.getOperand(1 - mine);
    if (!airName(shuffle).starts_with("simd_shuffle_xor.") || cast<CallInst>(shuffle)->getArgOperand(0) != instruction.getOperand(mine))
      continue;
    auto *distance = dyn_cast<ConstantInt>(cast<CallInst>(shuffle)->getArgOperand(1));
    if (distance && isPowerOf2_64(distance->getZExtValue()))
      return PositionBits(distance->getZExtValue()) & laneBits;
  }
  return 0;
}

LaneDependence::Dependence LaneDependence::transferInteger(const Instruction &instruction) const {
  Dependence a = get(instruction.getOperand(0)), result;
  auto *constant = instruction.getNumOperands() > 1 ? dyn_cast<ConstantInt>(instruction.getOperand(1)) : nullptr;
  auto shifted = [&](int64_t by) { // to the left
    Dependence moved;
    for (int64_t i = 0; i < 32; ++i)
      moved.bits[size_t(i)] = i - by < 0 ? 0 : i - by < 32 ? a.bits[size_t(i - by)] : a.rest;
    moved.rest = a.all();
    return moved;
  };
  auto carried = [&](const Dependence &sum) { // a bit depends on those below it
    Dependence prefix = sum;
    for (size_t i = 1; i < 32; ++i)
      prefix.bits[i] |= prefix.bits[i - 1];
    prefix.rest |= prefix.bits[31];
    return prefix;
  };
  Dependence b = instruction.getNumOperands() > 1 ? get(instruction.getOperand(1)) : Dependence();
  Dependence both = a;
  both.add(b);
  switch (instruction.getOpcode()) {
  case Instruction::And:
  case Instruction::Or:
  case Instruction::Xor:
    if (constant && instruction.getOpcode() == Instruction::And)
      for (size_t i = 0; i < 32; ++i)
        if (i < constant->getBitWidth() && !constant->getValue()[unsigned(i)])
          both.bits[i] = 0;
    if (constant && instruction.getOpcode() == Instruction::And && constant->getValue().getActiveBits() <= 32)
      both.rest = 0;
    return both;
  case Instruction::Add:
  case Instruction::Sub:
    return carried(both);
  case Instruction::Mul:
    return constant && constant->getValue().isPowerOf2() ? shifted(constant->getValue().logBase2()) : carried(both);
  case Instruction::Shl:
    if (constant && constant->getValue().ult(32))
      return shifted(int64_t(constant->getZExtValue()));
    break;
  case Instruction::LShr:
    if (constant && constant->getValue().ult(32)) {
      result = shifted(-int64_t(constant->getZExtValue()));
      if (instruction.getType()->getScalarSizeInBits() <= 32)
        result.rest = 0;
      return result;
    }
    break;
  case Instruction::ZExt: {
    unsigned width = instruction.getOperand(0)->getType()->getScalarSizeInBits();
    for (size_t i = 0; i < std::min(width, 32u); ++i)
      result.bits[i] = a.bits[i];
    result.rest = width > 32 ? a.rest : 0;
    return result;
  }
  case Instruction::Trunc:
    return a;
  case Instruction::SExt: {
    unsigned width = instruction.getOperand(0)->getType()->getScalarSizeInBits();
    result = a;
    for (size_t i = width; i < 32; ++i)
      result.bits[i] = a.bits[width - 1];
    result.rest = width <= 32 ? a.bits[width - 1] : a.rest;
    return result;
  }
  default:
    break;
  }
  result.add(ofOperands(instruction));
  return result;
}

LaneDependence::Dependence LaneDependence::transferCall(const CallInst &call) const {
  Dependence result;
  PositionBits operands = ofOperands(call);
  StringRef name = airName(&call);
  if (name.empty()) {
    bool pure = isa<IntrinsicInst>(call) && !call.mayReadOrWriteMemory();
    result.add(pure ? operands : allBits);
  } else if (name.starts_with("get_thread_index_in_simdgroup")) {
    for (size_t i = 0; i < 5; ++i)
      result.bits[i] = PositionBits(1u << i);
  } else if (name.starts_with("simd_shuffle_xor.")) {
    result = get(call.getArgOperand(0)); // neighbours along a bit depend on the same bits
    result.add(get(call.getArgOperand(1)).all());
  } else if (name.starts_with("simd_shuffle.") || name.starts_with("simd_broadcast.")) {
    result.add((get(call.getArgOperand(0)).all() & groupBits) | get(call.getArgOperand(1)).all());
  } else if (name.starts_with("simd_broadcast_first.") || name.starts_with("simd_sum.") || name.starts_with("simd_product.") ||
             name.starts_with("simd_min.") || name.starts_with("simd_max.") || name.starts_with("simd_and.") ||
             name.starts_with("simd_or.") || name.starts_with("simd_xor.") || name.starts_with("simd_any") ||
             name.starts_with("simd_all") || name.starts_with("simd_ballot.")) {
    result.add(operands & groupBits);
  } else if (name.starts_with("simd") || name.starts_with("quad")) {
    result.add(operands | laneBits);
  } else if (name.starts_with("atomic.") || name.starts_with("load.") || name.starts_with("get_") || name.starts_with("is_uniform")) {
    result.add(allBits);
  } else {
    result.add(operands); // functions of their operands alone
  }
  return result;
}

LaneDependence::Dependence LaneDependence::transfer(const Instruction &instruction) const {
  Dependence result;
  if (auto *load = dyn_cast<LoadInst>(&instruction)) {
    // Of memory that lanes share, the same address holds the same value.
    result.add(get(load->getPointerOperand()).all());
    if (load->getPointerAddressSpace() == space::thread)
      result.add(privateContents(load->getPointerOperand()));
  } else if (auto *phi = dyn_cast<PHINode>(&instruction)) {
    for (unsigned i = 0; i < phi->getNumIncomingValues(); ++i) {
      result.add(get(phi->getIncomingValue(i)));
      const BasicBlock *from = phi->getIncomingBlock(i);
      result.add(executed.lookup(from));
      if (auto *branch = dyn_cast<BranchInst>(from->getTerminator()); branch && branch->isConditional())
        result.add(get(branch->getCondition()).all());
      else if (auto *choice = dyn_cast<SwitchInst>(from->getTerminator()))
        result.add(get(choice->getCondition()).all());
    }
  } else if (auto *select = dyn_cast<SelectInst>(&instruction)) {
    result = get(select->getTrueValue());
    result.add(get(select->getFalseValue()));
    result.add(get(select->getCondition()).all());
  } else if (auto *call = dyn_cast<CallInst>(&instruction)) {
    result = transferCall(*call);
  } else if (instruction.getType()->isIntOrIntVectorTy() && (isa<BinaryOperator>(instruction) || isa<CastInst>(instruction)) &&
             instruction.getOperand(0)->getType()->isIntOrIntVectorTy()) {
    result = transferInteger(instruction);
  } else if (isa<ExtractElementInst, InsertElementInst, ShuffleVectorInst, FreezeInst>(instruction)) {
    for (const Use &operand : instruction.operands())
      result.add(get(operand));
  } else if (isa<AtomicRMWInst, AtomicCmpXchgInst>(instruction)) {
    result.add(allBits);
  } else {
    result.add(ofOperands(instruction));
  }
  if (PositionBits gone = removed(instruction)) {
    PositionBits kept = result.all() & PositionBits(~gone);
    result = Dependence();
    result.add(kept);
  }
  return result;
}

PositionBits LaneDependence::fixedBy(const Value *condition, bool truth) const {
  if (auto *compare = dyn_cast<ICmpInst>(condition)) {
    if (compare->getPredicate() == (truth ? ICmpInst::ICMP_EQ : ICmpInst::ICMP_NE) && isa<Constant>(compare->getOperand(1)))
      return get(compare->getOperand(0)).all();
    auto *limit = dyn_cast<ConstantInt>(compare->getOperand(1));
    if (truth && compare->getPredicate() == ICmpInst::ICMP_ULT && limit && limit->getValue().isPowerOf2()) {
      Dependence value = get(compare->getOperand(0)); // the bits from the limit on are 0
      for (size_t i = 0; i < std::min<size_t>(limit->getValue().logBase2(), 32); ++i)
        value.bits[i] = 0;
      return value.all();
    }
    return 0;
  }
  auto *operation = dyn_cast<Instruction>(condition);
  if (!operation || !condition->getType()->isIntegerTy(1))
    return 0;
  using namespace PatternMatch;
  const Value *a = nullptr, *b = nullptr;
  if (match(operation, m_Not(m_Value(a))))
    return fixedBy(a, !truth);
  if (truth ? match(operation, m_LogicalAnd(m_Value(a), m_Value(b))) : match(operation, m_LogicalOr(m_Value(a), m_Value(b))))
    return fixedBy(a, truth) | fixedBy(b, truth);
  return 0;
}

//===--------------------------------------------------------------------------------------------------------------------===//
// A lane's own arrays
//===--------------------------------------------------------------------------------------------------------------------===//

/// The arrays that a pointer may point into; none where it may point anywhere.
static SmallVector<const AllocaInst *, 2> arraysOf(const Value *pointer) {
  SmallVector<const Value *, 4> objects;
  getUnderlyingObjects(pointer, objects, nullptr, /*MaxLookup=*/0);
  SmallVector<const AllocaInst *, 2> arrays;
  for (const Value *object : objects) {
    auto *array = dyn_cast<AllocaInst>(object);
    if (!array)
      return {};
    arrays.push_back(array);
  }
  return arrays;
}

PositionBits LaneDependence::privateContents(const Value *pointer) const {
  SmallVector<const AllocaInst *, 2> arrays = arraysOf(pointer);
  PositionBits sum = arrays.empty() ? allBits : 0;
  for (const AllocaInst *array : arrays)
    sum |= contents.lookup(array);
  return sum;
}

bool LaneDependence::store(const Value *pointer, PositionBits bits) {
  bool changed = false;
  auto add = [&](PositionBits &held) {
    changed |= (held | bits) != held;
    held |= bits;
  };
  SmallVector<const AllocaInst *, 2> arrays = arraysOf(pointer);
  for (const AllocaInst *array : arrays)
    add(contents[array]);
  if (arrays.empty())
    for (auto &[array, held] : contents)
      add(held);
  return changed;
}

PositionBits LaneDependence::ofCollective(const CallInst &call) const {
  PositionBits sum = 0;
  for (const Use &argument : call.args())
    if (argument->getType()->isPointerTy() && !isa<ConstantPointerNull>(argument))
      sum |= privateContents(argument);
  return (sum & groupBits) | laneBits;
}

/// What an instruction writes into a lane's own arrays. Whether that is news.
bool LaneDependence::visitMemory(const Instruction &instruction) {
  PositionBits where = executed.lookup(instruction.getParent());
  if (auto *write = dyn_cast<StoreInst>(&instruction)) {
    if (write->getPointerAddressSpace() != space::thread)
      return false;
    return store(write->getPointerOperand(), where | get(write->getValueOperand()).all() | get(write->getPointerOperand()).all());
  }
  auto *call = dyn_cast<CallInst>(&instruction);
  if (!call || call->onlyReadsMemory() || call->isLifetimeStartOrEnd())
    return false;
  bool collective = call->getCalledFunction() && call->getCalledFunction()->getName() == "softmetal_rt_collective";
  PositionBits bits = collective ? PositionBits(where | ofCollective(*call)) : allBits;
  if (auto *fill = dyn_cast<MemSetInst>(call))
    bits = where | get(fill->getValue()).all();
  else if (auto *copy = dyn_cast<MemTransferInst>(call); copy && copy->getSourceAddressSpace() == space::thread)
    bits = where | privateContents(copy->getSource());
  bool changed = false;
  for (const Use &argument : call->args())
    if (argument->getType()->isPointerTy() && argument->getType()->getPointerAddressSpace() == space::thread &&
        !isa<ConstantPointerNull>(argument))
      changed |= store(argument, bits);
  return changed;
}

//===--------------------------------------------------------------------------------------------------------------------===//
// The fixed point
//===--------------------------------------------------------------------------------------------------------------------===//

/// A block whose branch decides about another, and the way on which that one lies.
using Controller = std::pair<const BasicBlock *, const BasicBlock *>;

/// For each block those that decide whether it is executed.
static DenseMap<const BasicBlock *, SmallVector<Controller, 2>> controllers(Function &function) {
  DenseMap<const BasicBlock *, SmallVector<Controller, 2>> result;
  PostDominatorTree tree(function);
  for (BasicBlock &block : function) {
    if (succ_size(&block) < 2 || !tree.getNode(&block))
      continue;
    auto *end = tree.getNode(&block)->getIDom();
    for (BasicBlock *successor : successors(&block))
      for (auto *node = tree.getNode(successor); node && node != end; node = node->getIDom())
        if (node->getBlock())
          result[node->getBlock()].push_back({&block, successor});
  }
  return result;
}

LaneDependence::LaneDependence(const AirKernel &record) : kernel(record.function) {
  Function &function = *record.function;
  for (const AirArgument &argument : record.arguments) {
    Dependence &known = values[function.getArg(argument.index)];
    StringRef kind = argument.kind;
    auto count = [&](size_t first, size_t bits) {
      for (size_t i = 0; i < bits; ++i)
        known.bits[i] = PositionBits(1u << (first + i));
    };
    if (kind == "thread_index_in_simdgroup")
      count(0, 5);
    else if (kind == "simdgroup_index_in_threadgroup")
      count(5, 5);
    else if (kind == "thread_index_in_threadgroup")
      count(0, 10);
    else if (kind.starts_with("thread_") || kind.starts_with("quadgroup_"))
      known.add(allBits);
  }
  for (Instruction &instruction : instructions(function))
    if (auto *array = dyn_cast<AllocaInst>(&instruction))
      contents[array] = 0;
  auto controlledBy = controllers(function);
  ReversePostOrderTraversal<Function *> order(&function);
  for (bool changed = true; changed;) {
    changed = false;
    for (BasicBlock *block : order) {
      PositionBits bits = executed.lookup(block), single = fixed.lookup(block);
      for (auto [decides, way] : controlledBy.lookup(block)) {
        bits |= executed.lookup(decides);
        single |= fixed.lookup(decides);
        for (const Use &operand : decides->getTerminator()->operands())
          if (!isa<BasicBlock>(operand))
            bits |= get(operand).all();
        if (auto *branch = dyn_cast<BranchInst>(decides->getTerminator()); branch && branch->isConditional())
          single |= fixedBy(branch->getCondition(), branch->getSuccessor(0) == way);
      }
      changed |= bits != executed.lookup(block) || single != fixed.lookup(block);
      executed[block] = bits;
      fixed[block] = single;
      for (Instruction &instruction : *block) {
        changed |= visitMemory(instruction);
        if (instruction.getType()->isVoidTy())
          continue;
        Dependence now = transfer(instruction);
        Dependence &held = values[&instruction];
        now.add(held);
        changed |= !(now == held);
        held = now;
      }
    }
  }
}

PositionBits LaneDependence::ofExecution(const Instruction &instruction) const {
  return (ofOperands(instruction) & PositionBits(~removed(instruction))) | fixed.lookup(instruction.getParent());
}

PositionBits LaneDependence::ofAccess(const Instruction &instruction, const Value *address) const {
  return get(address).all() | fixed.lookup(instruction.getParent());
}

} // namespace softmetal
