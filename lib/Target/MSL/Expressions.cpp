//===- Expressions.cpp - the text of values ----------------------------------------===//
//
// One spelling an operation. Signless integers are Metal's unsigned types, but for names that are declared as signed: an operation
// that reads a sign casts its operands and casts its result back. Types narrower than 32 bits are promoted to int by C++, so a
// result of that width is cast as well.
//
//===----------------------------------------------------------------------===//
#include "Expressions.h"
#include "Spelling.h"

using namespace mlir;
using namespace triton_metal::msl;

static bool isNarrow(Type type) { return type.isInteger() && type.getIntOrFloatBitWidth() < 32 && !type.isInteger(1); }

static TypedAttr constantOf(Value value) {
  auto constant = value.getDefiningOp<arith::ConstantOp>();
  return constant ? constant.getValue() : TypedAttr();
}

/// Whether the name of `value` is declared as a signed integer.
static bool isDeclaredSigned(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    auto kernel = dyn_cast<KernelOp>(argument.getOwner()->getParentOp());
    return kernel && kernel.getArgAttr(argument.getArgNumber(), kSignedAttr);
  }
  return value.getDefiningOp()->hasAttr(kSignedAttr);
}

/// The greatest number that `value` may be, if that is known and no step to it wraps.
static std::optional<uint64_t> greatest(Value value, unsigned depth = 0) {
  auto atMost = [](uint64_t number) { return number <= uint64_t(INT32_MAX) ? std::optional<uint64_t>(number) : std::nullopt; };
  if (auto integer = dyn_cast_or_null<IntegerAttr>(constantOf(value)))
    return atMost(integer.getValue().getLimitedValue());
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    auto loop = dyn_cast<ForOp>(argument.getOwner()->getParentOp());
    return loop && loop.getUnroll() ? greatest(loop.getUpper()) : std::nullopt;
  }
  Operation *op = value.getDefiningOp();
  if (depth > 12)
    return std::nullopt;
  auto operand = [&](unsigned number) { return greatest(op->getOperand(number), depth + 1); };
  if (auto builtin = dyn_cast<BuiltinOp>(op)) {
    if (builtin.getKind() == Builtin::Thread)
      return 1023;
    return builtin.getKind() == Builtin::Lane || builtin.getKind() == Builtin::SimdGroup ? std::optional<uint64_t>(31) : std::nullopt;
  }
  if (isa<arith::AndIOp>(op))
    return operand(1);
  if (!isa<arith::AddIOp, arith::MulIOp, arith::ShRUIOp>(op))
    return std::nullopt;
  std::optional<uint64_t> a = operand(0), b = operand(1);
  if (!a || !b)
    return std::nullopt;
  return isa<arith::ShRUIOp>(op) ? a : atMost(isa<arith::AddIOp>(op) ? *a + *b : *a * *b);
}

std::string ExpressionPrinter::nameOf(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    Operation *parent = argument.getOwner()->getParentOp();
    if (auto loop = dyn_cast<ForOp>(parent))
      return cast<StringAttr>(loop->getAttr(kNameAttr)).str();
    auto kernel = cast<KernelOp>(parent);
    return "params." + cast<StringAttr>(kernel.getArgAttr(argument.getArgNumber(), kNameAttr)).str();
  }
  auto name = value.getDefiningOp()->getAttrOfType<StringAttr>(kNameAttr);
  return name && !isa<VarOp>(value.getDefiningOp()) ? name.str() : std::string();
}

Expression ExpressionPrinter::print(Value value) {
  std::string name = nameOf(value);
  if (name.empty())
    return printDefinition(value.getDefiningOp());
  return isDeclaredSigned(value) ? cast(spellType(value.getType()), name) : Expression{name};
}

std::string ExpressionPrinter::asSigned(Value value) {
  if (auto integer = dyn_cast_or_null<IntegerAttr>(constantOf(value)))
    return spellSignedLiteral(integer.getValue());
  if (isDeclaredSigned(value))
    return nameOf(value);
  return (spellSigned(value.getType()) + "(" + print(value).text + ")").str();
}

Expression ExpressionPrinter::asOffset(Value value) {
  return greatest(value) && !isDeclaredSigned(value) ? print(value) : Expression{asSigned(value)};
}

std::string ExpressionPrinter::marked(Operation *op, const std::string &text) {
  origins.insert(op->getLoc());
  auto number = std::find(origins.begin(), origins.end(), op->getLoc()) - origins.begin();
  return kOriginBegin + std::to_string(number) + kOriginIs + text + kOriginEnd;
}

/// `text` as it is put to paper.
static std::string withoutMarks(const std::string &text) {
  std::string shown;
  for (size_t at = 0; at < text.size(); ++at)
    if (text[at] == ExpressionPrinter::kOriginBegin)
      at = text.find(ExpressionPrinter::kOriginIs, at);
    else if (text[at] != ExpressionPrinter::kOriginEnd)
      shown += text[at];
  return shown;
}

Expression ExpressionPrinter::binary(Operation *op, StringRef symbol, Precedence precedence, bool commutes) {
  // The right operand of an operator that does not associate needs parentheses at equal precedence. `+` and `*` on floats
  // associate to the left in C++, so a right operand keeps its parentheses there too: the order of rounding is the operation's.
  bool integer = op->getResult(0).getType().isIntOrIndex();
  auto tighter = Precedence(int(precedence) + 1);
  std::string left = print(op->getOperand(0)).in(precedence);
  std::string right = print(op->getOperand(1)).in(commutes && integer ? precedence : tighter);
  // Beside an unsigned number a signed one is taken as unsigned.
  bool mixes = isa<arith::AddIOp, arith::SubIOp, arith::MulIOp, arith::AndIOp, arith::OrIOp, arith::XOrIOp>(op);
  bool leftSigned = isDeclaredSigned(op->getOperand(0)), rightSigned = isDeclaredSigned(op->getOperand(1));
  if (mixes && leftSigned != rightSigned)
    (leftSigned ? left : right) = nameOf(op->getOperand(leftSigned ? 0 : 1));
  Expression result{left + " " + symbol.str() + " " + right, precedence};
  Type type = op->getResult(0).getType();
  return isNarrow(type) ? cast(spellType(type), result.text) : result;
}

Expression ExpressionPrinter::comparison(arith::CmpIOp op) {
  static constexpr StringLiteral symbols[] = {"==", "!=", "<", "<=", ">", ">=", "<", "<=", ">", ">="};
  auto predicate = op.getPredicate();
  bool equality = predicate == arith::CmpIPredicate::eq || predicate == arith::CmpIPredicate::ne;
  Precedence precedence = equality ? Precedence::Equality : Precedence::Relation;
  auto tighter = Precedence(int(precedence) + 1);
  bool readsSign = !equality && predicate <= arith::CmpIPredicate::sge;
  std::string left = readsSign ? asSigned(op.getLhs()) : print(op.getLhs()).in(tighter);
  std::string right = readsSign ? asSigned(op.getRhs()) : print(op.getRhs()).in(tighter);
  return {left + " " + symbols[unsigned(predicate)].str() + " " + right, precedence};
}

Expression ExpressionPrinter::comparison(arith::CmpFOp op) {
  StringRef symbol;
  switch (op.getPredicate()) {
  case arith::CmpFPredicate::OEQ:
    symbol = "==";
    break;
  case arith::CmpFPredicate::UNE:
    symbol = "!=";
    break;
  case arith::CmpFPredicate::OLT:
    symbol = "<";
    break;
  case arith::CmpFPredicate::OLE:
    symbol = "<=";
    break;
  case arith::CmpFPredicate::OGT:
    symbol = ">";
    break;
  case arith::CmpFPredicate::OGE:
    symbol = ">=";
    break;
  default:
    llvm_unreachable("a comparison that msl-verify-printable refuses");
  }
  Precedence precedence = symbol == "==" || symbol == "!=" ? Precedence::Equality : Precedence::Relation;
  auto tighter = Precedence(int(precedence) + 1);
  return {print(op.getLhs()).in(tighter) + " " + symbol.str() + " " + print(op.getRhs()).in(tighter), precedence};
}

Expression ExpressionPrinter::call(StringRef function, ValueRange arguments) {
  std::string text = function.str() + "(";
  llvm::interleave(
      arguments, [&](Value argument) { text += print(argument).text; }, [&] { text += ", "; });
  return {text + ")"};
}

Expression ExpressionPrinter::signedCall(Operation *op, StringRef name) {
  std::string text = name.str() + "(";
  llvm::interleave(
      op->getOperands(), [&](Value operand) { text += (spellSigned(operand.getType()) + "(" + print(operand).text + ")").str(); },
      [&] { text += ", "; });
  return cast(spellType(op->getResult(0).getType()), text + ")");
}

Expression ExpressionPrinter::simd(SimdOp op) {
  static constexpr StringLiteral names[] = {"simd_sum",     "simd_product",
                                            "simd_max",     "simd_min",
                                            "simd_max",     "simd_min",
                                            "simd_and",     "simd_or",
                                            "simd_xor",     "simd_prefix_inclusive_sum",
                                            "simd_shuffle", "simd_shuffle_xor",
                                            "simd_shuffle_up", "simd_shuffle_down",
                                            "simd_any",     "simd_all"};
  std::string name = "metal::" + names[unsigned(op.getKind())].str();
  if (op.getKind() == SimdKind::SMax || op.getKind() == SimdKind::SMin)
    return signedCall(op, name);
  if (!op.getLane())
    return call(name, op.getValue());
  std::string lane;
  if (auto constant = dyn_cast_or_null<IntegerAttr>(constantOf(op.getLane())))
    lane = llvm::toString(constant.getValue(), 10, false);
  else
    lane = print(op.getLane()).text;
  return {name + "(" + print(op.getValue()).text + ", ushort(" + lane + "))"};
}

Expression ExpressionPrinter::atomic(AtomicOp op) {
  StringRef name, word = "metal::atomic_uint";
  bool readsSign = false;
  switch (op.getKind()) {
  case AtomicKind::Add:
    name = "fetch_add";
    break;
  case AtomicKind::FAdd:
    name = "fetch_add", word = "metal::atomic_float";
    break;
  case AtomicKind::Max:
    name = "fetch_max";
    break;
  case AtomicKind::Min:
    name = "fetch_min";
    break;
  case AtomicKind::SMax:
    name = "fetch_max", word = "metal::atomic_int", readsSign = true;
    break;
  case AtomicKind::SMin:
    name = "fetch_min", word = "metal::atomic_int", readsSign = true;
    break;
  case AtomicKind::And:
    name = "fetch_and";
    break;
  case AtomicKind::Or:
    name = "fetch_or";
    break;
  case AtomicKind::Xor:
    name = "fetch_xor";
    break;
  case AtomicKind::Exchange:
    name = "exchange";
    if (op.getValue().getType().isF32())
      word = "metal::atomic_float";
    break;
  }
  std::string value = print(op.getValue()).text;
  StringRef space = spellSpace(llvm::cast<triton_metal::msl::PointerType>(op.getPtr().getType()).getSpace());
  std::string text = ("metal::atomic_" + name + "_explicit((" + space + " " + word + "*)" + print(op.getPtr()).in(Precedence::Unary) +
                      ", " + (readsSign ? "int(" + value + ")" : value) + ", metal::memory_order_relaxed)")
                         .str();
  text = marked(op, text);
  return readsSign ? cast("uint", text) : Expression{text};
}

std::string ExpressionPrinter::printPlace(Value pointer) {
  Operation *op = pointer.getDefiningOp();
  if (auto variable = dyn_cast_or_null<VarOp>(op))
    return llvm::cast<StringAttr>(variable->getAttr(kNameAttr)).str();
  if (auto element = dyn_cast_or_null<ElementOp>(op)) {
    auto index = dyn_cast_or_null<IntegerAttr>(constantOf(element.getIndex()));
    std::string place = printPlace(element.getBase());
    return place + "[" + (index ? llvm::toString(index.getValue(), 10, false) : print(element.getIndex()).text) + "]";
  }
  if (auto fragment = dyn_cast_or_null<FragmentOp>(op))
    return printPlace(fragment.getMatrix()) + ".thread_elements()";
  auto sum = dyn_cast_or_null<PtrAddOp>(op);
  if (sum && !op->hasAttr(kNameAttr) && !sum.getPtr().getDefiningOp<PtrAddOp>())
    return print(sum.getPtr()).in(Precedence::Primary) + "[" + asOffset(sum.getOffset()).text + "]";
  return "*" + print(pointer).in(Precedence::Unary);
}

std::string ExpressionPrinter::printAssignment(StoreOp store) {
  std::string place = printPlace(store.getPtr());
  Operation *op = store.getValue().getDefiningOp();
  StringRef symbol = op && !op->hasAttr(kNameAttr) && !isNarrow(store.getValue().getType())
                         ? llvm::TypeSwitch<Operation *, StringRef>(op)
                               .Case<arith::AddFOp, arith::AddIOp>([](auto) { return "+="; })
                               .Case<arith::SubFOp, arith::SubIOp>([](auto) { return "-="; })
                               .Case<arith::MulFOp, arith::MulIOp>([](auto) { return "*="; })
                               .Default(StringRef())
                         : StringRef();
  if (!symbol.empty()) {
    auto load = op->getOperand(0).getDefiningOp<LoadOp>();
    if (load && !load->hasAttr(kNameAttr) && !load.getMask() && withoutMarks(printPlace(load.getPtr())) == withoutMarks(place))
      return place + " " + symbol.str() + " " + print(op->getOperand(1)).text;
  }
  return place + " = " + print(store.getValue()).text;
}

/// Name of the function of Metal's library that computes a `math` or `arith` operation on floats; empty if none does.
static StringRef libraryFunction(Operation *op) {
  bool single = op->getResult(0).getType().isF32();
  return llvm::TypeSwitch<Operation *, StringRef>(op)
      .Case([&](math::ExpOp) { return single ? "metal::precise::exp" : "metal::exp"; })
      .Case([&](math::Exp2Op) { return single ? "metal::precise::exp2" : "metal::exp2"; })
      .Case([&](math::LogOp) { return single ? "metal::precise::log" : "metal::log"; })
      .Case([&](math::Log2Op) { return single ? "metal::precise::log2" : "metal::log2"; })
      .Case([&](math::Log10Op) { return single ? "metal::precise::log10" : "metal::log10"; })
      .Case([&](math::SinOp) { return single ? "metal::precise::sin" : "metal::sin"; })
      .Case([&](math::CosOp) { return single ? "metal::precise::cos" : "metal::cos"; })
      .Case([&](math::TanOp) { return single ? "metal::precise::tan" : "metal::tan"; })
      .Case([&](math::TanhOp) { return single ? "metal::precise::tanh" : "metal::tanh"; })
      .Case([&](math::AsinOp) { return single ? "metal::precise::asin" : "metal::asin"; })
      .Case([&](math::AcosOp) { return single ? "metal::precise::acos" : "metal::acos"; })
      .Case([&](math::AtanOp) { return single ? "metal::precise::atan" : "metal::atan"; })
      .Case([&](math::Atan2Op) { return single ? "metal::precise::atan2" : "metal::atan2"; })
      .Case([&](math::PowFOp) { return single ? "metal::precise::pow" : "metal::pow"; })
      .Case([&](math::SqrtOp) { return single ? "metal::precise::sqrt" : "metal::sqrt"; })
      .Case([&](math::RsqrtOp) { return single ? "metal::precise::rsqrt" : "metal::rsqrt"; })
      .Case([&](math::FloorOp) { return "metal::floor"; })
      .Case([&](math::CeilOp) { return "metal::ceil"; })
      .Case([&](math::TruncOp) { return "metal::trunc"; })
      .Case([&](math::RoundOp) { return "metal::round"; })
      .Case([&](math::RoundEvenOp) { return "metal::rint"; })
      .Case([&](math::AbsFOp) { return "metal::fabs"; })
      .Case([&](math::CopySignOp) { return "metal::copysign"; })
      .Case([&](math::FmaOp) { return "metal::fma"; })
      .Case([&](arith::MinNumFOp) { return "metal::fmin"; })
      .Case([&](arith::MaxNumFOp) { return "metal::fmax"; })
      .Case([&](arith::RemFOp) { return "metal::fmod"; })
      .Default(StringRef());
}

/// The address space of the place that the text of `value` names; none where it is a mere value.
static std::optional<AddressSpace> spaceOf(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return isa<KernelOp>(argument.getOwner()->getParentOp()) ? AddressSpace::Constant : AddressSpace::Thread;
  Operation *op = value.getDefiningOp();
  if (op->hasAttr(kNameAttr))
    return AddressSpace::Thread;
  auto load = dyn_cast<LoadOp>(op);
  if (!load || load.getMask())
    return std::nullopt;
  return cast<triton_metal::msl::PointerType>(load.getPtr().getType()).getSpace();
}

Expression ExpressionPrinter::printDefinition(Operation *op) {
  if (StringRef library = op->getNumResults() ? libraryFunction(op) : StringRef(); !library.empty())
    return function(op, library);
  Type type = op->getNumResults() ? op->getResult(0).getType() : Type();
  bool logical = type && type.isInteger(1);
  auto convert = [&](Value value) { return cast(spellType(type), print(value).text); };
  auto convertSigned = [&](Value value) { return cast(spellType(type), asSigned(value)); };
  // The other arm of `?:`, beside a place in `space`: two places in different address spaces have no common type.
  auto arm = [&](Value value, std::optional<AddressSpace> space, Precedence precedence) -> std::string {
    std::optional<AddressSpace> own = spaceOf(value);
    if (!own || !space || *own == *space)
      return print(value).in(precedence);
    if (isa<triton_metal::msl::PointerType>(value.getType()))
      return "(" + spellType(value.getType()) + ")" + print(value).in(Precedence::Unary);
    return cast(spellType(value.getType()), print(value).text).text;
  };
  return llvm::TypeSwitch<Operation *, Expression>(op)
      .Case([&](arith::ConstantOp c) { return Expression{spellLiteral(c.getValue())}; })
      .Case([&](arith::AddIOp) { return binary(op, "+", Precedence::Sum, true); })
      .Case([&](arith::SubIOp) { return binary(op, "-", Precedence::Sum, false); })
      .Case([&](arith::MulIOp) {
        if (!isNarrow(type))
          return binary(op, "*", Precedence::Product, true);
        // 16-bit factors would be multiplied as int, which may overflow.
        return cast(spellType(type), "uint(" + print(op->getOperand(0)).text + ") * uint(" + print(op->getOperand(1)).text + ")");
      })
      .Case([&](arith::AndIOp) { return logical ? binary(op, "&&", Precedence::And, true) : binary(op, "&", Precedence::BitAnd, true); })
      .Case([&](arith::OrIOp) { return logical ? binary(op, "||", Precedence::Or, true) : binary(op, "|", Precedence::BitOr, true); })
      .Case([&](arith::XOrIOp) {
        if (!logical)
          return binary(op, "^", Precedence::BitXor, true);
        if (auto constant = dyn_cast_or_null<IntegerAttr>(constantOf(op->getOperand(1))); constant && constant.getValue().isOne())
          return Expression{"!" + print(op->getOperand(0)).in(Precedence::Unary), Precedence::Unary};
        return Expression{print(op->getOperand(0)).in(Precedence::Relation) + " != " + print(op->getOperand(1)).in(Precedence::Relation),
                          Precedence::Equality};
      })
      .Case([&](arith::ShLIOp) { return binary(op, "<<", Precedence::Shift, false); })
      .Case([&](arith::ShRUIOp) { return binary(op, ">>", Precedence::Shift, false); })
      .Case([&](arith::ShRSIOp) {
        return cast(spellType(type), asSigned(op->getOperand(0)) + " >> " + print(op->getOperand(1)).in(Precedence::Sum));
      })
      .Case([&](arith::DivUIOp) { return binary(op, "/", Precedence::Product, false); })
      .Case([&](arith::RemUIOp) { return binary(op, "%", Precedence::Product, false); })
      .Case([&](arith::DivSIOp) { return cast(spellType(type), asSigned(op->getOperand(0)) + " / " + asSigned(op->getOperand(1))); })
      .Case([&](arith::MaxUIOp) { return function(op, "metal::max"); })
      .Case([&](arith::MinUIOp) { return function(op, "metal::min"); })
      .Case([&](arith::MaxSIOp) { return signedCall(op, "metal::max"); })
      .Case([&](arith::MinSIOp) { return signedCall(op, "metal::min"); })
      .Case([&](arith::AddFOp) { return binary(op, "+", Precedence::Sum, true); })
      .Case([&](arith::SubFOp) { return binary(op, "-", Precedence::Sum, false); })
      .Case([&](arith::MulFOp) { return binary(op, "*", Precedence::Product, true); })
      .Case([&](arith::DivFOp) { return binary(op, "/", Precedence::Product, false); })
      .Case([&](arith::NegFOp) { return Expression{"-" + print(op->getOperand(0)).in(Precedence::Primary), Precedence::Unary}; })
      .Case([&](arith::CmpIOp compare) { return comparison(compare); })
      .Case([&](arith::CmpFOp compare) { return comparison(compare); })
      .Case([&](arith::SelectOp select) {
        return Expression{print(select.getCondition()).in(Precedence::Or) + " ? " + print(select.getTrueValue()).in(Precedence::Or) +
                              " : " + arm(select.getFalseValue(), spaceOf(select.getTrueValue()), Precedence::Conditional),
                          Precedence::Conditional};
      })
      .Case<arith::ExtUIOp, arith::TruncIOp, arith::UIToFPOp, arith::ExtFOp, arith::TruncFOp>([&](Operation *c) {
        return convert(c->getOperand(0));
      })
      .Case<arith::ExtSIOp, arith::SIToFPOp>([&](Operation *c) { return convertSigned(c->getOperand(0)); })
      .Case([&](arith::BitcastOp) { return Expression{"as_type<" + spellType(type) + ">(" + print(op->getOperand(0)).text + ")"}; })
      .Case([&](BuiltinOp builtin) {
        static constexpr StringLiteral names[] = {"program_id.x",   "program_id.y",   "program_id.z", "num_programs.x", "num_programs.y",
                                                  "num_programs.z", "thread_index", "lane",         "simdgroup"};
        return Expression{names[unsigned(builtin.getKind())].str()};
      })
      .Case([&](LoadOp load) {
        std::string place = printPlace(load.getPtr());
        if (!load.getMask())
          return Expression{marked(load, place), place.front() == '*' ? Precedence::Unary : Precedence::Primary};
        AddressSpace space = llvm::cast<triton_metal::msl::PointerType>(load.getPtr().getType()).getSpace();
        return Expression{print(load.getMask()).in(Precedence::Or) + " ? " + marked(load, place) + " : " +
                              arm(load.getOther(), space, Precedence::Or),
                          Precedence::Conditional};
      })
      .Case([&](PtrAddOp sum) {
        // A sum that cannot wrap is added part by part: Apple's compiler makes better addresses of that.
        return Expression{print(sum.getPtr()).in(Precedence::Sum) + " + " + asOffset(sum.getOffset()).in(Precedence::Sum), Precedence::Sum};
      })
      .Case<PtrCastOp, IntToPtrOp>([&](Operation *c) {
        return Expression{"(" + spellType(type) + ")" + print(c->getOperand(0)).in(Precedence::Unary), Precedence::Unary};
      })
      .Case([&](PtrToIntOp c) { return Expression{"(ulong)" + print(c.getPtr()).in(Precedence::Unary), Precedence::Unary}; })
      .Case([&](PoolOp pool) {
        std::string place = pool.getOffset() ? "(pool + " + std::to_string(pool.getOffset()) + ")" : "pool";
        return Expression{"(" + spellType(type) + ")" + place, Precedence::Unary};
      })
      .Case([&](SplatOp splat) { return cast(spellType(type), print(splat.getValue()).text); })
      .Case([&](SimdOp operation) { return simd(operation); })
      .Case([&](AtomicOp operation) { return atomic(operation); })
      .Case([&](CallOp operation) {
        preludeUsed.insert(operation.getCallee());
        return Expression{marked(op, call(operation.getCallee(), operation.getOperands()).text)};
      })
      .Default([&](Operation *) -> Expression { llvm_unreachable("an operation that msl-verify-printable refuses"); });
}
