//===- Load.cpp - bitcode or a module becomes a module that the passes can take ------------------------------------------===//
#include "softmetal/Load/Load.h"
#include "softmetal/Load/Functions.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/DebugInfo.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/IRReader/IRReader.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace softmetal {
namespace {

constexpr StringLiteral kernelMetadata = "air.kernel";

Function *kernelOf(const MDNode *record) {
  auto *value = dyn_cast_or_null<ConstantAsMetadata>(record->getOperand(0).get());
  return value ? dyn_cast<Function>(value->getValue()) : nullptr;
}

/// AIR 2.6 wrote simdgroup_load and _store as (pointer, elements a row, origin, transpose), 2.8 as (pointer, extents, strides,
/// origin), where x counts columns of the fragment. Transposing swaps the strides and the origin.
void rewriteMatrixAccess(CallInst *call, bool load) {
  IRBuilder<> builder(call);
  unsigned first = load ? 0 : 1;
  Value *pointer = call->getArgOperand(first), *perRow = call->getArgOperand(first + 1), *origin = call->getArgOperand(first + 2),
        *transpose = call->getArgOperand(first + 3);
  Type *pair = origin->getType();
  auto both = [&](Value *x, Value *y) {
    Value *v = builder.CreateInsertElement(PoisonValue::get(pair), x, uint64_t(0));
    return builder.CreateInsertElement(v, y, uint64_t(1));
  };
  Value *one = builder.getInt64(1);
  Value *strides = builder.CreateSelect(transpose, both(perRow, one), both(one, perRow));
  Value *swapped = builder.CreateShuffleVector(origin, ArrayRef<int>{1, 0});
  Value *place = builder.CreateSelect(transpose, swapped, origin);
  SmallVector<Value *> arguments;
  if (!load)
    arguments.push_back(call->getArgOperand(0));
  append_values(arguments, pointer, both(perRow, perRow), strides, place);
  SmallVector<Type *> types;
  for (Value *argument : arguments)
    types.push_back(argument->getType());
  // The name is the same for both forms, so the new declaration must not be merged with the old one.
  Function *old = call->getCalledFunction();
  std::string name = old->getName().str();
  if (!name.ends_with(".air26"))
    old->setName(name + ".air26");
  else
    name.resize(name.size() - 6);
  FunctionCallee callee =
      call->getModule()->getOrInsertFunction(name, FunctionType::get(call->getType(), types, false), old->getAttributes());
  CallInst *fresh = builder.CreateCall(callee, arguments);
  fresh->setDebugLoc(call->getDebugLoc());
  if (!call->getType()->isVoidTy())
    call->replaceAllUsesWith(fresh);
  call->eraseFromParent();
}

bool checkFunctions(Module &module, std::string &error) {
  SmallVector<Function *> old;
  for (Function &function : module) {
    if (!function.isDeclaration() || function.isIntrinsic())
      continue;
    if (function.use_empty())
      continue;
    if (!isAirName(function.getName())) {
      error = "the module calls " + function.getName().str() + ", which is not an AIR function";
      return false;
    }
    AirFunction known;
    if (!resolveAirFunction(function.getName(), function.getFunctionType(), known, error))
      return false;
    for (User *user : function.users())
      if (auto *call = dyn_cast<CallInst>(user); !call || call->getCalledFunction() != &function) {
        error = "the AIR function " + function.getName().str() + " is used other than by a call";
        return false;
      }
    if (known.operation == Operation::MatrixLoad26 || known.operation == Operation::MatrixStore26)
      old.push_back(&function);
  }
  for (Function *function : old) {
    bool load = !function->getReturnType()->isVoidTy();
    for (User *user : make_early_inc_range(function->users()))
      rewriteMatrixAccess(cast<CallInst>(user), load);
    function->eraseFromParent();
  }
  return true;
}

} // namespace

std::unique_ptr<Module> parseAir(StringRef bytes, LLVMContext &context, std::string &error) {
  SMDiagnostic diagnostic;
  std::unique_ptr<Module> module = parseIR(MemoryBufferRef(bytes, "air"), diagnostic, context);
  if (!module)
    error = "not readable as LLVM IR: " + diagnostic.getMessage().str();
  return module;
}

std::vector<std::string> kernelNames(const Module &module) {
  std::vector<std::string> names;
  if (const NamedMDNode *kernels = module.getNamedMetadata(kernelMetadata))
    for (const MDNode *record : kernels->operands())
      if (Function *function = kernelOf(record))
        names.push_back(function->getName().str());
  return names;
}

Function *findKernel(Module &module, StringRef name) {
  const NamedMDNode *kernels = module.getNamedMetadata(kernelMetadata);
  if (!kernels || (name.empty() && kernels->getNumOperands() != 1))
    return nullptr;
  for (const MDNode *record : kernels->operands())
    if (Function *function = kernelOf(record); function && (name.empty() || function->getName() == name))
      return function;
  return nullptr;
}

bool prepareModule(Module &module, StringRef name, const Triple &triple, const DataLayout &layout, std::string &error) {
  Function *kernel = findKernel(module, name);
  if (!kernel || kernel->isDeclaration()) {
    error = "the library has no kernel named " + name.str();
    return false;
  }
  NamedMDNode *kernels = module.getNamedMetadata(kernelMetadata);
  SmallVector<MDNode *> keep;
  for (MDNode *record : kernels->operands())
    if (kernelOf(record) == kernel)
      keep.push_back(record);
  kernels->clearOperands();
  kernels->addOperand(keep.front());

  module.setTargetTriple(triple);
  module.setDataLayout(layout);
  for (StringRef used : {"llvm.compiler.used", "llvm.used"})
    if (GlobalVariable *list = module.getGlobalVariable(used, true))
      list->eraseFromParent();
  for (Function &function : module) {
    for (StringRef attribute : {"target-cpu", "target-features", "tune-cpu", "deferred-static-alloca-size"})
      function.removeFnAttr(attribute);
    function.setSection("");
    if (function.isDeclaration())
      continue;
    function.setComdat(nullptr);
    if (&function != kernel)
      function.setLinkage(GlobalValue::InternalLinkage);
    function.removeFnAttr(Attribute::OptimizeNone);
  }
  // The other kernels and what only they used. A declaration that nothing calls any more need not be known.
  for (bool changed = true; changed;) {
    changed = false;
    for (Function &function : make_early_inc_range(module))
      if (&function != kernel && function.use_empty() &&
          (function.isDeclaration() || function.hasLocalLinkage())) {
        function.eraseFromParent();
        changed = true;
      }
  }
  if (!checkFunctions(module, error))
    return false;
  std::string broken;
  raw_string_ostream out(broken);
  if (verifyModule(module, &out)) {
    error = "the module of " + kernel->getName().str() + " is broken: " + broken;
    return false;
  }
  return true;
}

} // namespace softmetal
