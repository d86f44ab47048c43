//===- Ops.cpp - parsers, builders and verifiers of the msl dialect --------------===//
#include "triton_metal/Dialect/MSL/IR/Dialect.h"
#include "triton_metal/Support/Chips.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/FunctionImplementation.h"

using namespace mlir;
using namespace triton_metal::msl;

#define GET_OP_CLASSES
#include "triton_metal/Dialect/MSL/IR/MSLOps.cpp.inc"

static Type pointeeOf(Value value) { return cast<triton_metal::msl::PointerType>(value.getType()).getPointee(); }
static AddressSpace spaceOf(Value value) { return cast<triton_metal::msl::PointerType>(value.getType()).getSpace(); }

//===----------------------------------------------------------------------===//
// Kernel
//===----------------------------------------------------------------------===//

ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  auto buildType = [](Builder &builder, ArrayRef<Type> args, ArrayRef<Type> results, function_interface_impl::VariadicFlag,
                      std::string &) { return builder.getFunctionType(args, results); };
  return function_interface_impl::parseFunctionOp(parser, result, /*allowVariadic=*/false, getFunctionTypeAttrName(result.name),
                                                  buildType, getArgAttrsAttrName(result.name), getResAttrsAttrName(result.name));
}

void KernelOp::print(OpAsmPrinter &printer) {
  function_interface_impl::printFunctionOp(printer, *this, /*isVariadic=*/false, getFunctionTypeAttrName(), getArgAttrsAttrName(),
                                           getResAttrsAttrName());
}

LogicalResult KernelOp::verify() {
  if (getFunctionType().getNumResults())
    return emitOpError("gives no results");
  for (Type type : getFunctionType().getInputs())
    if (!isa<triton_metal::msl::PointerType, FloatType, IntegerType>(type))
      return emitOpError() << "takes pointers and numbers, not " << type;
  if (getThreads() == 0 || getThreads() % 32)
    return emitOpError() << "has " << getThreads() << " threads; a threadgroup is made of whole SIMD-groups of 32";
  return success();
}

//===----------------------------------------------------------------------===//
// Variables and memory
//===----------------------------------------------------------------------===//

LogicalResult VarOp::verify() {
  if (spaceOf(getResult()) != AddressSpace::Thread)
    return emitOpError("lives in the thread address space");
  if (getInit() && getInit().getType() != pointeeOf(getResult()))
    return emitOpError() << "of type " << pointeeOf(getResult()) << " cannot start as " << getInit().getType();
  return success();
}

Type triton_metal::msl::elementPointerOf(Type pointer) {
  auto type = dyn_cast<triton_metal::msl::PointerType>(pointer);
  if (!type || type.getSpace() != AddressSpace::Thread)
    return {};
  Type element = llvm::TypeSwitch<Type, Type>(type.getPointee())
                     .Case([](ArrayType array) { return array.getElement(); })
                     .Case([](VectorType vector) { return vector.getElementType(); })
                     .Default(Type());
  return element ? triton_metal::msl::PointerType::get(element, AddressSpace::Thread) : Type();
}

Type triton_metal::msl::fragmentPointerOf(Type pointer) {
  auto type = dyn_cast<triton_metal::msl::PointerType>(pointer);
  auto matrix = type ? dyn_cast<MatrixType>(type.getPointee()) : MatrixType();
  if (!matrix || type.getSpace() != AddressSpace::Thread)
    return {};
  return triton_metal::msl::PointerType::get(VectorType::get(2, matrix.getElement()), AddressSpace::Thread);
}

LogicalResult LoadOp::verify() {
  if (bool(getMask()) != bool(getOther()))
    return emitOpError("has a mask exactly if it has a value for the elements that are off");
  return success();
}

LogicalResult PtrCastOp::verify() {
  if (spaceOf(getPtr()) != spaceOf(getResult()) || spaceOf(getPtr()) == AddressSpace::Thread)
    return emitOpError("stays in its address space, and is not for local variables");
  return success();
}

LogicalResult ThreadgroupArrayOp::verify() {
  if (spaceOf(getResult()) != AddressSpace::Threadgroup)
    return emitOpError("is threadgroup memory");
  if (int32_t(getSize()) <= 0)
    return emitOpError("has a positive size");
  return success();
}

int64_t ThreadgroupArrayOp::getAllocatedBytes() {
  return llvm::alignTo(int64_t(getSize()) * byteSize(pointeeOf(getResult())), triton_metal::kSharedAlignment);
}

int64_t KernelOp::getThreadgroupBytes() {
  int64_t bytes = getPool();
  for (auto array : getBodyBlock().getOps<ThreadgroupArrayOp>())
    bytes += array.getAllocatedBytes();
  return bytes;
}

LogicalResult PoolOp::verify() {
  if (spaceOf(getResult()) != AddressSpace::Threadgroup)
    return emitOpError("is threadgroup memory");
  if (getOffset() % byteSize(pointeeOf(getResult())))
    return emitOpError() << "at byte " << getOffset() << " is not aligned for " << pointeeOf(getResult());
  return success();
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

void ForOp::build(OpBuilder &builder, OperationState &state, Value lower, Value upper, Value step, bool unroll) {
  OpBuilder::InsertionGuard guard(builder);
  state.addOperands({lower, upper, step});
  if (unroll)
    state.getOrAddProperties<Properties>().unroll = builder.getUnitAttr();
  Block *body = builder.createBlock(state.addRegion());
  body->addArgument(lower.getType(), state.location);
}

ParseResult ForOp::parse(OpAsmParser &parser, OperationState &result) {
  OpAsmParser::Argument counter;
  OpAsmParser::UnresolvedOperand lower, upper, step;
  if (succeeded(parser.parseOptionalKeyword("unroll")))
    result.getOrAddProperties<Properties>().unroll = parser.getBuilder().getUnitAttr();
  if (parser.parseArgument(counter) || parser.parseEqual() || parser.parseOperand(lower) || parser.parseKeyword("to") ||
      parser.parseOperand(upper) || parser.parseKeyword("step") || parser.parseOperand(step) || parser.parseColonType(counter.type) ||
      parser.resolveOperands({lower, upper, step}, counter.type, result.operands))
    return failure();
  Region *body = result.addRegion();
  if (parser.parseRegion(*body, {counter}))
    return failure();
  return parser.parseOptionalAttrDict(result.attributes);
}

void ForOp::print(OpAsmPrinter &printer) {
  if (getUnroll())
    printer << " unroll";
  printer << " " << getCounter() << " = " << getLower() << " to " << getUpper() << " step " << getStep() << " : "
          << getCounter().getType() << " ";
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false, /*printBlockTerminators=*/false);
  printer.printOptionalAttrDict((*this)->getAttrs(), {getUnrollAttrName()});
}

LogicalResult ForOp::verify() {
  if (getLower().getType() != getUpper().getType() || getLower().getType() != getStep().getType())
    return emitOpError("has bounds and step of one type");
  if (getBody().front().getNumArguments() != 1 || getCounter().getType() != getLower().getType())
    return emitOpError("has one counter, of the type of its bounds");
  return success();
}

void IfOp::build(OpBuilder &builder, OperationState &state, Value condition, bool withElse) {
  OpBuilder::InsertionGuard guard(builder);
  state.addOperands(condition);
  builder.createBlock(state.addRegion());
  Region *otherwise = state.addRegion();
  if (withElse)
    builder.createBlock(otherwise);
}

void LoopOp::build(OpBuilder &builder, OperationState &state) {
  OpBuilder::InsertionGuard guard(builder);
  builder.createBlock(state.addRegion());
}

//===----------------------------------------------------------------------===//
// SIMD-group, matrices, calls
//===----------------------------------------------------------------------===//

LogicalResult SimdOp::verify() {
  bool shuffles = llvm::is_contained({SimdKind::Shuffle, SimdKind::ShuffleXor, SimdKind::ShuffleUp, SimdKind::ShuffleDown}, getKind());
  if (shuffles != bool(getLane()))
    return emitOpError() << stringifySimdKind(getKind()) << (shuffles ? " needs a lane" : " takes no lane");
  return success();
}

LogicalResult MatrixMultiplyOp::verify() {
  for (Value operand : getOperands())
    if (!isa<MatrixType>(pointeeOf(operand)) || spaceOf(operand) != AddressSpace::Thread)
      return emitOpError() << "works on matrices in local variables, not on " << operand.getType();
  if (pointeeOf(getD()) != pointeeOf(getC()))
    return emitOpError("accumulates in the type of its result");
  return success();
}

LogicalResult CallOp::verify() {
  if (getCallee().empty())
    return emitOpError("names no function");
  return success();
}

void CallOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  // A shuffle must not move: which lanes execute it is a part of its meaning, as for SimdOp.
  if (getCallee().starts_with("shuffle_")) {
    effects.emplace_back(MemoryEffects::Write::get());
    return;
  }
  // A function of the prelude that gets a pointer works on memory; one that gets numbers only is a pure function.
  for (Value operand : getOperands())
    if (isa<triton_metal::msl::PointerType>(operand.getType())) {
      effects.emplace_back(MemoryEffects::Read::get());
      effects.emplace_back(MemoryEffects::Write::get());
      return;
    }
}
