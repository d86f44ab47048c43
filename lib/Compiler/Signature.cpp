//===- Signature.cpp - what a launcher must know of a kernel ----------------------===//
//
// Types and names of the arguments, and which pointers may be read and written through: from every load, store and atomic the pointer
// operands are followed backwards, through the operations that make pointers and through the arguments of blocks and regions.
//
//===----------------------------------------------------------------------===//
#include "triton_metal/Compiler/Guard.h"
#include "triton_metal/Dialect/Triton/IR/Dialect.h"
#include "triton_metal/Dialect/Triton/IR/TypeNames.h"

#include "llvm/ADT/DenseSet.h"

using namespace mlir;

namespace triton_metal {

ParamsLayout KernelSignature::layout() const {
  std::vector<ParamType> types;
  for (const ParamInfo &param : params)
    types.push_back(param.type);
  return ParamsLayout(types);
}

Result<std::vector<uint64_t>> KernelSignature::unpack(std::string_view block) const {
  ParamsLayout layout = this->layout();
  if (block.size() < layout.size)
    return Error{Error::Kind::Invalid, "the block of parameters has " + std::to_string(block.size()) + " bytes, but kernel " + name +
                                           " takes " + std::to_string(layout.size)};
  std::vector<uint64_t> arguments;
  for (auto [param, offset] : llvm::zip(params, layout.offsets)) {
    uint64_t bits = 0;
    std::memcpy(&bits, block.data() + offset, sizeOf(param.type));
    arguments.push_back(bits);
  }
  return arguments;
}

static bool isPointer(Type type) { return isa<tt::PointerType>(tt::getElementOf(type)); }

/// Arguments of `function` through which memory may be accessed in the way of `Effect`.
template <typename Effect> static llvm::SmallDenseSet<Value> findAccessedArguments(tt::FuncOp function) {
  llvm::SmallDenseSet<Value> seen;
  SmallVector<Value> work;
  auto follow = [&](Value value) {
    // Integers count: a pointer may have been made from one.
    if (seen.insert(value).second)
      work.push_back(value);
  };
  function.walk([&](Operation *op) {
    auto effects = dyn_cast<MemoryEffectOpInterface>(op);
    if (!effects || !effects.hasEffect<Effect>())
      return;
    // Of a store the address matters; of an operation that does not say what it goes through, every pointer.
    for (Value operand : op->getOperands())
      if (isPointer(operand.getType()))
        follow(operand);
  });
  while (!work.empty()) {
    Value value = work.pop_back_val();
    if (Operation *op = value.getDefiningOp()) {
      bool fromInteger = isa<tt::IntToPtrOp>(op) || !isPointer(value.getType());
      for (Value operand : op->getOperands())
        if (fromInteger || isPointer(operand.getType()))
          follow(operand);
      for (Region &region : op->getRegions())
        for (Block &block : region)
          if (block.mightHaveTerminator())
            for (Value operand : block.getTerminator()->getOperands())
              if (isPointer(operand.getType()) || fromInteger)
                follow(operand);
      continue;
    }
    Operation *parent = value.getParentBlock()->getParentOp();
    if (parent == function && value.getParentBlock()->isEntryBlock())
      continue;
    auto followTyped = [&](OperandRange operands) {
      for (Value operand : operands)
        if (operand.getType() == value.getType())
          follow(operand);
    };
    followTyped(parent->getOperands());
    for (Block *predecessor : value.getParentBlock()->getPredecessors())
      followTyped(predecessor->getTerminator()->getOperands());
    for (Region &region : parent->getRegions())
      for (Block &block : region)
        if (parent != function && block.mightHaveTerminator())
          followTyped(block.getTerminator()->getOperands());
  }
  return seen;
}

static std::optional<ParamType> classify(Type type) {
  if (isa<tt::PointerType>(type))
    return ParamType::Pointer;
  if (type.isF64())
    return ParamType::F64;
  if (type.isF32())
    return ParamType::F32;
  if (type.isF16())
    return ParamType::F16;
  if (type.isBF16())
    return ParamType::BF16;
  if (isa<FloatType>(type) && type.getIntOrFloatBitWidth() == 8)
    return ParamType::F8;
  if (!type.isInteger())
    return std::nullopt;
  switch (type.getIntOrFloatBitWidth()) {
  case 1:
    return ParamType::I1;
  case 8:
    return ParamType::I8;
  case 16:
    return ParamType::I16;
  case 32:
    return ParamType::I32;
  case 64:
    return ParamType::I64;
  default:
    return std::nullopt;
  }
}

Result<KernelSignature> kernelSignature(const Module &module) {
  tt::FuncOp kernel;
  for (auto function : getModuleOp(module).getOps<tt::FuncOp>()) {
    if (function.isExternal() || SymbolTable::getSymbolVisibility(function) != SymbolTable::Visibility::Public)
      continue;
    if (kernel)
      return Error{Error::Kind::Invalid, "the module has two public functions, @" + kernel.getName().str() + " and @" +
                                             function.getName().str() + "; a kernel is the only public one"};
    kernel = function;
  }
  if (!kernel)
    return Error{Error::Kind::Invalid, "the module has no public tt.func, so there is no kernel in it"};
  if (kernel.getNumResults() != 0)
    return Error{Error::Kind::Invalid, "kernel @" + kernel.getName().str() + " returns a value; kernels store their results"};

  KernelSignature signature;
  signature.name = kernel.getName().str();
  llvm::SmallDenseSet<Value> written = findAccessedArguments<MemoryEffects::Write>(kernel);
  llvm::SmallDenseSet<Value> readFrom = findAccessedArguments<MemoryEffects::Read>(kernel);
  for (BlockArgument argument : kernel.getBody().getArguments()) {
    ParamInfo info;
    unsigned index = argument.getArgNumber();
    std::optional<ParamType> type = classify(argument.getType());
    if (!type)
      return Error{Error::Kind::Invalid, "argument " + std::to_string(index) + " of kernel @" + signature.name + " has type " +
                                             tt::nameOfType(argument.getType()) + ", which no launcher can pass",
                   toSourceLocation(argument.getLoc())};
    info.type = *type;
    info.spelling = tt::nameOfType(argument.getType());
    info.name = "arg" + std::to_string(index);
    argument.getLoc()->walk([&](Location loc) {
      if (auto name = dyn_cast<NameLoc>(loc)) {
        info.name = name.getName().str();
        return WalkResult::interrupt();
      }
      return WalkResult::advance();
    });
    if (auto divisibility = kernel.getArgAttrOfType<IntegerAttr>(index, "tt.divisibility"))
      info.divisibility = divisibility.getInt();
    info.mayBeWritten = *type == ParamType::Pointer && written.contains(argument);
    info.mayBeRead = *type == ParamType::Pointer && readFrom.contains(argument);
    signature.params.push_back(std::move(info));
  }
  return signature;
}

} // namespace triton_metal
