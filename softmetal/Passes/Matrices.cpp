//===- Matrices.cpp - <64 x T> becomes the two elements that a lane holds ------------------------------------------------===//
//
// AIR writes an 8x8 simdgroup_matrix as <64 x T>, of which a lane owns elements 0 and 1; the other 62 are undefined in it. Values,
// phis and stack memory shrink to <2 x T>; multiplication becomes a rendezvous; loads and stores become two scalar accesses by the
// lane map  row = (l>>4 & 1)*4 + (l>>1 & 3), column = (l>>3 & 1)*4 + (l & 1)*2 + element.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#include "softmetal/Load/Functions.h"
#include "softmetal/Passes/Passes.h"
#include "softmetal/Passes/Runtime.h"
#include "llvm/ADT/PostOrderIterator.h"

using namespace llvm;

namespace softmetal {
namespace {

bool isMatrix(Type *type) {
  auto *vector = dyn_cast<FixedVectorType>(type);
  return vector && vector->getNumElements() == 64;
}

Type *pairOf(Type *matrix) { return FixedVectorType::get(matrix->getScalarType(), 2); }

class Shrinker {
public:
  Shrinker(Function &function, RuntimeCalls &runtime, Translation &translation)
      : function(function), runtime(runtime), translation(translation) {}

  void run() {
    for (Instruction &instruction : instructions(function))
      if (auto *phi = dyn_cast<PHINode>(&instruction); phi && isMatrix(phi->getType())) {
        IRBuilder<> builder(phi);
        small[phi] = builder.CreatePHI(pairOf(phi->getType()), phi->getNumIncomingValues(), phi->getName());
      }
    SmallVector<Instruction *> dead;
    // Reverse post-order: a value is shrunk before its uses, but for those of phis. Unreachable blocks have no order.
    for (BasicBlock *block : ReversePostOrderTraversal<Function *>(&function))
      for (Instruction &instruction : make_early_inc_range(*block)) {
        bool touches = isMatrix(instruction.getType()) ||
                       any_of(instruction.operands(), [](const Use &use) { return isMatrix(use->getType()); });
        if (!touches)
          continue;
        if (auto *alloca = dyn_cast<AllocaInst>(&instruction); alloca) {
          continue;
        }
        dead.push_back(&instruction);
        if (!isa<PHINode>(instruction))
          shrink(instruction);
        if (!translation.error.empty())
          return;
      }
    for (auto &[from, to] : small)
      if (auto *phi = dyn_cast<PHINode>(from))
        for (unsigned i = 0; i < phi->getNumIncomingValues(); ++i)
          cast<PHINode>(to)->addIncoming(pair(phi->getIncomingValue(i)), phi->getIncomingBlock(i));
    for (Instruction *instruction : dead)
      instruction->dropAllReferences();
    for (Instruction *instruction : dead) {
      if (!instruction->use_empty())
        instruction->replaceAllUsesWith(PoisonValue::get(instruction->getType()));
      instruction->eraseFromParent();
    }
  }

private:
  /// The two elements that stand for a matrix value.
  Value *pair(Value *value) {
    if (auto it = small.find(value); it != small.end())
      return it->second;
    Type *type = pairOf(value->getType());
    if (isa<PoisonValue>(value))
      return PoisonValue::get(type);
    if (isa<UndefValue>(value))
      return UndefValue::get(type);
    if (auto *constant = dyn_cast<Constant>(value))
      return ConstantVector::get({constant->getAggregateElement(0u), constant->getAggregateElement(1u)});
    refuse("matrix value", value);
    return PoisonValue::get(type);
  }

  void refuse(const char *what, const Value *value) {
    std::string text;
    raw_string_ostream out(text);
    out << what << " that cannot be held by a lane's two elements: " << *value;
    translation.fail(text);
  }

  void shrink(Instruction &instruction) {
    IRBuilder<> builder(&instruction);
    if (auto *shuffle = dyn_cast<ShuffleVectorInst>(&instruction))
      return shrinkShuffle(*shuffle, builder);
    if (auto *extract = dyn_cast<ExtractElementInst>(&instruction)) {
      extract->replaceAllUsesWith(builder.CreateExtractElement(pair(extract->getVectorOperand()), extract->getIndexOperand()));
      return;
    }
    if (auto *insert = dyn_cast<InsertElementInst>(&instruction)) {
      auto *index = dyn_cast<ConstantInt>(insert->getOperand(2));
      small[insert] = index && index->getZExtValue() > 1
                          ? pair(insert->getOperand(0))
                          : builder.CreateInsertElement(pair(insert->getOperand(0)), insert->getOperand(1), insert->getOperand(2));
      return;
    }
    if (auto *select = dyn_cast<SelectInst>(&instruction)) {
      Value *condition = select->getCondition();
      if (condition->getType()->isVectorTy())
        return refuse("element-wise selection", select);
      small[select] = builder.CreateSelect(condition, pair(select->getTrueValue()), pair(select->getFalseValue()));
      return;
    }
    if (auto *freeze = dyn_cast<FreezeInst>(&instruction)) {
      small[freeze] = builder.CreateFreeze(pair(freeze->getOperand(0)));
      return;
    }
    if (auto *load = dyn_cast<LoadInst>(&instruction)) {
      small[load] = builder.CreateAlignedLoad(pairOf(load->getType()), load->getPointerOperand(), Align(4));
      return;
    }
    if (auto *store = dyn_cast<StoreInst>(&instruction)) {
      builder.CreateAlignedStore(pair(store->getValueOperand()), store->getPointerOperand(), Align(4));
      return;
    }
    if (auto *operation = dyn_cast<BinaryOperator>(&instruction)) {
      small[operation] = builder.CreateBinOp(operation->getOpcode(), pair(operation->getOperand(0)), pair(operation->getOperand(1)));
      return;
    }
    if (auto *cast = dyn_cast<CastInst>(&instruction); cast && isMatrix(cast->getSrcTy()) && isMatrix(cast->getDestTy())) {
      small[cast] = builder.CreateCast(cast->getOpcode(), pair(cast->getOperand(0)), pairOf(cast->getDestTy()));
      return;
    }
    if (auto *call = dyn_cast<CallInst>(&instruction))
      return shrinkCall(*call, builder);
    refuse("instruction on a matrix", &instruction);
  }

  /// thread_elements() is a shuffle from <64 x T> to <2 x T>, its assignment one back.
  void shrinkShuffle(ShuffleVectorInst &shuffle, IRBuilder<> &builder) {
    unsigned count = cast<FixedVectorType>(shuffle.getOperand(0)->getType())->getNumElements();
    auto element = [&](int index) -> Value * {
      if (index < 0)
        return nullptr;
      Value *source = shuffle.getOperand(unsigned(index) >= count);
      unsigned at = unsigned(index) % count;
      if (!isMatrix(source->getType()))
        return builder.CreateExtractElement(source, at);
      return at < 2 ? builder.CreateExtractElement(pair(source), at) : nullptr;
    };
    bool toMatrix = isMatrix(shuffle.getType());
    unsigned elements = toMatrix ? 2 : cast<FixedVectorType>(shuffle.getType())->getNumElements();
    Value *result = PoisonValue::get(FixedVectorType::get(shuffle.getType()->getScalarType(), elements));
    for (unsigned i = 0; i < elements; ++i)
      if (Value *value = element(shuffle.getMaskValue(i)))
        result = builder.CreateInsertElement(result, value, i);
    if (toMatrix)
      small[&shuffle] = result;
    else
      shuffle.replaceAllUsesWith(result);
  }

  void shrinkCall(CallInst &call, IRBuilder<> &builder) {
    AirFunction known;
    std::string unknown;
    Function *callee = call.getCalledFunction();
    if (callee && callee->isIntrinsic() && call.arg_size() >= 1 && isMatrix(call.getType())) {
      SmallVector<Value *> arguments; // llvm.fmuladd and its like, element by element
      for (Value *argument : call.args())
        arguments.push_back(isMatrix(argument->getType()) ? pair(argument) : argument);
      small[&call] = builder.CreateIntrinsic(callee->getIntrinsicID(), {pairOf(call.getType())}, arguments);
      return;
    }
    if (!callee || !resolveAirFunction(callee->getName(), callee->getFunctionType(), known, unknown))
      return refuse("call", &call);
    switch (known.operation) {
    case Operation::MatrixMultiply: {
      Value *a = pair(call.getArgOperand(0)), *b = pair(call.getArgOperand(1)), *c = pair(call.getArgOperand(2));
      AllocaInst *sum = runtime.slot(&function, 0), *factors = runtime.slot(&function, 1);
      builder.CreateStore(c, sum);
      builder.CreateStore(a, factors);
      builder.CreateStore(b, builder.CreateConstGEP1_32(builder.getInt8Ty(), factors, 16));
      auto code = [](Value *value) { return uint32_t(scalarOf(value->getType(), true)); };
      runtime.collective(builder, Collective::MatrixMultiply, code(c) | code(a) << 4 | code(b) << 8, translation.addSite(call), sum,
                         factors, nullptr, nullptr, 8);
      if (call.getType() != call.getArgOperand(2)->getType())
        return refuse("multiplication into another type", &call);
      small[&call] = builder.CreateLoad(c->getType(), sum);
      return;
    }
    case Operation::MatrixFill:
      small[&call] = builder.CreateVectorSplat(2, call.getArgOperand(0));
      return;
    case Operation::MatrixLoad28:
    case Operation::MatrixStore28:
      return shrinkAccess(call, builder, known.operation == Operation::MatrixLoad28);
    default:
      return refuse("call", &call);
    }
  }

  void shrinkAccess(CallInst &call, IRBuilder<> &builder, bool load) {
    unsigned first = load ? 0 : 1;
    Value *pointer = call.getArgOperand(first), *strides = call.getArgOperand(first + 2), *origin = call.getArgOperand(first + 3);
    Value *lane = builder.CreateZExt(runtime.lane(builder), builder.getInt64Ty());
    auto bits = [&](unsigned shift, unsigned mask, unsigned factor) {
      return builder.CreateMul(builder.CreateAnd(builder.CreateLShr(lane, shift), mask), builder.getInt64(factor));
    };
    Value *row = builder.CreateAdd(bits(4, 1, 4), bits(1, 3, 1)), *column = builder.CreateAdd(bits(3, 1, 4), bits(0, 1, 2));
    auto part = [&](Value *vector, uint64_t index) { return builder.CreateExtractElement(vector, index); };
    Type *element = (load ? call.getType() : call.getArgOperand(0)->getType())->getScalarType();
    Value *value = load ? PoisonValue::get(pairOf(call.getType())) : pair(call.getArgOperand(0));
    for (unsigned i = 0; i < 2; ++i) {
      Value *x = builder.CreateAdd(builder.CreateAdd(column, builder.getInt64(i)), part(origin, 0));
      Value *y = builder.CreateAdd(row, part(origin, 1));
      Value *offset = builder.CreateAdd(builder.CreateMul(x, part(strides, 0)), builder.CreateMul(y, part(strides, 1)));
      Value *place = builder.CreateGEP(element, pointer, offset);
      if (load)
        value = builder.CreateInsertElement(value, builder.CreateLoad(element, place), i);
      else
        builder.CreateStore(builder.CreateExtractElement(value, i), place);
    }
    if (load)
      small[&call] = value;
  }

  Function &function;
  RuntimeCalls &runtime;
  Translation &translation;
  MapVector<Value *, Value *> small;
};

} // namespace

PreservedAnalyses MatricesPass::run(Module &module, ModuleAnalysisManager &) {
  RuntimeCalls runtime(module);
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    bool any = false;
    for (Instruction &instruction : instructions(function))
      any |= isMatrix(instruction.getType()) ||
             any_of(instruction.operands(), [](const Use &use) { return isMatrix(use->getType()); });
    if (any)
      Shrinker(function, runtime, translation).run();
    for (Argument &argument : function.args())
      if (isMatrix(argument.getType()))
        translation.fail("the function " + function.getName().str() + " takes a matrix by value and was not inlined");
    if (!translation.error.empty())
      break;
  }
  return PreservedAnalyses::none();
}

} // namespace softmetal
