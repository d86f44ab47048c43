//===- Debugging.cpp - hints, prints, assertions, library calls -------------------===//
#include "State.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::frontend;

Result<Tensor> Semantics::hint(StringRef attribute, StringRef function, Tensor value, ArrayRef<int64_t> values) {
  if (std::max<int64_t>(1, value.type.rank()) != int64_t(values.size()))
    return valueError("Shape of input to " + function.str() + " does not match the length of values");
  SmallVector<int32_t> numbers;
  for (int64_t number : values) {
    if (number != int32_t(number))
      return valueError(function.str() + ": " + std::to_string(number) + " does not fit 32 bits");
    numbers.push_back(int32_t(number));
  }
  OpBuilder &builder = state->builder;
  auto type = RankedTensorType::get({int64_t(numbers.size())}, builder.getI32Type());
  Attribute attr = DenseIntElementsAttr::get(type, numbers);
  Value target = unwrap(value);
  if (Operation *op = target.getDefiningOp()) {
    op->setDiscardableAttr(attribute, attr);
  } else if (numbers.size() == 1) {
    auto argument = cast<BlockArgument>(target);
    if (auto function = dyn_cast<tt::FuncOp>(argument.getOwner()->getParentOp()))
      function.setArgAttr(argument.getArgNumber(), attribute, builder.getI32IntegerAttr(numbers[0]));
  }
  return value;
}

Result<Nothing> Semantics::assume(Tensor condition) {
  if (condition.isBlock() || !condition.elem().isBool()) {
    TM_TRY(scalar, unsplat(condition));
    TM_TRY(bit, cast(scalar, {Scalar::Int1}));
    condition = bit;
  }
  state->builder.getContext()->getOrLoadDialect<LLVM::LLVMDialect>();
  LLVM::AssumeOp::create(state->builder, state->loc(), unwrap(condition));
  return Nothing{};
}

Result<Nothing> Semantics::debugBarrier() {
  tt::DebugBarrierOp::create(state->builder, state->loc());
  return Nothing{};
}

Result<Nothing> Semantics::devicePrint(std::string prefix, ArrayRef<Tensor> values, bool hex) {
  if (!values.empty()) {
    if (!StringRef(prefix).ends_with(" "))
      prefix += " ";
    if (!StringRef(prefix).ends_with(": "))
      prefix = prefix.substr(0, prefix.size() - 1) + ": ";
  }
  if (prefix.size() > 2 && !StringRef(prefix).starts_with(" "))
    prefix = " " + prefix;
  SmallVector<int32_t> isSigned;
  for (const Tensor &value : values)
    isSigned.push_back(value.elem().isSigned());
  tt::PrintOp::create(state->builder, state->loc(), prefix, hex, llvm::map_to_vector(values, unwrap), isSigned);
  return Nothing{};
}

Result<Nothing> Semantics::deviceAssert(Tensor condition, StringRef message, std::optional<Tensor> mask) {
  if (!state->options.debug)
    return Nothing{};
  TM_TRY(bit, cast(condition, {Scalar::Int1}));
  if (mask) {
    TM_TRY(off, logicalNot(*mask));
    TM_TRY(either, binary(BinaryOp::Or, bit, off));
    bit = either;
  }
  tt::AssertOp::create(state->builder, state->loc(), unwrap(bit), message);
  return Nothing{};
}

Result<Tensor> Semantics::externElementwise(StringRef library, StringRef path, StringRef symbol, ArrayRef<Tensor> arguments,
                                            Elem result, bool isPure) {
  SmallVector<Tensor> values(arguments);
  TM_TRY(done, broadcastAll(values));
  (void)done;
  Type type = values.empty() ? Type::scalar(result) : values[0].type.withElem(result);
  auto op = tt::ExternElementwiseOp::create(state->builder, state->loc(), state->typeOf(type),
                                            llvm::map_to_vector(values, unwrap), library, path, symbol, isPure);
  return wrap(op, type);
}
