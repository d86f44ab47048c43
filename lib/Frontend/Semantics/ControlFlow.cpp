//===- ControlFlow.cpp - conditionals and loops of the semantics layer -----------------===//
#include "State.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::frontend;

//===----------------------------------------------------------------------===//
// Insertion
//===----------------------------------------------------------------------===//

Semantics::InsertPoint Semantics::savePoint() const {
  OpBuilder::InsertPoint point = state->builder.saveInsertionPoint();
  bool atEnd = point.getPoint() == point.getBlock()->end();
  return {point.getBlock(), atEnd ? nullptr : &*point.getPoint()};
}

void Semantics::restorePoint(InsertPoint point) {
  if (point.before)
    state->builder.setInsertionPoint(static_cast<Operation *>(point.before));
  else
    state->builder.setInsertionPointToEnd(static_cast<Block *>(point.block));
}

void *Semantics::newBlock() { return new Block(); }

void Semantics::deleteBlock(void *handle) {
  auto *block = static_cast<Block *>(handle);
  block->dropAllReferences();
  block->dropAllDefinedValueUses();
  delete block;
}

bool Semantics::isEmptyBlock(void *block) const { return static_cast<Block *>(block)->empty(); }

void Semantics::setToEnd(void *block) { state->builder.setInsertionPointToEnd(static_cast<Block *>(block)); }

static void wrapAll(ValueRange values, ArrayRef<Tensor> like, SmallVectorImpl<Tensor> &results) {
  for (auto [value, tensor] : llvm::zip_equal(values, like))
    results.push_back(wrap(value, tensor.type));
}

static void nameArguments(OpBuilder &builder, ValueRange arguments, ArrayRef<std::string> names, Location place) {
  for (auto [argument, name] : llvm::zip_equal(arguments, names))
    cast<BlockArgument>(argument).setLoc(NameLoc::get(builder.getStringAttr(name), place));
}

Tensor Semantics::poison(Type type) {
  return wrap(ub::PoisonOp::create(state->builder, state->loc(), state->typeOf(type)), type);
}

//===----------------------------------------------------------------------===//
// Conditionals
//===----------------------------------------------------------------------===//

void Semantics::createIf(Tensor condition, void *thenBlock, void *elseBlock, ArrayRef<Type> types,
                         SmallVectorImpl<Tensor> &results) {
  SmallVector<mlir::Type> resultTypes;
  for (Type type : types)
    resultTypes.push_back(state->typeOf(type));
  auto op = scf::IfOp::create(state->builder, state->loc(), resultTypes, unwrap(condition), /*addThenBlock=*/false,
                              /*addElseBlock=*/false);
  op.getThenRegion().push_back(static_cast<Block *>(thenBlock));
  if (elseBlock)
    op.getElseRegion().push_back(static_cast<Block *>(elseBlock));
  for (auto [value, type] : llvm::zip_equal(op.getResults(), types))
    results.push_back(wrap(value, type));
}

void Semantics::yield(ArrayRef<Tensor> values) {
  scf::YieldOp::create(state->builder, state->loc(), llvm::map_to_vector(values, unwrap));
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// What `disable_licm` puts on a loop.
static Attribute disableLicm(MLIRContext *context) {
  context->getOrLoadDialect<LLVM::LLVMDialect>();
  auto yes = BoolAttr::get(context, true);
  auto licm = LLVM::LoopLICMAttr::get(context, yes, yes);
  return LLVM::LoopAnnotationAttr::get(context, {}, {}, {}, {}, {}, licm, {}, {}, {}, {}, {}, {}, {}, {}, {});
}

Result<Tensor> Semantics::beginFor(Operand start, Operand end, Operand step, ArrayRef<Tensor> inits, StringRef name,
                                   ArrayRef<std::string> names, const LoopOptions &options, SmallVectorImpl<Tensor> &carried) {
  // A negative constant step runs the mirrored loop, because scf.for counts upwards.
  bool mirrored = false;
  if (auto *number = std::get_if<Number>(&step); number && number->isNegative()) {
    mirrored = true;
    number->integer = -number->integer;
    number->real = -number->real;
    std::swap(start, end);
  }
  TM_TRY(lower, toTensor(start));
  TM_TRY(upper, toTensor(end));
  TM_TRY(stride, toTensor(step));
  if (!lower.elem().isInt() || !upper.elem().isInt() || !stride.elem().isInt())
    return typeError("For loop bounds and step must all be ints, are (" + lower.elem().str() + ", " + upper.elem().str() + ", " +
                     stride.elem().str() + ")");
  for (auto [value, what] : {std::pair(&lower, "lower bound"), std::pair(&upper, "upper bound"), std::pair(&stride, "step")}) {
    if (value->type.numElements() != 1)
      return typeError(std::string("For ") + what + " must be a scalar, got " + value->type.str());
    TM_TRY(scalar, unsplat(*value));
    *value = scalar;
  }
  TM_TRY(both, integerPromote(lower.elem(), upper.elem()));
  TM_TRY(elem, integerPromote(both, stride.elem()));
  TM_TRY(first, cast(lower, elem));
  TM_TRY(last, cast(upper, elem));
  TM_TRY(by, cast(stride, elem));

  OpBuilder &builder = state->builder;
  auto loop = scf::ForOp::create(builder, state->loc(), unwrap(first), unwrap(last), unwrap(by),
                                 llvm::map_to_vector(inits, unwrap));
  if (options.numStages)
    loop->setAttr("tt.num_stages", builder.getI32IntegerAttr(int32_t(*options.numStages)));
  if (options.unrollFactor)
    loop->setAttr("tt.loop_unroll_factor", builder.getI32IntegerAttr(int32_t(*options.unrollFactor)));
  if (options.disallowAccMultiBuffer)
    loop->setAttr("tt.disallow_acc_multi_buffer", builder.getUnitAttr());
  if (options.flatten)
    loop->setAttr("tt.flatten", builder.getUnitAttr());
  if (options.warpSpecialize)
    loop->setAttr("tt.warp_specialize", builder.getUnitAttr());
  if (options.disableLicm)
    loop->setAttr("llvm.loop_annotation", disableLicm(builder.getContext()));

  Block *body = loop.getBody();
  if (!body->empty())
    body->back().erase(); // the builder ends bodies without carried values by itself
  nameArguments(builder, loop.getRegionIterArgs(), names, state->loc());
  cast<BlockArgument>(loop.getInductionVar()).setLoc(NameLoc::get(builder.getStringAttr(name), state->loc()));
  builder.setInsertionPointToEnd(body);
  state->loops.push_back(loop);
  wrapAll(loop.getRegionIterArgs(), inits, carried);
  Value index = loop.getInductionVar();
  if (mirrored) {
    Value fromEnd = state->make<arith::SubIOp>(unwrap(last), index);
    index = state->make<arith::AddIOp>(fromEnd, unwrap(first));
  }
  return wrap(index, Type::scalar(elem));
}

void Semantics::endFor(ArrayRef<Tensor> values, SmallVectorImpl<Tensor> &results) {
  auto loop = cast<scf::ForOp>(state->loops.pop_back_val());
  yield(values);
  state->builder.setInsertionPointAfter(loop);
  wrapAll(loop.getResults(), values, results);
}

void Semantics::beginWhile(ArrayRef<Tensor> inits, ArrayRef<std::string> names, SmallVectorImpl<Tensor> &carried) {
  OpBuilder &builder = state->builder;
  SmallVector<Value> values = llvm::map_to_vector(inits, unwrap);
  SmallVector<mlir::Type> types(TypeRange{ValueRange(values)});
  auto loop = scf::WhileOp::create(builder, state->loc(), types, values);
  SmallVector<Location> locs(types.size(), state->loc());
  Block *before = builder.createBlock(&loop.getBefore(), {}, types, locs);
  nameArguments(builder, before->getArguments(), names, state->loc());
  state->loops.push_back(loop);
  wrapAll(before->getArguments(), inits, carried);
}

void Semantics::beginWhileBody(Tensor condition, bool noLicm, ArrayRef<Tensor> forwarded, ArrayRef<std::string> names,
                               SmallVectorImpl<Tensor> &carried) {
  OpBuilder &builder = state->builder;
  auto loop = cast<scf::WhileOp>(state->loops.back());
  scf::ConditionOp::create(builder, state->loc(), unwrap(condition), llvm::map_to_vector(forwarded, unwrap));
  if (noLicm)
    loop->setAttr("llvm.loop_annotation", disableLicm(builder.getContext()));
  SmallVector<mlir::Type> types(loop.getResultTypes());
  SmallVector<Location> locs(types.size(), state->loc());
  Block *after = builder.createBlock(&loop.getAfter(), {}, types, locs);
  nameArguments(builder, after->getArguments(), names, state->loc());
  wrapAll(after->getArguments(), forwarded, carried);
}

void Semantics::endWhile(ArrayRef<Tensor> values, SmallVectorImpl<Tensor> &results) {
  auto loop = cast<scf::WhileOp>(state->loops.pop_back_val());
  yield(values);
  state->builder.setInsertionPointAfter(loop);
  wrapAll(loop.getResults(), values, results);
}
