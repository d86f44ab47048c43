//===- SharedMemory.cpp - arrays of tl.shared_memory -------------------------------------===//
//
// An array lies in the arena for as long as the program runs. One thread runs a program in the order of its text, so a barrier
// orders nothing that is not ordered. Checked code tells the runtime where intervals end.
//
//===----------------------------------------------------------------------------===//
#include "Program.h"

using namespace mlir;

namespace triton_metal::cpu {

void Program::lowerSharedMemory(tt::SharedMemoryOp op) {
  Buffer *buffer = arena.create(here(), op.getLoc(), registerType(op.getElementType()), op.getShape());
  arena.pin(buffer);
  bindScalar(op, buffer->pointer);
  if (!options.checked)
    return;
  Site site;
  site.argument = int32_t(sharedArrays.size());
  sharedArrays[op] = site.argument;
  site.elementBytes = uint8_t(op.getElementBytes());
  for (int64_t size : op.getShape().take_back(kMaxPrintRank))
    site.shape[site.rank++] = int32_t(size);
  // At the start of the program, also where a loop surrounds the operation.
  OpBuilder start(buffer->address->getContext());
  start.setInsertionPointAfter(buffer->address);
  Value count = arith::ConstantOp::create(start, op.getLoc(), start.getI64IntegerAttr(op.getNumElements()));
  callRuntime(start, op.getLoc(), kSharedBeginCallback, site, op.getName(), {buffer->pointer, count});
}

void Program::lowerBarrier(Operation *op) {
  bool endsInterval = options.checked && !sharedArrays.empty();
  if (endsInterval || isa<tt::DebugBarrierOp>(op))
    flush();
  if (endsInterval)
    callRuntime(here(), op->getLoc(), kSharedBarrierCallback, Site(), "", {});
}

} // namespace triton_metal::cpu
