//===- Types.cpp - the layout attribute and the memory type ---------------------------===//
#include "triton_metal/Dialect/TritonMetal/IR/Dialect.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::ttm;

#define GET_TYPEDEF_CLASSES
#include "triton_metal/Dialect/TritonMetal/IR/TritonMetalTypes.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "triton_metal/Dialect/TritonMetal/IR/TritonMetalAttributes.cpp.inc"

void TritonMetalDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "triton_metal/Dialect/TritonMetal/IR/TritonMetalTypes.cpp.inc"
      >();
}
void TritonMetalDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "triton_metal/Dialect/TritonMetal/IR/TritonMetalAttributes.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// LayoutAttr
//===----------------------------------------------------------------------===//

LogicalResult LayoutAttr::verify(function_ref<InFlightDiagnostic()> emitError, ArrayRef<int64_t> shape, ArrayRef<uint32_t> registers,
                                 ArrayRef<uint32_t> lanes, ArrayRef<uint32_t> simdgroups) {
  if (llvm::is_contained(registers, 0u))
    return emitError() << "register bases of a layout are not zero";
  std::string why;
  if (!LinearLayout(shape, registers, lanes, simdgroups).isValid(&why))
    return emitError() << "not a layout: " << why;
  return success();
}

LogicalResult LayoutAttr::verifyEncoding(ArrayRef<int64_t> shape, Type, function_ref<InFlightDiagnostic()> emitError) const {
  if (shape != getShape())
    return emitError() << "a layout of shape [" << getShape() << "] on a tensor of shape [" << shape << "]";
  return success();
}

using Coordinates = SmallVector<SmallVector<int64_t>>;

static ParseResult parseBases(AsmParser &parser, StringRef name, Coordinates &bases) {
  if (parser.parseKeyword(name) || parser.parseEqual())
    return failure();
  return parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&]() {
    bases.emplace_back();
    return parser.parseCommaSeparatedList(AsmParser::Delimiter::Square,
                                          [&]() { return parser.parseInteger(bases.back().emplace_back()); });
  });
}

Attribute LayoutAttr::parse(AsmParser &parser, Type) {
  SMLoc loc = parser.getCurrentLocation();
  Coordinates registers, lanes, simdgroups;
  if (parser.parseLess() || parseBases(parser, "register", registers) || parser.parseComma() || parseBases(parser, "lane", lanes) ||
      parser.parseComma() || parseBases(parser, "simdgroup", simdgroups) || parser.parseGreater())
    return {};
  size_t rank = lanes.empty() ? 0 : lanes.front().size();
  SmallVector<int64_t> shape(rank, 1);
  for (Coordinates *list : {&registers, &lanes, &simdgroups})
    for (auto &basis : *list) {
      if (basis.size() != rank) {
        parser.emitError(loc, "every basis has as many coordinates as the tensor has dimensions");
        return {};
      }
      for (auto [size, coordinate] : llvm::zip(shape, basis)) {
        if (coordinate < 0 || coordinate >= tt::kMaxTensorElements) {
          parser.emitError(loc, "coordinate ") << coordinate << " is outside every tensor";
          return {};
        }
        while (size <= coordinate)
          size *= 2;
      }
    }
  if (llvm::accumulate(shape, int64_t(1), [](int64_t a, int64_t b) { return std::min(a * b, 2 * tt::kMaxTensorElements); }) >
      tt::kMaxTensorElements) {
    parser.emitError(loc, "a tensor has at most 2^20 elements");
    return {};
  }
  LinearLayout numbering(shape, {}, {}, {});
  auto flat = [&](const Coordinates &bases) {
    return llvm::map_to_vector(bases, [&](const auto &basis) { return numbering.getElement(basis); });
  };
  return parser.getChecked<LayoutAttr>(loc, parser.getContext(), ArrayRef<int64_t>(shape), ArrayRef<uint32_t>(flat(registers)),
                                       ArrayRef<uint32_t>(flat(lanes)), ArrayRef<uint32_t>(flat(simdgroups)));
}

void LayoutAttr::print(AsmPrinter &printer) const { printer << "<" << getLayout().str() << ">"; }

//===----------------------------------------------------------------------===//
// MemoryType
//===----------------------------------------------------------------------===//

int64_t MemoryType::getNumElements() const {
  int64_t count = 1;
  for (int64_t size : getShape())
    count *= size;
  return count;
}
int64_t MemoryType::getElementBytes() const {
  if (isa<tt::PointerType>(getElementType()))
    return 8;
  return std::max<int64_t>(1, getElementType().getIntOrFloatBitWidth() / 8);
}
int64_t MemoryType::getPlace(int64_t element) const {
  return getPadAmount() ? element + element / getPadInterval() * getPadAmount() : element;
}
int64_t MemoryType::getNumBytes() const { return (getPlace(getNumElements() - 1) + 1) * getElementBytes(); }

LogicalResult MemoryType::verify(function_ref<InFlightDiagnostic()> emitError, ArrayRef<int64_t> shape, Type element, int64_t interval,
                                 int64_t amount) {
  if (!isa<IntegerType, FloatType, tt::PointerType>(element))
    return emitError() << "threadgroup memory holds numbers or pointers, not " << element;
  for (int64_t size : shape)
    if (size <= 0 || !llvm::isPowerOf2_64(size))
      return emitError() << "sizes in threadgroup memory are powers of two, got " << size;
  if (amount < 0 || (amount && (interval <= 0 || !llvm::isPowerOf2_64(interval))))
    return emitError() << "padding of " << amount << " every " << interval << " elements; the interval must be a power of two";
  return success();
}

Type MemoryType::parse(AsmParser &parser) {
  SMLoc loc = parser.getCurrentLocation();
  SmallVector<int64_t> shape;
  Type element;
  int64_t interval = 0, amount = 0;
  if (parser.parseLess() || parser.parseDimensionList(shape, /*allowDynamic=*/false) || parser.parseType(element))
    return {};
  if (succeeded(parser.parseOptionalComma()) && (parser.parseKeyword("pad") || parser.parseInteger(amount) ||
                                                 parser.parseKeyword("every") || parser.parseInteger(interval)))
    return {};
  if (parser.parseGreater())
    return {};
  return parser.getChecked<MemoryType>(loc, parser.getContext(), ArrayRef<int64_t>(shape), element, interval, amount);
}

void MemoryType::print(AsmPrinter &printer) const {
  printer << "<";
  for (int64_t size : getShape())
    printer << size << "x";
  printer << getElementType();
  if (getPadAmount())
    printer << ", pad " << getPadAmount() << " every " << getPadInterval();
  printer << ">";
}
