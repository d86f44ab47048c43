//===- Entry.cpp - the function that the runtime calls for each lane -----------------------------------------------------===//
//
// The kernel becomes internal and is called with arguments read from LaneIds by what !air.kernel says each one is. Unbound optional
// buffers are null, so promises like dereferenceable are dropped.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#include "softmetal/Passes/Accesses.h"
#include "softmetal/Passes/Passes.h"
#include "softmetal/Passes/Runtime.h"
#include <cstddef>

using namespace llvm;

namespace softmetal {

const char entryName[] = "softmetal.entry";

static int offsetOf(StringRef kind) {
  return StringSwitch<int>(kind)
      .Case("thread_position_in_grid", offsetof(LaneIds, threadInGrid))
      .Case("thread_position_in_threadgroup", offsetof(LaneIds, threadInThreadgroup))
      .Case("threadgroup_position_in_grid", offsetof(LaneIds, threadgroupInGrid))
      .Cases({"threads_per_threadgroup", "dispatch_threads_per_threadgroup"}, offsetof(LaneIds, threadsPerThreadgroup))
      .Case("threads_per_grid", offsetof(LaneIds, threadsPerGrid))
      .Case("threadgroups_per_grid", offsetof(LaneIds, threadgroupsPerGrid))
      .Case("thread_index_in_simdgroup", offsetof(LaneIds, lane))
      .Case("simdgroup_index_in_threadgroup", offsetof(LaneIds, simdgroup))
      .Case("thread_index_in_threadgroup", offsetof(LaneIds, threadIndex))
      .Cases({"simdgroups_per_threadgroup", "dispatch_simdgroups_per_threadgroup"}, offsetof(LaneIds, simdgroups))
      .Case("thread_index_in_quadgroup", offsetof(LaneIds, quadLane))
      .Case("quadgroup_index_in_threadgroup", offsetof(LaneIds, quadgroup))
      .Default(-1);
}

PreservedAnalyses EntryPass::run(Module &module, ModuleAnalysisManager &) {
  AirKernel record;
  if (!translation.error.empty() || !readAirKernel(module, record, translation.error))
    return PreservedAnalyses::none();
  Function *kernel = record.function;
  LLVMContext &context = module.getContext();
  translation.maxThreads = record.maxThreads;
  for (Argument &argument : kernel->args())
    for (Attribute::AttrKind kind : {Attribute::Dereferenceable, Attribute::DereferenceableOrNull, Attribute::NoUndef,
                                     Attribute::NonNull, Attribute::Alignment})
      argument.removeAttr(kind);
  kernel->setLinkage(GlobalValue::InternalLinkage);
  kernel->removeFnAttr(Attribute::NoInline);
  kernel->addFnAttr(Attribute::AlwaysInline);

  Function *entry = Function::Create(FunctionType::get(Type::getVoidTy(context), {PointerType::get(context, 0)}, false),
                                     GlobalValue::ExternalLinkage, entryName, module);
  entry->addFnAttr(Attribute::NoUnwind);
  IRBuilder<> builder(BasicBlock::Create(context, "entry", entry));
  Value *ids = entry->getArg(0);
  auto field = [&](unsigned offset) { return builder.CreateConstInBoundsGEP1_32(builder.getInt8Ty(), ids, offset); };
  SmallVector<Value *> arguments(kernel->arg_size());
  for (const AirArgument &argument : record.arguments) {
    Type *type = kernel->getArg(argument.index)->getType();
    Value *&value = arguments[argument.index];
    if (argument.kind == "buffer" && type->isPointerTy() && argument.location >= 0 && argument.location < 31) {
      bool threadgroup = type->getPointerAddressSpace() == space::threadgroup;
      if (threadgroup)
        translation.threadgroupArguments |= 1u << argument.location;
      else
        translation.buffers |= uint64_t(1) << argument.location;
      Value *table =
          builder.CreateLoad(builder.getPtrTy(), field(threadgroup ? offsetof(LaneIds, threadgroupBuffers) : offsetof(LaneIds, buffers)));
      Value *place = builder.CreateConstInBoundsGEP1_32(builder.getPtrTy(), table, argument.location);
      value = builder.CreateAddrSpaceCast(builder.CreateLoad(builder.getPtrTy(), place), type);
      continue;
    }
    if (argument.kind == "threads_per_simdgroup" || argument.kind == "thread_execution_width") {
      value = ConstantInt::get(type, 32);
      continue;
    }
    int offset = offsetOf(argument.kind);
    if (offset < 0 || !type->isIntOrIntVectorTy()) {
      translation.fail("the kernel " + kernel->getName().str() + " has an argument of the kind " + argument.kind +
                       ", which the software Metal does not provide");
      return PreservedAnalyses::none();
    }
    Value *words = builder.CreateAlignedLoad(type->getWithNewType(builder.getInt32Ty()), field(offset), Align(4));
    value = builder.CreateZExtOrTrunc(words, type);
  }
  for (Value *value : arguments)
    if (!value) {
      translation.fail("the kernel " + kernel->getName().str() + " has an argument that its metadata does not describe");
      return PreservedAnalyses::none();
    }
  CallInst *call = builder.CreateCall(kernel, arguments);
  call->setCallingConv(kernel->getCallingConv());
  builder.CreateRetVoid();
  return PreservedAnalyses::none();
}

} // namespace softmetal
