//===- Builder.cpp - module, functions, places and IR types of the semantics layer -----===//
#include "State.h"

#include "mlir/IR/Verifier.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::frontend;

Semantics::State::State(MLIRContext *context, SemanticOptions options)
    : options(std::move(options)), builder(context), module(ModuleOp::create(UnknownLoc::get(context))) {
  frames.push_back({StringAttr::get(context, "<unknown>"), 0, 0, {}, UnknownLoc::get(context)});
  builder.setInsertionPointToEnd(module->getBody());
}

Semantics::Semantics(void *context, SemanticOptions options)
    : state(std::make_unique<State>(static_cast<MLIRContext *>(context), std::move(options))) {}
Semantics::~Semantics() = default;

const SemanticOptions &Semantics::options() const { return state->options; }
void *Semantics::releaseModule() { return state->module.release().getOperation(); }

Result<Nothing> Semantics::verifyModule() {
  std::string text;
  ScopedDiagnosticHandler handler(state->module->getContext(), [&](Diagnostic &diagnostic) {
    text += (text.empty() ? "" : "\n") + diagnostic.str();
    return success();
  });
  if (failed(mlir::verify(*state->module)))
    return Error{ErrorKind::Runtime, "error encountered during parsing: " + text};
  return Nothing{};
}

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

Location Semantics::State::loc() {
  if (!cached) {
    const Frame &frame = frames.back();
    Location place = FileLineColLoc::get(frame.file, frame.line, frame.column);
    if (!frame.name.empty())
      place = NameLoc::get(builder.getStringAttr(frame.name), place);
    cached = isa<UnknownLoc>(frame.caller) ? place : Location(CallSiteLoc::get(place, frame.caller));
  }
  return Location(cached);
}

void Semantics::setPlace(unsigned line, unsigned column) {
  State::Frame &frame = state->frames.back();
  if (frame.line == line && frame.column == column)
    return;
  frame.line = line;
  frame.column = column;
  state->cached = {};
}

std::string Semantics::swapName(std::string name) {
  std::string previous = std::exchange(state->frames.back().name, std::move(name));
  state->cached = {};
  return previous;
}

void Semantics::enterFile(StringRef path) {
  Location caller = state->frames.size() > 1 || state->frames.back().line ? state->loc()
                                                                          : Location(UnknownLoc::get(state->builder.getContext()));
  state->frames.push_back({state->builder.getStringAttr(path), 0, 0, {}, caller});
  state->cached = {};
}

void Semantics::leaveFile() {
  state->frames.pop_back();
  state->cached = {};
}

/// `loc` with a name; the innermost place of a call chain gets it, and a name that is there stays.
static Location named(Location loc, StringAttr name) {
  if (isa<NameLoc>(loc))
    return loc;
  if (auto call = dyn_cast<CallSiteLoc>(loc))
    return CallSiteLoc::get(call.getCallee(), named(call.getCaller(), name));
  return NameLoc::get(name, loc);
}

void Semantics::nameValue(Tensor tensor, StringRef name) {
  Value value = unwrap(tensor);
  StringAttr attr = state->builder.getStringAttr(name);
  if (auto argument = dyn_cast<BlockArgument>(value))
    argument.setLoc(named(argument.getLoc(), attr));
  else
    value.getDefiningOp()->setLoc(named(value.getLoc(), attr));
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

mlir::Type Semantics::State::typeOf(Elem elem) {
  if (elem.isPointer())
    return tt::PointerType::get(builder.getContext(), typeOf(elem.pointee()), elem.isShared ? "shared" : "global");
  switch (elem.base) {
  case Scalar::Void: return builder.getNoneType();
  case Scalar::Int1: return builder.getI1Type();
  case Scalar::Int8: case Scalar::UInt8: case Scalar::FP8E4B15: return builder.getI8Type();
  case Scalar::Int16: case Scalar::UInt16: return builder.getI16Type();
  case Scalar::Int32: case Scalar::UInt32: return builder.getI32Type();
  case Scalar::Int64: case Scalar::UInt64: return builder.getI64Type();
  case Scalar::FP8E5: return Float8E5M2Type::get(builder.getContext());
  case Scalar::FP8E5B16: return Float8E5M2FNUZType::get(builder.getContext());
  case Scalar::FP8E4NV: return Float8E4M3FNType::get(builder.getContext());
  case Scalar::FP8E4B8: return Float8E4M3FNUZType::get(builder.getContext());
  case Scalar::FP16: return builder.getF16Type();
  case Scalar::BF16: return builder.getBF16Type();
  case Scalar::FP32: return builder.getF32Type();
  case Scalar::FP64: return builder.getF64Type();
  }
  llvm_unreachable("all scalars are named above");
}

mlir::Type Semantics::State::typeOf(Type type) {
  mlir::Type elem = typeOf(type.elem());
  return type.isBlock() ? mlir::Type(RankedTensorType::get(type.shape(), elem)) : elem;
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

void Semantics::beginFunction(StringRef name, bool isPublic, bool noinlined, ArrayRef<Type> arguments,
                              ArrayRef<std::string> names, SmallVectorImpl<Tensor> &values) {
  SmallVector<mlir::Type> types;
  for (Type type : arguments)
    types.push_back(state->typeOf(type));
  OpBuilder &builder = state->builder;
  State::OpenFunction open{{}, builder.saveInsertionPoint(), {}};
  builder.setInsertionPointToEnd(state->module->getBody());
  open.function = tt::FuncOp::create(builder, state->loc(), name, builder.getFunctionType(types, {}));
  open.function.setSymVisibility(isPublic ? "public" : "private"); // said in the text, as upstream does
  open.function->setAttr("noinline", builder.getBoolAttr(noinlined));
  Block *entry = open.function.addEntryBlock();
  for (auto [index, type] : llvm::enumerate(arguments)) {
    entry->getArgument(index).setLoc(NameLoc::get(builder.getStringAttr(names[index]), state->loc()));
    values.push_back(wrap(entry->getArgument(index), type));
  }
  builder.setInsertionPointToEnd(entry);
  state->functions.push_back(std::move(open));
}

void Semantics::setArgumentAttr(unsigned index, StringRef name, int64_t value) {
  state->functions.back().function.setArgAttr(index, name, state->builder.getI32IntegerAttr(int32_t(value)));
}

void Semantics::endFunction(ArrayRef<Tensor> results) {
  State::OpenFunction open = state->functions.pop_back_val();
  SmallVector<Value> values = llvm::map_to_vector(results, unwrap);
  tt::ReturnOp::create(state->builder, state->loc(), values);
  FunctionType type = open.function.getFunctionType();
  open.function.setFunctionType(state->builder.getFunctionType(type.getInputs(), TypeRange(ValueRange(values))));
  state->builder.restoreInsertionPoint(open.outer);
}

void Semantics::call(StringRef name, ArrayRef<Tensor> arguments, ArrayRef<Type> results, SmallVectorImpl<Tensor> &values) {
  SmallVector<Value> operands = llvm::map_to_vector(arguments, unwrap);
  SmallVector<mlir::Type> types;
  for (Type type : results)
    types.push_back(state->typeOf(type));
  OperationState call(state->loc(), tt::CallOp::getOperationName());
  call.addAttribute("callee", FlatSymbolRefAttr::get(state->builder.getContext(), name));
  call.addOperands(operands);
  call.addTypes(types);
  Operation *op = state->builder.create(call);
  for (auto [value, type] : llvm::zip_equal(op->getResults(), results))
    values.push_back(wrap(value, type));
}
