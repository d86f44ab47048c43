//===- Races.cpp - accesses that no barrier orders are reported ----------------------------------------------------------===//
//
// Every access to threadgroup memory, and to device memory, tells the runtime's shadow memory who, where and how (Run/Shadow.h has
// the rule). Constant memory cannot be written. What the kernel may write is a fact for the launch: device memory that nobody writes has
// no shadow, and its accesses ask for no more than that.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#include "softmetal/Passes/Passes.h"
#include "softmetal/Passes/Ranges.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"

using namespace llvm;

namespace softmetal {

/// Remembers through which pointers the kernel writes device memory.
static void noteWrite(Translation &translation, const Ranges &ranges, const DataLayout &layout, Value *root) {
  uint32_t buffer = root ? ranges.bufferOf(root) : anyBuffer;
  if (buffer != anyBuffer) {
    translation.writtenBuffers |= uint64_t(1) << buffer;
    return;
  }
  if (auto *load = dyn_cast_or_null<LoadInst>(root)) {
    APInt offset(layout.getIndexTypeSizeInBits(load->getPointerOperandType()), 0);
    Value *base = load->getPointerOperand()->stripAndAccumulateConstantOffsets(layout, offset, /*AllowNonInbounds=*/true);
    if (uint32_t block = ranges.bufferOf(base); block != anyBuffer && !offset.isNegative()) {
      translation.writtenSlots.push_back({block, offset.getZExtValue()});
      return;
    }
  }
  translation.writesAnywhere = true;
}

PreservedAnalyses RacesPass::run(Module &module, ModuleAnalysisManager &) {
  AirKernel record;
  if (!readAirKernel(module, record, translation.error))
    return PreservedAnalyses::none();
  RuntimeCalls runtime(module);
  Ranges ranges(module, runtime, record);
  SmallVector<Access, 0> accesses = sharedAccesses(module);
  translation.deviceShift = accessShift(accesses, space::device);
  translation.threadgroupShift = accessShift(accesses, space::threadgroup);
  for (const Access &access : accesses) {
    unsigned where = access.addressSpace();
    if (where == space::constant || access.part == AccessPart::Element)
      continue;
    IRBuilder<> builder(access.instruction);
    SmallVector<Value *> arguments{runtime.plain(builder, access.pointer()), access.size(builder), builder.getInt32(access.kind),
                                   builder.getInt32(translation.addSite(*access.instruction))};
    if (where == space::threadgroup) {
      runtime.call(builder, "race_threadgroup", arguments);
      continue;
    }
    Value *root = Ranges::rootOf(elementOf(access.pointer()));
    if (access.kind & accessWrite)
      noteWrite(translation, ranges, module.getDataLayout(), root);
    if (!root) {
      arguments.push_back(ConstantPointerNull::get(builder.getPtrTy()));
    } else {
      Value *written = builder.CreateIsNotNull(ranges.shadow(root));
      arguments.push_back(ranges.rangeOf(root));
      builder.SetInsertPoint(SplitBlockAndInsertIfThen(written, access.instruction, false));
    }
    runtime.call(builder, "race_device", arguments);
  }
  return PreservedAnalyses::none();
}

} // namespace softmetal
