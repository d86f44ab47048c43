//===- PrivateMemory.cpp - accesses outside a lane's own arrays are made harmless ----------------------------------------===//
//
// On a GPU a lane's arrays lie in registers or in memory of its own: an index out of bounds changes a wrong value, and programs that work
// there do it (MLX's layer norm writes before its array in threads behind the end of the row). On the host's stack the same index
// would hit return addresses. So an access whose place is not a constant within its array goes to a sink where it would leave it, in
// fast code too; checked code reports it as well.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#include "softmetal/Passes/Passes.h"
#include "softmetal/Passes/Ranges.h"
#include "llvm/Analysis/ScalarEvolution.h"
#include "llvm/Analysis/ScalarEvolutionExpressions.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"

using namespace llvm;

namespace softmetal {
namespace {

struct PrivateAccess {
  Instruction *instruction;
  unsigned operand;
  uint64_t bytes;
  AllocaInst *array;
  uint64_t length;
};

/// Whether loop counters and the like keep the access in its array.
bool provenInside(ScalarEvolution &evolution, Value *pointer, AllocaInst *array, uint64_t bytes, uint64_t length) {
  const SCEV *offset = evolution.getMinusSCEV(evolution.getSCEV(pointer), evolution.getSCEV(array));
  if (isa<SCEVCouldNotCompute>(offset) || bytes > length)
    return false;
  return evolution.getUnsignedRangeMax(offset).ule(length - bytes);
}

/// Loads and stores that may leave their array.
SmallVector<PrivateAccess> doubtful(Function &function, const DataLayout &layout, FunctionAnalysisManager &analyses) {
  SmallVector<PrivateAccess> list;
  for (Instruction &instruction : instructions(function)) {
    bool store = isa<StoreInst>(instruction);
    if (!store && !isa<LoadInst>(instruction))
      continue;
    Value *pointer = instruction.getOperand(store ? 1 : 0);
    if (pointer->getType()->getPointerAddressSpace() != space::thread)
      continue;
    auto *array = dyn_cast<AllocaInst>(getUnderlyingObject(pointer, 0));
    auto *count = array ? dyn_cast<ConstantInt>(array->getArraySize()) : nullptr;
    if (!count)
      continue;
    uint64_t length = layout.getTypeAllocSize(array->getAllocatedType()) * count->getZExtValue();
    uint64_t bytes = layout.getTypeStoreSize(getLoadStoreType(&instruction));
    APInt offset(layout.getIndexTypeSizeInBits(pointer->getType()), 0);
    if (pointer->stripAndAccumulateConstantOffsets(layout, offset, true) == array && offset.isNonNegative() &&
        offset.getZExtValue() + bytes <= length)
      continue;
    if (provenInside(analyses.getResult<ScalarEvolutionAnalysis>(function), pointer, array, bytes, length))
      continue;
    list.push_back({&instruction, store ? 1u : 0u, bytes, array, length});
  }
  return list;
}

} // namespace

PreservedAnalyses PrivateMemoryPass::run(Module &module, ModuleAnalysisManager &analyses) {
  const DataLayout &layout = module.getDataLayout();
  RuntimeCalls runtime(module);
  FunctionAnalysisManager &functionAnalyses = analyses.getResult<FunctionAnalysisManagerModuleProxy>(module).getManager();
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    SmallVector<PrivateAccess> list = doubtful(function, layout, functionAnalyses);
    uint64_t most = 0;
    for (const PrivateAccess &access : list)
      most = std::max(most, access.bytes);
    AllocaInst *sink = nullptr;
    if (!list.empty() && !translation.bounds) {
      IRBuilder<> builder(&*function.getEntryBlock().getFirstInsertionPt());
      sink = builder.CreateAlloca(ArrayType::get(builder.getInt8Ty(), most), nullptr, "sink");
      sink->setAlignment(Align(16));
    }
    if (!list.empty())
      forgetInBounds(module);
    for (const PrivateAccess &access : list) {
      IRBuilder<> builder(access.instruction);
      Value *pointer = access.instruction->getOperand(access.operand);
      Type *word = builder.getInt64Ty();
      Value *offset = builder.CreateSub(builder.CreatePtrToInt(pointer, word), builder.CreatePtrToInt(access.array, word));
      uint64_t limit = access.length >= access.bytes ? access.length - access.bytes + 1 : 0;
      Value *inside = builder.CreateICmpULT(offset, builder.getInt64(limit));
      Value *safe = sink;
      if (sink) {
        safe = builder.CreateSelect(inside, pointer, sink);
      } else {
        BasicBlock *before = access.instruction->getParent();
        Instruction *end = SplitBlockAndInsertIfThen(builder.CreateNot(inside), access.instruction, false);
        builder.SetInsertPoint(end);
        Value *astray = runtime.call(builder, "bounds_private",
                                     {pointer, builder.getInt32(access.bytes),
                                      builder.getInt32(access.operand ? accessWrite : 0),
                                      builder.getInt32(translation.addSite(*access.instruction)), access.array,
                                      builder.getInt32(access.length)}, builder.getPtrTy());
        PHINode *either = PHINode::Create(pointer->getType(), 2, "", access.instruction->getParent()->begin());
        either->addIncoming(pointer, before);
        either->addIncoming(astray, end->getParent());
        safe = either;
      }
      access.instruction->setOperand(access.operand, safe);
    }
  }
  return PreservedAnalyses::none();
}

} // namespace softmetal
