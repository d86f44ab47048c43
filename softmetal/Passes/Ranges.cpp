//===- Ranges.cpp - where an access's pointer comes from, and the range that it must stay in -----------------------------===//
#include "softmetal/Passes/Ranges.h"
#include "llvm/Analysis/ValueTracking.h"

using namespace llvm;

namespace softmetal {

Ranges::Ranges(Module &module, RuntimeCalls &runtime, const AirKernel &record) : module(module), runtime(runtime) {
  for (const AirArgument &argument : record.arguments)
    if (argument.kind == "buffer")
      buffers[record.function->getArg(argument.index)] = argument.location;
}

Value *Ranges::rootOf(Value *pointer) {
  SmallVector<const Value *, 4> objects;
  getUnderlyingObjects(pointer, objects, nullptr, 0);
  if (objects.size() != 1)
    return nullptr;
  auto *root = const_cast<Value *>(objects.front());
  bool made = isa<Argument>(root) || isa<LoadInst>(root) || isa<CallInst>(root) || isa<PHINode>(root);
  return made && root->getType()->isPointerTy() ? root : nullptr;
}

uint32_t Ranges::bufferOf(const Value *root) const {
  auto it = buffers.find(root);
  return it == buffers.end() ? anyBuffer : it->second;
}

IRBuilder<> Ranges::behind(Value *root) {
  Value *after = last.lookup(root);
  if (!after)
    after = root;
  if (auto *argument = dyn_cast<Argument>(after)) {
    BasicBlock &entry = argument->getParent()->getEntryBlock();
    BasicBlock::iterator place = entry.getFirstInsertionPt();
    while (isa<AllocaInst>(&*place))
      ++place;
    return IRBuilder<>(&entry, place);
  }
  auto *instruction = cast<Instruction>(after);
  if (isa<PHINode>(instruction))
    return IRBuilder<>(instruction->getParent(), instruction->getParent()->getFirstInsertionPt());
  return IRBuilder<>(instruction->getParent(), std::next(instruction->getIterator()));
}

Value *Ranges::rangeOf(Value *root) {
  Value *&range = ranges[root];
  if (range)
    return range;
  // Another pass may have asked before.
  for (User *cast : root->users())
    if (isa<AddrSpaceCastInst>(cast))
      for (User *user : cast->users())
        if (auto *call = dyn_cast<CallInst>(user); call && call->getCalledFunction() &&
            call->getCalledFunction()->getName().ends_with("_range")) {
          last[root] = call;
          return range = call;
        }
  IRBuilder<> builder = behind(root);
  Value *plain = runtime.plain(builder, root);
  CallInst *call = root->getType()->getPointerAddressSpace() == space::threadgroup
                       ? runtime.call(builder, "threadgroup_range", {plain}, builder.getPtrTy())
                       : runtime.call(builder, "device_range", {plain, builder.getInt32(bufferOf(root))}, builder.getPtrTy());
  last[root] = call;
  return range = call;
}

Value *Ranges::member(Value *root, unsigned index) {
  Value *range = rangeOf(root);
  Value *&value = members[{root, index}];
  if (!value) {
    IRBuilder<> builder = behind(root);
    Type *type = index == 1 ? static_cast<Type *>(builder.getInt64Ty()) : builder.getPtrTy();
    value = builder.CreateLoad(type, builder.CreateConstInBoundsGEP1_32(builder.getInt64Ty(), range, index));
    last[root] = value;
  }
  return value;
}

Value *Ranges::limit(Value *root, uint32_t bytes) {
  Value *length = member(root, 1);
  Value *&value = limits[{root, bytes}];
  if (!value) {
    IRBuilder<> builder = behind(root);
    value = builder.CreateBinaryIntrinsic(Intrinsic::usub_sat, length, builder.getInt64(bytes - 1));
    last[root] = value;
  }
  return value;
}

} // namespace softmetal
