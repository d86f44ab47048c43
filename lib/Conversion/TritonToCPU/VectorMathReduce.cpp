//===- VectorMathReduce.cpp - arguments of circular functions, reduced to a quarter turn ---===//
//
// Moderate arguments: three steps of Cody and Waite with FMA, where the first is exact. A vector with a large lane takes a branch, and
// its lanes go one by one through a function of the module that multiplies with enough digits of 2 / pi (Payne and Hanek).
//
//===----------------------------------------------------------------------------===//
#include "VectorMathReduce.h"
#include "VectorMathTables.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace triton_metal::cpu {
namespace {

constexpr llvm::StringLiteral digitsName = "__tm_two_over_pi";
constexpr llvm::StringLiteral reduceName = "__tm_reduce_to_quarter_turn";

/// Integer arithmetic of any width, briefly written.
struct IntBuilder {
  OpBuilder &b;
  Location loc;
  Value c(Type type, const llvm::APInt &value) const {
    return arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, value));
  }
  Value c(unsigned width, uint64_t value) const {
    return c(b.getIntegerType(width), llvm::APInt(width, value, false, true));
  }
  Value add(Value x, Value y) const { return arith::AddIOp::create(b, loc, x, y); }
  Value sub(Value x, Value y) const { return arith::SubIOp::create(b, loc, x, y); }
  Value mul(Value x, Value y) const { return arith::MulIOp::create(b, loc, x, y); }
  Value both(Value x, Value y) const { return arith::AndIOp::create(b, loc, x, y); }
  Value either(Value x, Value y) const { return arith::OrIOp::create(b, loc, x, y); }
  Value shl(Value x, Value by) const { return arith::ShLIOp::create(b, loc, x, by); }
  Value shr(Value x, Value by) const { return arith::ShRUIOp::create(b, loc, x, by); }
  Value wide(Value x) const { return arith::ExtUIOp::create(b, loc, b.getIntegerType(128), x); }
  Value narrow(Value x) const { return arith::TruncIOp::create(b, loc, b.getI64Type(), x); }
};

MemRefType digitsType(OpBuilder &b) { return MemRefType::get({21}, b.getI64Type()); }

/// 2 / pi behind a word of zeros, so that small exponents need no case of their own.
void addDigits(OpBuilder &b, Location loc) {
  SmallVector<int64_t> words = {0};
  for (unsigned long long word : tables::twoOverPi)
    words.push_back(static_cast<int64_t>(word));
  auto values = DenseElementsAttr::get(RankedTensorType::get({21}, b.getI64Type()), llvm::ArrayRef<int64_t>(words));
  memref::GlobalOp::create(b, loc, digitsName, b.getStringAttr("private"), digitsType(b), values, /*constant=*/true, IntegerAttr());
}

/// Body of reduceName: f64 -> (f64 r, i64 quadrant).
void addReduceBody(OpBuilder &b, Location loc, func::FuncOp function) {
  b.setInsertionPointToStart(function.addEntryBlock());
  IntBuilder i{b, loc};
  MathBuilder m(b, loc, b.getF64Type());
  Value x = function.getArgument(0);
  Value bits = m.bits(x);
  Value exponent = i.both(i.shr(bits, i.c(64, 52)), i.c(64, 0x7ff));
  Value mantissa = i.wide(i.either(i.both(bits, i.c(64, 0xfffffffffffffULL)), i.c(64, 0x10000000000000ULL)));

  // Digits of 2 / pi before `start` contribute whole turns only. Below 1/2 the start would lie before the table: there x is its own
  // remainder, and the clamped index only keeps the loads inside.
  Value start = i.sub(exponent, i.c(64, 1013));
  start = arith::MaxSIOp::create(b, loc, start, i.c(64, 0));
  Value word = arith::IndexCastOp::create(b, loc, b.getIndexType(), i.shr(start, i.c(64, 6)));
  Value offset = i.wide(i.both(start, i.c(64, 63)));
  Value digits = memref::GetGlobalOp::create(b, loc, digitsType(b), digitsName);
  Value loaded[4], window[3];
  for (int k = 0; k < 4; ++k) {
    Value at = arith::AddIOp::create(b, loc, word, arith::ConstantIndexOp::create(b, loc, k));
    loaded[k] = i.wide(memref::LoadOp::create(b, loc, digits, ValueRange{at}));
  }
  Value sixtyFour = i.c(128, 64);
  for (int k = 0; k < 3; ++k)
    window[k] = i.wide(i.narrow(i.shr(i.shl(i.either(i.shl(loaded[k], sixtyFour), loaded[k + 1]), offset), sixtyFour)));

  // The product modulo four quarter turns, as a fraction of 128 bits of a whole turn.
  Value low = i.shr(i.mul(mantissa, window[2]), sixtyFour);
  Value middle = i.add(i.mul(mantissa, window[1]), low);
  Value fraction = i.add(i.shl(i.mul(mantissa, window[0]), sixtyFour), middle);
  Type i128 = b.getIntegerType(128);
  Value quadrant = i.shr(i.add(fraction, i.c(i128, llvm::APInt::getOneBitSet(128, 125))), i.c(128, 126));
  Value rest = i.sub(fraction, i.shl(quadrant, i.c(128, 126)));
  Value negative = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, rest, i.c(128, 0));
  Value magnitude = arith::SelectOp::create(b, loc, negative, i.sub(i.c(128, 0), rest), rest);
  Value high = arith::UIToFPOp::create(b, loc, b.getF64Type(), i.narrow(i.shr(magnitude, sixtyFour)));
  Value tail = arith::UIToFPOp::create(b, loc, b.getF64Type(), i.narrow(magnitude));
  // 2^-62 and 2^-126 of a quarter turn, whose length is pi / 2.
  Value r = m.fma(high, m.c(0x1p-62), m.mul(tail, m.c(0x1p-126)));
  r = m.fma(r, m.c(0x1.921fb54442d18p+0), m.mul(r, m.c(0x1.1a62633145c07p-54)));
  Value sign = m.less(x, m.c(0));
  Value flip = arith::XOrIOp::create(b, loc, negative, sign);
  r = m.select(flip, m.neg(r), r);
  Value turns = i.narrow(quadrant);
  turns = arith::SelectOp::create(b, loc, sign, i.sub(i.c(64, 0), turns), turns);

  Value small = m.less(m.abs(x), m.c(0.5));
  r = m.select(small, x, r);
  turns = arith::SelectOp::create(b, loc, small, i.c(64, 0), turns);
  r = m.select(m.less(m.abs(x), m.c(m.infinity())), r, m.sub(x, x));
  func::ReturnOp::create(b, loc, ValueRange{r, turns});
}

/// The function for large arguments, made when a module first needs it.
func::FuncOp reduceFunction(OpBuilder &builder, Location loc) {
  auto module = builder.getInsertionBlock()->getParentOp()->getParentOfType<ModuleOp>();
  if (auto known = module.lookupSymbol<func::FuncOp>(reduceName))
    return known;
  OpBuilder b(builder.getContext());
  b.setInsertionPointToEnd(module.getBody());
  addDigits(b, loc);
  auto type = b.getFunctionType({b.getF64Type()}, {b.getF64Type(), b.getI64Type()});
  auto function = func::FuncOp::create(b, loc, reduceName, type);
  function.setPrivate();
  addReduceBody(b, loc, function);
  return function;
}

/// One lane by the function, in the format of `m`.
Reduced reduceLarge(const MathBuilder &m, Value x) {
  OpBuilder &b = m.b;
  Value argument = m.wide ? x : Value(arith::ExtFOp::create(b, m.loc, b.getF64Type(), x));
  auto call = func::CallOp::create(b, m.loc, reduceFunction(b, m.loc), ValueRange{argument});
  if (m.wide)
    return {call.getResult(0), call.getResult(1)};
  return {arith::TruncFOp::create(b, m.loc, b.getF32Type(), call.getResult(0)),
          arith::TruncIOp::create(b, m.loc, b.getI32Type(), call.getResult(1))};
}

/// All lanes of a vector of rank 1, one by one.
Reduced reduceLargeLanes(const MathBuilder &m, VectorType type, Value x, Reduced fast) {
  OpBuilder &b = m.b;
  MathBuilder lane(b, m.loc, type.getElementType());
  Value zero = arith::ConstantIndexOp::create(b, m.loc, 0), one = arith::ConstantIndexOp::create(b, m.loc, 1);
  Value lanes = arith::ConstantIndexOp::create(b, m.loc, type.getNumElements());
  auto loop = scf::ForOp::create(b, m.loc, zero, lanes, one, ValueRange{fast.r, fast.quadrant});
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value at = loop.getInductionVar();
  Reduced slow = reduceLarge(lane, vector::ExtractOp::create(b, m.loc, x, at));
  Value r = vector::InsertOp::create(b, m.loc, slow.r, loop.getRegionIterArg(0), at);
  Value quadrant = vector::InsertOp::create(b, m.loc, slow.quadrant, loop.getRegionIterArg(1), at);
  scf::YieldOp::create(b, m.loc, ValueRange{r, quadrant});
  return {loop.getResult(0), loop.getResult(1)};
}

} // namespace

Reduced reduceToQuarterTurn(const MathBuilder &m, Value x) {
  OpBuilder &b = m.b;
  Value magic = m.c(m.magic());
  Value shifted = m.fma(x, m.c(0x1.45f306dc9c883p-1), magic);
  Value n = m.sub(shifted, magic);
  Reduced fast;
  fast.quadrant = m.bits(shifted);
  static constexpr double wideParts[] = {0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54, -0x1.f1976b7ed8fbcp-110};
  static constexpr double narrowParts[] = {0x1.921fb6p+0, -0x1.777a5cp-25, -0x1.ee59dap-50};
  fast.r = x;
  for (double part : m.wide ? wideParts : narrowParts)
    fast.r = m.fma(n, m.c(-part), fast.r);

  // Beyond these the first product would round. Unordered, so that NaN counts as large.
  Value large = m.cmp(arith::CmpFPredicate::UGE, m.abs(x), m.c(m.wide ? 0x1p19 : 0x1p15));
  auto vectorType = dyn_cast<VectorType>(m.type);
  Value any = large, flat = x;
  Reduced flatFast = fast;
  VectorType flatType = vectorType, flatInts = vectorType ? cast<VectorType>(m.intType) : VectorType();
  if (vectorType) {
    if (vectorType.getRank() != 1) {
      flatType = VectorType::get({vectorType.getNumElements()}, vectorType.getElementType());
      flatInts = VectorType::get({vectorType.getNumElements()}, flatInts.getElementType());
      large = vector::ShapeCastOp::create(b, m.loc, VectorType::get(flatType.getShape(), b.getI1Type()), large);
      flat = vector::ShapeCastOp::create(b, m.loc, flatType, x);
      flatFast.r = vector::ShapeCastOp::create(b, m.loc, flatType, fast.r);
      flatFast.quadrant = vector::ShapeCastOp::create(b, m.loc, flatInts, fast.quadrant);
    }
    any = vector::ReductionOp::create(b, m.loc, vector::CombiningKind::OR, large);
  }
  SmallVector<Type> resultTypes = {m.type, m.intType};
  if (vectorType)
    resultTypes = {flatType, flatInts};
  auto branch = scf::IfOp::create(b, m.loc, resultTypes, any, /*withElseRegion=*/true);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    Reduced slow = vectorType ? reduceLargeLanes(m, flatType, flat, flatFast) : reduceLarge(m, x);
    scf::YieldOp::create(b, m.loc, ValueRange{slow.r, slow.quadrant});
    b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(b, m.loc, ValueRange{flatFast.r, flatFast.quadrant});
  }
  Reduced result{branch.getResult(0), branch.getResult(1)};
  if (vectorType && vectorType.getRank() != 1) {
    result.r = vector::ShapeCastOp::create(b, m.loc, vectorType, result.r);
    result.quadrant = vector::ShapeCastOp::create(b, m.loc, cast<VectorType>(m.intType), result.quadrant);
  }
  return result;
}

} // namespace triton_metal::cpu
