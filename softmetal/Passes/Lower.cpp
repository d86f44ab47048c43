//===- Lower.cpp - calls of air.* become IR or calls of the runtime ------------------------------------------------------===//
//
// No air.* symbol is ever linked: the host's calling convention for half, bfloat, i1 and 3-vectors differs from Apple's. A call
// becomes instructions or intrinsics, a C function on floats, or a collective that passes its operands through stack slots.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#include "softmetal/Passes/LowerMath.h"
#include "softmetal/Load/Atomics.h"
#include "softmetal/Passes/Passes.h"
#include "softmetal/Passes/Runtime.h"

using namespace llvm;

namespace softmetal {
namespace {

class Lowering {
public:
  Lowering(Module &module, Translation &translation)
      : module(module), translation(translation), runtime(module), math(module) {}

  void run() {
    SmallVector<CallInst *> calls;
    for (Function &function : module)
      for (Instruction &instruction : instructions(function))
        if (auto *call = dyn_cast<CallInst>(&instruction))
          if (Function *callee = call->getCalledFunction(); callee && callee->getName().starts_with("air."))
            calls.push_back(call);
    for (CallInst *call : calls) {
      AirFunction known;
      std::string unknown;
      Function *callee = call->getCalledFunction();
      if (!resolveAirFunction(callee->getName(), callee->getFunctionType(), known, unknown))
        return translation.fail(unknown);
      IRBuilder<> builder(call);
      Value *result = lower(*call, known, builder);
      if (!translation.error.empty())
        return;
      if (!call->getType()->isVoidTy())
        call->replaceAllUsesWith(result);
      call->eraseFromParent();
    }
    for (Function &function : make_early_inc_range(module))
      if (function.isDeclaration() && function.use_empty())
        function.eraseFromParent();
    orderSites();
  }

private:
  /// Where lanes wait at different collectives, those at the earlier one go first (Schedule.cpp).
  void orderSites() {
    uint32_t order = 0;
    for (Function &function : module)
      for (Instruction &instruction : instructions(function))
        if (auto *call = dyn_cast<CallInst>(&instruction))
          if (Function *callee = call->getCalledFunction(); callee && callee->getName() == "softmetal_rt_collective")
            translation.sites[cast<ConstantInt>(call->getArgOperand(2))->getZExtValue()].order = ++order;
  }

  Value *lower(CallInst &call, const AirFunction &known, IRBuilder<> &builder) {
    auto operand = [&](unsigned index) { return call.getArgOperand(index); };
    switch (known.operation) {
    case Operation::ThreadgroupBarrier:
      runtime.call(builder, "barrier", {operand(0), site(call, builder)})->setConvergent();
      return nullptr;
    case Operation::SimdgroupBarrier:
      runtime.collective(builder, Collective::Barrier, 0, translation.addSite(call), nullptr, nullptr, operand(0));
      return nullptr;
    case Operation::Fence:
      builder.CreateFence(AtomicOrdering::SequentiallyConsistent);
      return nullptr;
    case Operation::SimdgroupSize:
      return ConstantInt::get(call.getType(), 32);
    case Operation::LaneIndex:
      return builder.CreateZExtOrTrunc(runtime.lane(builder), call.getType());
    case Operation::IsUniform:
      return builder.getTrue();
    case Operation::Collective:
    case Operation::CollectiveImmediate:
    case Operation::CollectiveFill:
    case Operation::CollectivePredicate:
    case Operation::Ballot:
      return lowerCollective(call, known, builder);
    case Operation::AtomicUpdate:
    case Operation::AtomicLoad:
    case Operation::AtomicStore:
    case Operation::AtomicCompareExchange:
    case Operation::CoherentLoad:
    case Operation::CoherentStore:
    {
      Value *result = lowerAtomic(call, known, builder);
      // The lane may be about to ask again until another lane has answered.
      if (!call.getType()->isVoidTy() && !call.use_empty())
        runtime.call(builder, "yield", {})->setConvergent();
      return result;
    }
    case Operation::ElementInWord: // told the checks what they asked for
      return call.getArgOperand(0);
    case Operation::MatrixMultiply:
    case Operation::MatrixFill:
    case Operation::MatrixLoad26:
    case Operation::MatrixStore26:
    case Operation::MatrixLoad28:
    case Operation::MatrixStore28:
    case Operation::TensorFunction:
    case Operation::NormalizePredicate:
      translation.fail(call.getCalledFunction()->getName().str() + " is still there when calls are lowered");
      return nullptr;
    default:
      return math.lower(call, known, builder);
    }
  }

  Value *site(CallInst &call, IRBuilder<> &builder) { return builder.getInt32(translation.addSite(call)); }

  Value *lowerCollective(CallInst &call, const AirFunction &known, IRBuilder<> &builder) {
    Function *function = call.getFunction();
    auto operation = static_cast<Collective>(known.detail);
    AllocaInst *a = runtime.slot(function, 0), *b = runtime.slot(function, 1);
    Type *result = call.getType();
    if (known.operation == Operation::Ballot) { // the mask comes back in a, the predicate goes in b
      if (call.arg_size())
        builder.CreateStore(builder.CreateZExt(call.getArgOperand(0), builder.getInt8Ty()), b);
      builder.CreateStore(builder.getInt64(0), a);
      runtime.collective(builder, operation, 0, translation.addSite(call), a, b, nullptr, nullptr, 8);
      return builder.CreateZExtOrTrunc(builder.CreateLoad(builder.getInt64Ty(), a), result);
    }
    Value *value = call.arg_size() ? call.getArgOperand(0) : builder.getInt8(0);
    bool predicate = value->getType()->isIntegerTy(1);
    if (predicate)
      value = builder.CreateZExt(value, builder.getInt8Ty());
    uint32_t bytes = module.getDataLayout().getTypeStoreSize(value->getType());
    if (bytes > slotBytes) {
      translation.fail(call.getCalledFunction()->getName().str() + " exchanges " + std::to_string(bytes) + " bytes, more than " +
                       std::to_string(slotBytes));
      return nullptr;
    }
    builder.CreateStore(value, a);
    Value *immediate = nullptr, *immediate2 = nullptr;
    if (known.operation == Operation::CollectiveFill) {
      builder.CreateStore(call.getArgOperand(1), b);
      immediate = builder.CreateZExt(call.getArgOperand(2), builder.getInt32Ty());
      immediate2 = builder.CreateZExt(call.getArgOperand(3), builder.getInt32Ty());
    } else if (known.operation == Operation::CollectiveImmediate) {
      immediate = builder.CreateZExt(call.getArgOperand(1), builder.getInt32Ty());
    }
    bool isSigned = known.types.empty() || known.types[0].isSigned();
    uint32_t type = uint32_t(scalarOf(value->getType(), isSigned));
    if (auto *vector = dyn_cast<FixedVectorType>(value->getType()))
      type |= (vector->getNumElements() - 1) << 4; // reductions go element by element
    runtime.collective(builder, operation, type, translation.addSite(call), a, b, immediate, immediate2, bytes);
    Value *loaded = builder.CreateLoad(value->getType(), a);
    return result->isIntegerTy(1) ? builder.CreateTrunc(loaded, result) : loaded;
  }

  Value *lowerAtomic(CallInst &call, const AirFunction &known, IRBuilder<> &builder) {
    auto orderOf = [&](unsigned index) {
      auto *constant = dyn_cast<ConstantInt>(call.getArgOperand(index));
      return constant && constant->isZero() ? AtomicOrdering::Monotonic : AtomicOrdering::SequentiallyConsistent;
    };
    auto alignOf = [&](Type *type) { return module.getDataLayout().getABITypeAlign(type); };
    switch (known.operation) {
    case Operation::CoherentLoad:
    case Operation::AtomicLoad: {
      LoadInst *load = builder.CreateAlignedLoad(call.getType(), call.getArgOperand(0), alignOf(call.getType()));
      load->setAtomic(known.operation == Operation::CoherentLoad ? AtomicOrdering::Monotonic : orderOf(1));
      return load;
    }
    case Operation::CoherentStore:
    case Operation::AtomicStore: {
      bool coherent = known.operation == Operation::CoherentStore;
      Value *value = call.getArgOperand(coherent ? 0 : 1), *pointer = call.getArgOperand(coherent ? 1 : 0);
      StoreInst *store = builder.CreateAlignedStore(value, pointer, alignOf(value->getType()));
      store->setAtomic(coherent ? AtomicOrdering::Monotonic : orderOf(2));
      return nullptr;
    }
    case Operation::AtomicCompareExchange: {
      Value *expected = call.getArgOperand(1), *desired = call.getArgOperand(2);
      Type *type = desired->getType();
      Type *bits = builder.getIntNTy(type->getScalarSizeInBits());
      Value *old = builder.CreateLoad(bits, expected);
      auto *exchange = builder.CreateAtomicCmpXchg(call.getArgOperand(0), old, builder.CreateBitCast(desired, bits), alignOf(type),
                                                   AtomicOrdering::SequentiallyConsistent, AtomicOrdering::SequentiallyConsistent);
      builder.CreateStore(builder.CreateExtractValue(exchange, 0), expected);
      return builder.CreateExtractValue(exchange, 1);
    }
    default: {
      Value *value = call.getArgOperand(1);
      bool isFloat = value->getType()->isFloatingPointTy();
      bool isSigned = known.types[0].isSigned();
      AtomicRMWInst::BinOp operation = AtomicRMWInst::Xchg;
      switch (known.detail) {
      case AtomicAdd: operation = isFloat ? AtomicRMWInst::FAdd : AtomicRMWInst::Add; break;
      case AtomicSub: operation = isFloat ? AtomicRMWInst::FSub : AtomicRMWInst::Sub; break;
      case AtomicMin: operation = isSigned ? AtomicRMWInst::Min : AtomicRMWInst::UMin; break;
      case AtomicMax: operation = isSigned ? AtomicRMWInst::Max : AtomicRMWInst::UMax; break;
      case AtomicAnd: operation = AtomicRMWInst::And; break;
      case AtomicOr: operation = AtomicRMWInst::Or; break;
      case AtomicXor: operation = AtomicRMWInst::Xor; break;
      default: break;
      }
      return builder.CreateAtomicRMW(operation, call.getArgOperand(0), value, alignOf(value->getType()), orderOf(2));
    }
    }
  }

  Module &module;
  Translation &translation;
  RuntimeCalls runtime;
  MathLowering math;
};

} // namespace

PreservedAnalyses LowerPass::run(Module &module, ModuleAnalysisManager &) {
  if (translation.error.empty())
    Lowering(module, translation).run();
  return PreservedAnalyses::none();
}

} // namespace softmetal
