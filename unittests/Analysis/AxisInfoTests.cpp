//===- AxisInfoTests.cpp - what is proven of integers and pointers ---------------------------===//
//
// Known cases as text, and random expressions whose values are computed and held against the claims. The seed is printed and can be
// set by TRITON_METAL_TEST_SEED.
//
//===----------------------------------------------------------------------===//
#include "triton_metal/Analysis/AxisInfo.h"

#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"
#include <cstdlib>
#include <random>

using namespace mlir;
using namespace triton_metal;

namespace {

class AxisInfoTest : public testing::Test {
protected:
  AxisInfoTest() {
    DialectRegistry registry;
    registry.insert<tt::TritonDialect, arith::ArithDialect, scf::SCFDialect>();
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  tt::FuncOp parse(StringRef body) {
    module = parseSourceString<ModuleOp>(
        ("tt.func public @k(%p: !tt.ptr<f32> {tt.divisibility = 16 : i32}, %n: i32 {tt.divisibility = 16 : i32}, %m: i32) {" + body +
         " tt.return }").str(),
        &context);
    return module ? *module->getOps<tt::FuncOp>().begin() : tt::FuncOp();
  }

  /// Facts of the operand of the only tt.print.
  std::string factsOfPrinted(StringRef body) {
    tt::FuncOp function = parse(body);
    if (!function)
      return "no parse";
    AxisInfoAnalysis analysis(function);
    std::string facts;
    function.walk([&](tt::PrintOp print) { facts = analysis.get(print.getArgs()[0]).str(); });
    return facts;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

TEST_F(AxisInfoTest, PointersOfARow) {
  EXPECT_EQ(factsOfPrinted(R"(
    %r = tt.make_range {start = 0 : i32, end = 128 : i32} : tensor<128xi32>
    %s = tt.splat %p : !tt.ptr<f32> -> tensor<128x!tt.ptr<f32>>
    %q = tt.addptr %s, %r : tensor<128x!tt.ptr<f32>>, tensor<128xi32>
    tt.print " " {hex = false, isSigned = array<i32: 1>} : %q : tensor<128x!tt.ptr<f32>>)"),
            "contiguity = [128], divisibility = [16], constancy = [1]");
}

TEST_F(AxisInfoTest, MasksAreConstantWhereTheBoundIsAMultiple) {
  const char *text = R"(
    %r = tt.make_range {start = 0 : i32, end = 128 : i32} : tensor<128xi32>
    %s = tt.splat %BOUND : i32 -> tensor<128xi32>
    %c = arith.cmpi slt, %r, %s : tensor<128xi32>
    tt.print " " {hex = false, isSigned = array<i32: 1>} : %c : tensor<128xi1>)";
  auto with = [&](StringRef bound) {
    std::string body = text;
    body.replace(body.find("%BOUND"), 6, bound.str());
    return factsOfPrinted(body);
  };
  EXPECT_EQ(with("%n"), "contiguity = [1], divisibility = [1], constancy = [16]");
  EXPECT_EQ(with("%m"), "contiguity = [1], divisibility = [1], constancy = [1]");
}

TEST_F(AxisInfoTest, LoopsMeetWhatEachRoundAdds) {
  const char *text = R"(
    %r = tt.make_range {start = 0 : i32, end = 64 : i32} : tensor<64xi32>
    %c0 = arith.constant 0 : i32
    %c8 = arith.constant 8 : i32
    %step = tt.splat %c8 : i32 -> tensor<64xi32>
    %end = scf.for %i = %c0 to %n step %c8 iter_args(%o = %r) -> (tensor<64xi32>) : i32 {
      %next = arith.addi %o, %step : tensor<64xi32>
      scf.yield %next : tensor<64xi32>
    }
    tt.print " " {hex = false, isSigned = array<i32: 1>} : %end : tensor<64xi32>)";
  EXPECT_EQ(factsOfPrinted(text), "contiguity = [64], divisibility = [8], constancy = [1]");
}

TEST_F(AxisInfoTest, SignedDivisionNeedsNumbersThatAreNotNegative) {
  const char *text = R"(
    %r = tt.make_range {start = 0 : i32, end = 64 : i32} : tensor<64xi32>
    %pid = tt.get_program_id x : i32
    %c64 = arith.constant 64 : i32
    %base = arith.muli %WHAT, %c64 : i32
    %s = tt.splat %base : i32 -> tensor<64xi32>
    %o = arith.addi %s, %r : tensor<64xi32>
    %c8 = arith.constant dense<8> : tensor<64xi32>
    %d = arith.divsi %o, %c8 : tensor<64xi32>
    tt.print " " {hex = false, isSigned = array<i32: 1>} : %d : tensor<64xi32>)";
  auto with = [&](StringRef what) {
    std::string body = text;
    body.replace(body.find("%WHAT"), 5, what.str());
    return factsOfPrinted(body);
  };
  EXPECT_EQ(with("%pid"), "contiguity = [1], divisibility = [1], constancy = [8]");
  EXPECT_EQ(with("%m"), "contiguity = [1], divisibility = [1], constancy = [1]");
}

/// A random expression over ranges and constants, as operations and as values.
struct Expression {
  Value value;
  std::vector<int64_t> elements;
};

TEST_F(AxisInfoTest, ClaimsHoldForRandomExpressions) {
  const char *given = std::getenv("TRITON_METAL_TEST_SEED");
  unsigned seed = given ? std::atoi(given) : std::random_device{}();
  SCOPED_TRACE("TRITON_METAL_TEST_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  auto below = [&](unsigned n) { return int64_t(random() % n); };
  constexpr int64_t size = 32;

  for (int round = 0; round < 400; ++round) {
    tt::FuncOp function = parse("");
    OpBuilder builder(&function.getBody().front(), function.getBody().front().begin());
    Location loc = builder.getUnknownLoc();
    auto type = RankedTensorType::get({size}, builder.getI32Type());
    std::vector<Expression> pool;
    auto addConstant = [&](int64_t value) {
      auto attribute = DenseElementsAttr::get(type, APInt(32, uint64_t(value), true));
      pool.push_back({arith::ConstantOp::create(builder, loc, attribute), std::vector<int64_t>(size, value)});
    };
    for (int i = 0; i < 2; ++i) {
      int64_t start = below(5) * (int64_t(1) << below(4));
      pool.push_back({tt::MakeRangeOp::create(builder, loc, type, start, start + size), {}});
      for (int64_t k = 0; k < size; ++k)
        pool.back().elements.push_back(start + k);
    }
    addConstant(int64_t(1) << below(5));
    addConstant(below(12) - 4);
    addConstant(1);
    for (int step = 0; step < 6; ++step) {
      Expression a = pool[below(pool.size())], b = pool[below(pool.size())];
      Expression result;
      auto apply = [&](auto fn) {
        for (int64_t k = 0; k < size; ++k)
          result.elements.push_back(fn(a.elements[k], b.elements[k]));
      };
      bool divides = llvm::none_of(b.elements, [](int64_t x) { return x == 0; });
      switch (below(9)) {
      case 0:
        result.value = arith::AddIOp::create(builder, loc, a.value, b.value);
        apply([](int64_t x, int64_t y) { return x + y; });
        break;
      case 1:
        result.value = arith::SubIOp::create(builder, loc, a.value, b.value);
        apply([](int64_t x, int64_t y) { return x - y; });
        break;
      case 2:
        result.value = arith::MulIOp::create(builder, loc, a.value, b.value);
        apply([](int64_t x, int64_t y) { return x * y; });
        break;
      case 3:
        if (!divides)
          continue;
        result.value = arith::DivSIOp::create(builder, loc, a.value, b.value);
        apply([](int64_t x, int64_t y) { return x / y; });
        break;
      case 4:
        if (!divides)
          continue;
        result.value = arith::RemSIOp::create(builder, loc, a.value, b.value);
        apply([](int64_t x, int64_t y) { return x % y; });
        break;
      case 5:
        result.value = arith::MinSIOp::create(builder, loc, a.value, b.value);
        apply([](int64_t x, int64_t y) { return std::min(x, y); });
        break;
      case 6:
        result.value = arith::MaxSIOp::create(builder, loc, a.value, b.value);
        apply([](int64_t x, int64_t y) { return std::max(x, y); });
        break;
      case 7: {
        auto predicate = arith::CmpIPredicate(2 + below(4)); // slt sle sgt sge
        Value condition = arith::CmpIOp::create(builder, loc, predicate, a.value, b.value);
        Expression c = pool[below(pool.size())], d = pool[below(pool.size())];
        result.value = arith::SelectOp::create(builder, loc, condition, c.value, d.value);
        for (int64_t k = 0; k < size; ++k) {
          int64_t x = a.elements[k], y = b.elements[k];
          bool is = predicate == arith::CmpIPredicate::slt   ? x < y
                    : predicate == arith::CmpIPredicate::sle ? x <= y
                    : predicate == arith::CmpIPredicate::sgt ? x > y
                                                             : x >= y;
          result.elements.push_back(is ? c.elements[k] : d.elements[k]);
        }
        break;
      }
      default:
        result.value = arith::ShRSIOp::create(builder, loc, a.value, pool[4].value);
        apply([](int64_t x, int64_t) { return x >> 1; });
      }
      if (llvm::any_of(result.elements, [](int64_t x) { return x > (1 << 30) || x < -(1 << 30); }))
        break; // would wrap
      pool.push_back(result);
    }

    AxisInfoAnalysis analysis(function);
    for (const Expression &expression : pool) {
      AxisInfo info = analysis.get(expression.value);
      SCOPED_TRACE(info.str());
      int64_t run = std::min(info.contiguity[0], size), equal = std::min(info.constancy[0], size);
      for (int64_t k = 0; k < size; ++k) {
        int64_t value = expression.elements[k];
        if (k % run)
          ASSERT_EQ(value, expression.elements[k - 1] + 1) << "contiguity at " << k;
        else if (value)
          ASSERT_EQ(value % info.divisibility[0], 0) << "divisibility at " << k;
        if (k % equal)
          ASSERT_EQ(value, expression.elements[k - 1]) << "constancy at " << k;
        if (info.constant)
          ASSERT_EQ(value, *info.constant);
        if (info.nonNegative)
          ASSERT_GE(value, 0);
      }
    }
  }
}

} // namespace
