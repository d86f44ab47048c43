//===- Count.cpp - memory accesses, barriers and operations are counted ---------------------------------------------------===//
//
// Every access to device and threadgroup memory tells the runtime its address, which groups the lanes of a SIMD-group into 128-byte
// transactions and bank conflicts; float arithmetic is counted once a block. Matrix operations and barriers are counted where they meet.
// Constant memory has a cache of its own, from where the parameters come, and is not counted.
//
// Beside what every lane does there are the distinct counts: what lanes do alike (Dependence.h) counts once. There a SIMD-group's sum of
// n values is n - 1 operations, and the first step of an accumulation that starts from a neutral value (-0.0, -infinity) is none, so
// that a reduction of n elements is n - 1 operations however it is spread.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#include "softmetal/Passes/Accesses.h"
#include "softmetal/Passes/Dependence.h"
#include "softmetal/Passes/Passes.h"
#include "softmetal/Passes/Runtime.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"

using namespace llvm;

namespace softmetal {
namespace {

/// Operations of a lane. A lane's part of a SIMD-group's reduction is 31/32 of one, so arithmetic is counted in 32nds.
struct Operations {
  int32_t arithmetic = 0, special = 0, products = 0;
};

unsigned elementsOf(Type *type) { return type->isVectorTy() ? cast<FixedVectorType>(type)->getNumElements() : 1; }

/// The name of an AIR function without its prefix, its "fast_" and its types.
StringRef baseName(const Instruction &instruction) {
  auto *call = dyn_cast<CallInst>(&instruction);
  StringRef name = call && call->getCalledFunction() ? call->getCalledFunction()->getName() : StringRef();
  if (!name.consume_front("air."))
    return "";
  name.consume_front("fast_");
  return name.split('.').first;
}

unsigned floatOperations(const BasicBlock &block) {
  unsigned count = 0;
  for (const Instruction &instruction : block) {
    Type *type = instruction.getType();
    if (isa<BinaryOperator>(instruction) && type->isFPOrFPVectorTy())
      count += elementsOf(type);
    else if (auto *intrinsic = dyn_cast<IntrinsicInst>(&instruction); intrinsic && type->isFPOrFPVectorTy())
      count += intrinsic->getIntrinsicID() == Intrinsic::fmuladd ? 2 * elementsOf(type) : elementsOf(type);
    else if (baseName(instruction) == "fma")
      count += 2 * elementsOf(type);
  }
  return count;
}

/// What an instruction counts among the distinct operations.
Operations operationsOf(const Instruction &instruction) {
  Type *type = instruction.getType();
  auto elements = int32_t(elementsOf(type));
  Operations result;
  auto arithmetic = [&](int32_t each) { result.arithmetic = 32 * each * elements; };
  if (auto *call = dyn_cast<CallInst>(&instruction);
      call && call->getCalledFunction() && call->getCalledFunction()->getName() == "softmetal_rt_collective") {
    auto *operation = dyn_cast<ConstantInt>(call->getArgOperand(0));
    if (operation && Collective(operation->getZExtValue()) == Collective::MatrixMultiply)
      result.products = 2 * 8 * 8 * 8 / 32;
    return result;
  }
  if (!type->isFPOrFPVectorTy())
    return result;
  if (isa<BinaryOperator>(instruction)) {
    arithmetic(1);
    return result;
  }
  if (auto *intrinsic = dyn_cast<IntrinsicInst>(&instruction)) {
    switch (intrinsic->getIntrinsicID()) {
    case Intrinsic::fma:
    case Intrinsic::fmuladd:
      arithmetic(2);
      break;
    case Intrinsic::minnum:
    case Intrinsic::maxnum:
    case Intrinsic::minimum:
    case Intrinsic::maximum:
      arithmetic(1);
      break;
    default:
      break;
    }
    return result;
  }
  StringRef name = baseName(instruction);
  if (name == "fma" || name == "clamp" || name == "saturate")
    arithmetic(2);
  else if (name == "fmin" || name == "fmax" || name == "fmod")
    arithmetic(1);
  else if (name == "simd_sum" || name == "simd_product" || name == "simd_min" || name == "simd_max")
    result.arithmetic = 31 * elements;
  else if (!name.empty() && !name.starts_with("simd") && !name.starts_with("quad") && !name.starts_with("atomic") && name != "fabs" &&
           name != "copysign" && name != "convert" && name != "load")
    result.special = elements;
  return result;
}

/// Whether `operation` with `value` in the place of `sum` changes nothing of its other operand or, of a multiply-add, of the product.
bool isNeutral(const Instruction &operation, const Value *sum, const Value *value) {
  auto *constant = dyn_cast<ConstantFP>(value);
  if (!constant)
    return false;
  const APFloat &number = constant->getValueAPF();
  switch (operation.getOpcode()) {
  case Instruction::FAdd:
    return number.isNegZero();
  case Instruction::FMul:
    return number.isExactlyValue(1.0);
  default:
    break;
  }
  StringRef name = baseName(operation);
  auto *intrinsic = dyn_cast<IntrinsicInst>(&operation);
  if (name == "fma" || (intrinsic && intrinsic->getIntrinsicID() == Intrinsic::fmuladd))
    return number.isNegZero() && operation.getOperand(2) == sum;
  return (name == "fmax" && number.isNegInfinity()) || (name == "fmin" && number.isPosInfinity());
}

/// The edges over which a neutral value enters `sum`, on which `operation` accumulates, or what `sum` is in the loops around.
void findEntries(PHINode *sum, const PHINode *inner, const Instruction *operation, const Value *accumulated,
                 SmallVectorImpl<std::pair<BasicBlock *, BasicBlock *>> &edges) {
  bool comesBack = any_of(sum->incoming_values(), [&](const Use &value) { return value == operation || value == inner; });
  if (!comesBack)
    return;
  for (unsigned i = 0; i < sum->getNumIncomingValues(); ++i) {
    Value *value = sum->getIncomingValue(i);
    if (isNeutral(*operation, accumulated, value))
      edges.push_back({sum->getIncomingBlock(i), sum->getParent()});
    else if (auto *outer = dyn_cast<PHINode>(value); outer && outer != sum && outer != inner)
      findEntries(outer, sum, operation, accumulated, edges);
  }
}

using ByDependence = MapVector<PositionBits, Operations>;

/// Takes the first steps of accumulations off where their loops are entered.
void forgetFirstSteps(Function &function, const LaneDependence &dependence, MapVector<BasicBlock *, ByDependence> &counts) {
  using Edge = std::pair<BasicBlock *, BasicBlock *>;
  SmallVector<std::pair<Edge, Instruction *>> steps;
  for (BasicBlock &block : function)
    for (PHINode &phi : block.phis())
      for (User *user : phi.users()) {
        auto *operation = dyn_cast<Instruction>(user);
        if (!operation || !is_contained(phi.incoming_values(), operation))
          continue;
        SmallVector<Edge> edges;
        findEntries(&phi, nullptr, operation, &phi, edges);
        for (Edge edge : edges)
          steps.push_back({edge, operation});
      }
  DenseMap<Edge, BasicBlock *> blocks;
  for (auto [edge, operation] : steps) {
    BasicBlock *&block = blocks[edge];
    if (!block)
      block = edge.first->getSingleSuccessor() ? edge.first : SplitEdge(edge.first, edge.second);
    counts[block][dependence.ofExecution(*operation)].arithmetic -= int32_t(32 * elementsOf(operation->getType()));
  }
}

void countDistinct(Module &module, RuntimeCalls &runtime, const LaneDependence &dependence) {
  for (Function &function : module) {
    MapVector<BasicBlock *, ByDependence> counts;
    for (BasicBlock &block : function)
      for (Instruction &instruction : block) {
        Operations found = operationsOf(instruction);
        if (!found.arithmetic && !found.special && !found.products)
          continue;
        PositionBits bits = dependence.ofExecution(instruction);
        if (found.products)
          bits = dependence.ofCollective(cast<CallInst>(instruction)) | dependence.ofAccess(instruction, &instruction);
        else if (baseName(instruction).starts_with("simd_"))
          bits |= laneBits; // its lanes make one reduction together
        Operations &sum = counts[&block][bits];
        sum.arithmetic += found.arithmetic;
        sum.special += found.special;
        sum.products += found.products;
      }
    forgetFirstSteps(function, dependence, counts);
    for (auto &[block, all] : counts)
      for (auto &[bits, sum] : all) {
        IRBuilder<> builder(block->getTerminator());
        runtime.call(builder, "count_distinct",
                     {builder.getInt32(uint32_t(sum.arithmetic)), builder.getInt32(uint32_t(sum.special)),
                      builder.getInt32(uint32_t(sum.products)), builder.getInt32(bits)});
      }
  }
}

} // namespace

PreservedAnalyses CountPass::run(Module &module, ModuleAnalysisManager &) {
  AirKernel kernel;
  if (!translation.error.empty() || !readAirKernel(module, kernel, translation.error))
    return PreservedAnalyses::none();
  LaneDependence dependence(kernel);
  RuntimeCalls runtime(module);
  countDistinct(module, runtime, dependence);
  for (const Access &access : sharedAccesses(module)) {
    if (access.addressSpace() == space::constant || access.part == AccessPart::Element)
      continue;
    IRBuilder<> builder(access.instruction);
    SmallVector<Value *> arguments{runtime.plain(builder, access.pointer()), access.size(builder), builder.getInt32(access.kind),
                                   builder.getInt32(translation.addSite(*access.instruction))};
    if (access.addressSpace() == space::threadgroup) {
      runtime.call(builder, "count_threadgroup", arguments);
      continue;
    }
    // Atomics are done by each lane for itself.
    PositionBits bits = access.kind & accessAtomic ? allBits : dependence.ofAccess(*access.instruction, access.pointer());
    arguments.push_back(builder.getInt32(bits));
    runtime.call(builder, "count_device", arguments);
  }
  for (Function &function : module)
    for (BasicBlock &block : function)
      if (unsigned operations = floatOperations(block)) {
        IRBuilder<> builder(block.getTerminator());
        runtime.call(builder, "count_operations", {builder.getInt32(operations)});
      }
  return PreservedAnalyses::none();
}

} // namespace softmetal
