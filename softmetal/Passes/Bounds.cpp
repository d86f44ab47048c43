//===- Bounds.cpp - every access outside its object is reported and made harmless ----------------------------------------===//
//
// A device pointer that comes from a kernel argument is checked against *that* buffer; one loaded from memory (a member of the
// parameter block) against all registered buffers, so a buffer that was not made resident is found too. The check gives back the
// pointer to use: a sink that reads as zeros, as unmapped memory does on the GPU, where the access would have gone astray.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#include "softmetal/Passes/Accesses.h"
#include "softmetal/Passes/Passes.h"
#include "softmetal/Passes/Runtime.h"

using namespace llvm;

namespace softmetal {

PreservedAnalyses BoundsPass::run(Module &module, ModuleAnalysisManager &) {
  AirKernel record;
  if (!readAirKernel(module, record, translation.error))
    return PreservedAnalyses::none();
  DenseMap<const Value *, uint32_t> bufferOf;
  for (const AirArgument &argument : record.arguments)
    if (argument.kind == "buffer")
      bufferOf[record.function->getArg(argument.index)] = argument.location;

  RuntimeCalls runtime(module);
  for (const Access &access : sharedAccesses(module)) {
    IRBuilder<> builder(access.instruction);
    Value *pointer = access.pointer();
    bool threadgroup = access.addressSpace() == space::threadgroup;
    const Value *object = getUnderlyingObject(pointer, 0);
    if (!threadgroup && isa<GlobalVariable>(object))
      continue; // a constant of the program, sized by its type
    SmallVector<Value *> arguments{runtime.plain(builder, pointer), access.size(builder), builder.getInt32(access.kind),
                                   builder.getInt32(translation.addSite(*access.instruction))};
    if (!threadgroup) {
      auto it = bufferOf.find(object);
      arguments.push_back(builder.getInt32(it == bufferOf.end() ? anyBuffer : it->second));
    }
    arguments.push_back(builder.getInt32(access.align));
    Value *safe = runtime.call(builder, threadgroup ? "bounds_threadgroup" : "bounds_device", arguments, builder.getPtrTy());
    access.instruction->setOperand(access.pointerOperand, builder.CreateAddrSpaceCast(safe, pointer->getType()));
  }
  return PreservedAnalyses::none();
}

} // namespace softmetal
