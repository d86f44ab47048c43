//===- Specialise.cpp - function constants get their values --------------------------------------------------------------===//
//
// A constant is an externally initialised global that a static constructor copies to the variable which the kernel reads. With a
// value in it and GlobalOpt after it, constructor and branches fold away.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#include "softmetal/Passes/Accesses.h"
#include "softmetal/Passes/Passes.h"

using namespace llvm;

namespace softmetal {

static Constant *constantOf(Type *type, uint64_t bits) {
  if (type->isIntegerTy())
    return ConstantInt::get(type, type->isIntegerTy(1) ? bits != 0 : bits);
  if (type->isFloatingPointTy())
    return ConstantFP::get(type, APFloat(type->getFltSemantics(), APInt(type->getScalarSizeInBits(), bits, false, true)));
  return nullptr;
}

PreservedAnalyses SpecialisePass::run(Module &module, ModuleAnalysisManager &) {
  if (NamedMDNode *list = module.getNamedMetadata("air.function_constants"))
    for (MDNode *record : list->operands()) {
      auto *value = dyn_cast_or_null<ConstantAsMetadata>(record->getOperand(0).get());
      auto *global = value ? dyn_cast<GlobalVariable>(value->getValue()) : nullptr;
      auto *index = record->getNumOperands() > 3 ? mdconst::dyn_extract<ConstantInt>(record->getOperand(3)) : nullptr;
      if (!global || !index)
        continue;
      auto *name = dyn_cast_or_null<MDString>(record->getOperand(2).get());
      const ConstantValue *given = nullptr;
      for (const ConstantValue &constant : translation.constants)
        if (constant.index == index->getZExtValue())
          given = &constant;
      if (!given) {
        translation.fail(("function constant " + Twine(index->getZExtValue()) + " (" + (name ? name->getString() : "") +
                          ") has no value").str());
        return PreservedAnalyses::none();
      }
      Constant *initial = constantOf(global->getValueType(), given->bits);
      if (!initial) {
        translation.fail(("function constant " + Twine(index->getZExtValue()) + " is neither a number nor a truth value").str());
        return PreservedAnalyses::none();
      }
      global->setExternallyInitialized(false);
      global->setSection("");
      global->setLinkage(GlobalValue::InternalLinkage);
      global->setInitializer(initial);
      global->setConstant(true);
    }
  // An array that is only read, or only written, would fold away with its accesses before the checks could see them.
  if (translation.checked())
    for (GlobalVariable &global : module.globals())
      if (global.getAddressSpace() == space::threadgroup && global.hasLocalLinkage()) {
        global.setExternallyInitialized(true);
        global.setLinkage(GlobalValue::ExternalLinkage);
      }
  // 0 or 1, whatever was given. Here and not in Lower, because the constructors that call it are folded before that.
  for (Function &function : module)
    if (function.getName().starts_with("air.normalize_function_constant_predicate"))
      for (User *user : make_early_inc_range(function.users())) {
        auto *call = cast<CallInst>(user);
        IRBuilder<> builder(call);
        Value *isSet = builder.CreateICmpNE(call->getArgOperand(0), Constant::getNullValue(call->getType()));
        call->replaceAllUsesWith(builder.CreateZExt(isSet, call->getType()));
        call->eraseFromParent();
      }
  return PreservedAnalyses::none();
}

} // namespace softmetal
