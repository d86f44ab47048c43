//===- Types.cpp - types and attributes of the tt dialect ------------------------===//
#include "triton_metal/Dialect/Triton/IR/Dialect.h"

using namespace mlir;
using namespace triton_metal::tt;

#define GET_TYPEDEF_CLASSES
#include "triton_metal/Dialect/Triton/IR/TritonTypes.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "triton_metal/Dialect/Triton/IR/TritonAttributes.cpp.inc"

void TritonDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "triton_metal/Dialect/Triton/IR/TritonTypes.cpp.inc"
      >();
}

void TritonDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "triton_metal/Dialect/Triton/IR/TritonAttributes.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// PointerType
//===----------------------------------------------------------------------===//

LogicalResult PointerType::verify(function_ref<InFlightDiagnostic()> emitError, Type pointee, StringRef space) {
  if (!isa<IntegerType, FloatType, PointerType>(pointee))
    return emitError() << "a pointer points to an integer or floating-point element, not to " << pointee;
  if (space != "global" && space != "constant" && space != "generic" && space != "descriptor" && space != "shared")
    return emitError() << "unknown address space \"" << space << "\"; known are global, constant, generic, descriptor, shared";
  if (auto inner = dyn_cast<PointerType>(pointee); inner && inner.isShared())
    return emitError() << "a pointer into shared memory cannot be stored";
  return success();
}

Type PointerType::parse(AsmParser &parser) {
  Type pointee;
  std::string space = "global";
  if (parser.parseLess() || parser.parseType(pointee))
    return {};
  if (succeeded(parser.parseOptionalComma())) {
    int64_t number = 0;
    OptionalParseResult isNumber = parser.parseOptionalInteger(number);
    if (isNumber.has_value()) { // releases up to 3.8 number the spaces: 1 is global
      if (failed(*isNumber))
        return {};
      if (number != 0 && number != 1) {
        parser.emitError(parser.getNameLoc(), "unknown address space ") << number;
        return {};
      }
      space = number == 1 ? "global" : "generic";
    } else if (parser.parseString(&space)) {
      return {};
    }
  }
  if (parser.parseGreater())
    return {};
  return parser.getChecked<PointerType>(parser.getNameLoc(), parser.getContext(), pointee, space);
}

void PointerType::print(AsmPrinter &printer) const {
  printer << "<" << getPointeeType();
  if (getAddressSpace() != "global")
    printer << ", \"" << getAddressSpace() << "\"";
  printer << ">";
}

//===----------------------------------------------------------------------===//
// Shapes of types
//===----------------------------------------------------------------------===//

Type triton_metal::tt::withElementOf(Type type, Type element) {
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    return RankedTensorType::get(tensor.getShape(), element, tensor.getEncoding());
  return element;
}

Type triton_metal::tt::getElementOf(Type type) {
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    return tensor.getElementType();
  return type;
}

ArrayRef<int64_t> triton_metal::tt::getShapeOf(Type type) {
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    return tensor.getShape();
  return {};
}

Type triton_metal::tt::getPointeeLike(Type type) {
  auto pointer = dyn_cast<PointerType>(getElementOf(type));
  return pointer ? withElementOf(type, pointer.getPointeeType()) : Type();
}

bool triton_metal::tt::isSharedPointer(Type type) {
  auto pointer = dyn_cast<PointerType>(getElementOf(type));
  return pointer && pointer.isShared();
}

Type triton_metal::tt::getI1Like(Type type) { return withElementOf(type, IntegerType::get(type.getContext(), 1)); }
