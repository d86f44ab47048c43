//===- Runtime.cpp - declarations of the runtime's functions in a module, and slots for collectives ----------------------===//
#include "softmetal/Passes/Runtime.h"
#include "llvm/IR/Module.h"

using namespace llvm;

namespace softmetal {

CallInst *RuntimeCalls::call(IRBuilderBase &builder, StringRef name, ArrayRef<Value *> arguments, Type *result) {
  SmallVector<Type *> types;
  for (Value *argument : arguments)
    types.push_back(argument->getType());
  FunctionCallee callee = module.getOrInsertFunction(
      ("softmetal_rt_" + name).str(), FunctionType::get(result ? result : Type::getVoidTy(context), types, false));
  cast<Function>(callee.getCallee())->setDoesNotThrow();
  return builder.CreateCall(callee, arguments);
}

Value *RuntimeCalls::plain(IRBuilderBase &builder, Value *pointer) {
  return pointer->getType()->getPointerAddressSpace() ? builder.CreateAddrSpaceCast(pointer, PointerType::get(context, 0)) : pointer;
}

AllocaInst *RuntimeCalls::slot(Function *function, unsigned index) {
  auto &list = slots[function];
  while (list.size() <= index) {
    IRBuilder<> builder(&*function->getEntryBlock().getFirstInsertionPt());
    AllocaInst *alloca = builder.CreateAlloca(ArrayType::get(builder.getInt8Ty(), slotBytes), nullptr, "slot");
    alloca->setAlignment(Align(16));
    list.push_back(alloca);
  }
  return list[index];
}

CallInst *RuntimeCalls::collective(IRBuilderBase &builder, Collective operation, uint32_t types, unsigned site, Value *a, Value *b,
                                   Value *immediate, Value *immediate2, uint32_t bytes) {
  Value *null = ConstantPointerNull::get(PointerType::get(context, 0)), *zero = builder.getInt32(0);
  CallInst *result = call(builder, "collective",
                          {builder.getInt32(uint32_t(operation)), builder.getInt32(types), builder.getInt32(site), a ? a : null,
                           b ? b : null, immediate ? immediate : zero, immediate2 ? immediate2 : zero, builder.getInt32(bytes)});
  result->setConvergent();
  return result;
}

Value *RuntimeCalls::lane(IRBuilderBase &builder) {
  CallInst *result = call(builder, "lane", {}, builder.getInt32Ty());
  result->getCalledFunction()->setDoesNotAccessMemory();
  result->getCalledFunction()->setWillReturn();
  return result;
}

Scalar scalarOf(Type *type, bool isSigned) {
  type = type->getScalarType();
  if (type->isFloatTy())
    return Scalar::F32;
  if (type->isHalfTy())
    return Scalar::F16;
  if (type->isBFloatTy())
    return Scalar::BF16;
  switch (type->getIntegerBitWidth()) {
  case 1: return Scalar::Bool;
  case 8: return isSigned ? Scalar::S8 : Scalar::U8;
  case 16: return isSigned ? Scalar::S16 : Scalar::U16;
  case 32: return isSigned ? Scalar::S32 : Scalar::U32;
  default: return isSigned ? Scalar::S64 : Scalar::U64;
  }
}

} // namespace softmetal
