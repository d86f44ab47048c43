//===- Reductions.cpp - dot, reductions, scans, histograms ---------------------------===//
#include "State.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::frontend;

//===----------------------------------------------------------------------===//
// Contraction
//===----------------------------------------------------------------------===//

static std::string constexprShape(ArrayRef<int64_t> shape) {
  std::string text = "['";
  for (auto [index, size] : llvm::enumerate(shape))
    text += (index ? ", 'constexpr[" : "constexpr[") + std::to_string(size) + "]'";
  return text + "]";
}

/// The type of the products' sum: what the operands, or the caller, ask for.
static Result<Elem> dotResult(Elem elem, Elem out) {
  if (elem.isInt()) {
    if (!elem.is(Scalar::Int8))
      return assertionError("only int8 supported!");
    return Elem{Scalar::Int32};
  }
  if (out.is(Scalar::BF16))
    return valueError("out_dtype=bfloat16 is unsupported. Please use out_dtype=float32/float16 and cast with `.to(tl.bfloat16)`");
  if (elem.is(Scalar::FP32) || elem.is(Scalar::BF16))
    return Elem{Scalar::FP32};
  if (elem.is(Scalar::FP64))
    return elem;
  return out;
}

Result<Tensor> Semantics::dot(Tensor a, Tensor b, std::optional<Tensor> acc, StringRef precisionText,
                              std::optional<int64_t> imprecise, std::optional<Elem> outElem) {
  if (!a.isBlock() || !b.isBlock())
    return assertionError("dot operands must be block tensors (not scalars)");
  Elem ea = a.elem(), eb = b.elem();
  if (!(ea.isFP8() && eb.isFP8())) {
    auto supported = [](Elem elem) {
      return elem.is(Scalar::Int8) || elem.is(Scalar::UInt8) || elem.isStandardFloating();
    };
    if (!supported(ea))
      return assertionError("Unsupported lhs dtype " + ea.str());
    if (!supported(eb))
      return assertionError("Unsupported rhs dtype " + eb.str());
    if (ea != eb)
      return assertionError("Both operands must be same dtype. Got " + ea.str() + " and " + eb.str());
  }
  if (ea.is(Scalar::FP8E4B15) || eb.is(Scalar::FP8E4B15)) { // bytes without an MLIR type; float16 holds all of their values
    TM_TRY(left, cast(a, {Scalar::FP16}));
    TM_TRY(right, cast(b, {Scalar::FP16}));
    a = left;
    b = right;
    ea = eb = {Scalar::FP16};
  }
  int64_t rank = a.type.rank();
  if (rank != b.type.rank() || rank < 2)
    return assertionError("Both inputs must be either 2D or 3D; (lhs: " + constexprShape(a.type.shape()) +
                          " vs rhs: " + constexprShape(b.type.shape()) + ")");
  ArrayRef<int64_t> sa = a.type.shape(), sb = b.type.shape();
  if (sa[rank - 1] != sb[rank - 2])
    return assertionError("First input shape (" + constexprShape(sa) + ") and second input shape " + constexprShape(sb) +
                          " are not compatible for matmul (second index of first shape (" + std::to_string(sa[rank - 1]) +
                          ") must be equal to first index of second shape (" + std::to_string(sb[rank - 2]) + ")");
  for (int64_t dim = 0; dim + 2 < rank; ++dim)
    if (sa[dim] != sb[dim])
      return assertionError("input and other must have equal batch dimensions, got " + shapeStr(sa) + " and " + shapeStr(sb));
  auto precision = llvm::StringSwitch<std::optional<tt::InputPrecision>>(
                       precisionText.empty() ? StringRef(state->options.defaultInputPrecision) : precisionText)
                       .CaseLower("tf32", tt::InputPrecision::TF32)
                       .CaseLower("tf32x3", tt::InputPrecision::TF32x3)
                       .CaseLower("ieee", tt::InputPrecision::IEEE)
                       .CaseLower("bf16x3", tt::InputPrecision::BF16x3)
                       .CaseLower("bf16x6", tt::InputPrecision::BF16x6)
                       .Default(std::nullopt);
  if (!precision)
    return assertionError("input_precision must be one of ('ieee', 'tf32', 'tf32x3', 'bf16x3', 'bf16x6'). Got " +
                          precisionText.str());
  Elem out = outElem ? *outElem : acc ? acc->elem() : Elem{Scalar::FP32};
  TM_TRY(elem, dotResult(ea, out));

  SmallVector<int64_t> shape(sa);
  shape[rank - 1] = sb[rank - 1];
  if (acc) {
    if (acc->type.shape() != ArrayRef<int64_t>(shape))
      return assertionError("expected accumulator shape " + shapeStr(shape) + ", got " + shapeStr(acc->type.shape()));
    Elem wanted = outElem ? *outElem : acc->elem();
    if (acc->elem() != wanted || acc->elem() != elem)
      return assertionError("expected accumulator dtype " + (acc->elem() != wanted ? wanted : elem).str() + ", got " +
                            acc->elem().str() + "; pass out_dtype=" + acc->elem().str() + " to use this accumulator dtype");
  }
  if (imprecise && ea.isFP8() && eb.isFP8() && *imprecise > sa[rank - 1])
    return valueError("max_num_imprecise_acc (" + std::to_string(*imprecise) + ") must be <= K (" + std::to_string(sa[rank - 1]) +
                      ")");
  TM_TRY(checked, checkShape(shape));
  (void)checked;

  Tensor c;
  if (acc) {
    c = *acc;
  } else {
    TM_TRY(zero, full(shape, elem.isFloating() ? Number::fromFloat(0) : Number::fromInt(0), elem));
    c = zero;
  }
  // Leading dimensions beyond one batch dimension are folded into it.
  if (rank > 3) {
    auto flat = [&](Tensor value) {
      ArrayRef<int64_t> from = value.type.shape();
      int64_t batch = 1;
      for (int64_t size : from.drop_back(2))
        batch *= size;
      return reshape(value, {batch, from[rank - 2], from[rank - 1]}, false);
    };
    TM_TRY(flatA, flat(a));
    TM_TRY(flatB, flat(b));
    TM_TRY(flatC, flat(c));
    a = flatA, b = flatB, c = flatC;
  }
  auto op = tt::DotOp::create(state->builder, state->loc(), unwrap(c).getType(), unwrap(a), unwrap(b), unwrap(c), *precision,
                              uint32_t(imprecise.value_or(0)));
  return reshape(wrap(op, c.type), shape, false);
}

//===----------------------------------------------------------------------===//
// Reductions and scans
//===----------------------------------------------------------------------===//

static Result<Nothing> checkInputs(ArrayRef<Tensor> inputs, int64_t axis, const char *what) {
  if (inputs.empty())
    return assertionError(std::string(what) + " needs at least one input");
  ArrayRef<int64_t> shape = inputs[0].type.shape();
  if (axis < 0 || axis >= int64_t(shape.size()))
    return assertionError(std::string(what) + " axis must be < inputs rank (" + std::to_string(shape.size()) + ")");
  for (const Tensor &input : inputs)
    if (input.type.shape() != shape)
      return assertionError(std::string("all ") + what + " inputs must have the same shape");
  return Nothing{};
}

/// The combine region's block: all first operands, then all second ones.
static void openCombine(Semantics::State &state, Operation *op, ArrayRef<Tensor> inputs, SmallVectorImpl<Tensor> &arguments) {
  SmallVector<mlir::Type> types;
  for (unsigned round = 0; round < 2; ++round)
    for (const Tensor &input : inputs)
      types.push_back(state.typeOf(input.elem()));
  SmallVector<Location> locs(types.size(), state.loc());
  Block *block = state.builder.createBlock(&op->getRegion(0), {}, types, locs);
  for (auto [index, argument] : llvm::enumerate(block->getArguments()))
    arguments.push_back(wrap(argument, frontend::Type::scalar(inputs[index % inputs.size()].elem())));
  state.combines.push_back(op);
  state.combineLocs.push_back(state.loc());
}

Result<Nothing> Semantics::beginReduce(ArrayRef<Tensor> inputs, int64_t axis, SmallVectorImpl<Tensor> &arguments) {
  TM_TRY(checked, checkInputs(inputs, axis, "reduction"));
  (void)checked;
  SmallVector<int64_t> shape(inputs[0].type.shape());
  shape.erase(shape.begin() + axis);
  SmallVector<mlir::Type> types;
  for (const Tensor &input : inputs)
    types.push_back(state->typeOf(Type::block(input.elem(), shape)));
  auto op = tt::ReduceOp::create(state->builder, state->loc(), types, llvm::map_to_vector(inputs, unwrap), uint32_t(axis));
  openCombine(*state, op, inputs, arguments);
  return Nothing{};
}

Result<Nothing> Semantics::beginScan(ArrayRef<Tensor> inputs, int64_t axis, bool reverse, SmallVectorImpl<Tensor> &arguments) {
  TM_TRY(checked, checkInputs(inputs, axis, "scan"));
  (void)checked;
  SmallVector<Value> values = llvm::map_to_vector(inputs, unwrap);
  auto op = tt::ScanOp::create(state->builder, state->loc(), TypeRange(ValueRange(values)), values, uint32_t(axis), reverse);
  openCombine(*state, op, inputs, arguments);
  return Nothing{};
}

Result<Nothing> Semantics::endCombine(ArrayRef<Tensor> values, SmallVectorImpl<Tensor> &results) {
  Operation *op = state->combines.pop_back_val();
  state->combineLocs.pop_back();
  if (values.size() != op->getNumOperands())
    return assertionError("the combine function must return " + std::to_string(op->getNumOperands()) + " values, it returns " +
                          std::to_string(values.size()));
  Block &block = op->getRegion(0).front();
  for (auto [index, value] : llvm::enumerate(values))
    if (unwrap(value).getType() != block.getArgument(index).getType())
      return assertionError("the combine function must keep the types of its operands: value " + std::to_string(index) + " is " +
                            value.type.str());
  SmallVector<Value> yielded = llvm::map_to_vector(values, unwrap);
  bool isReduce = isa<tt::ReduceOp>(op);
  if (isReduce)
    tt::ReduceReturnOp::create(state->builder, state->loc(), yielded);
  else
    tt::ScanReturnOp::create(state->builder, state->loc(), yielded);
  state->builder.setInsertionPointAfter(op);
  for (auto [result, value] : llvm::zip_equal(op->getResults(), values)) {
    ArrayRef<int64_t> shape;
    if (auto tensor = dyn_cast<RankedTensorType>(result.getType()))
      shape = tensor.getShape();
    results.push_back(wrap(result, Type::block(value.elem(), shape)));
  }
  return Nothing{};
}

Result<Tensor> Semantics::histogram(Tensor value, int64_t bins, std::optional<Tensor> mask) {
  if (value.type.rank() != 1)
    return assertionError("histogram only supports 1D input");
  if (!value.elem().isInt())
    return assertionError("histogram only supports integer input");
  if (value.elem().bits() != 32)
    return valueError("histogram only supports 32-bit integer input, got " + value.elem().str());
  TM_TRY(checked, checkShape({bins}));
  (void)checked;
  Value maskValue;
  if (mask) {
    TM_TRY(wide, broadcastTo(*mask, value.type.shape()));
    if (!wide.elem().isBool())
      return valueError("Mask must have boolean scalar type");
    maskValue = unwrap(wide);
  }
  Type type = Type::block({Scalar::Int32}, {bins});
  return wrap(state->make<tt::HistogramOp>(state->typeOf(type), unwrap(value), maskValue), type);
}
