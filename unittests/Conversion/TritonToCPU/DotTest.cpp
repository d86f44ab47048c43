//===- DotTest.cpp - the register-blocked dot against a plain triple loop -------===//
#include "triton_metal/Conversion/TritonToCPU/Dot.h"
#include "triton_metal/Target/CPU/CodeGen.h"
#include "triton_metal/Target/CPU/Loader.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"

#include <bit>
#include <chrono>
#include <gtest/gtest.h>
#include <random>

using namespace mlir;
using namespace triton_metal::cpu;

namespace {

enum class Source { Buffer, Transposed, Generator, ColumnMajor };

struct Case {
  DotShape shape;
  Source a = Source::Buffer, b = Source::Buffer;
  bool accumulate = true;
};

struct Harness {
  Harness() : context(registry(), MLIRContext::Threading::DISABLED) {
    context.loadAllAvailableDialects();
    context.disableMultithreading();
  }
  static DialectRegistry registry() {
    DialectRegistry registry;
    registry.insert<LLVM::LLVMDialect, arith::ArithDialect, math::MathDialect, scf::SCFDialect, cf::ControlFlowDialect,
                    memref::MemRefDialect, vector::VectorDialect, func::FuncDialect>();
    registerCodeGenDialects(registry);
    return registry;
  }

  /// Shape of an operand's memory: transposed sources are stored with the last two dimensions exchanged.
  static MemRefType stored(const DotShape &shape, int64_t rows, int64_t columns, Type element, bool transposed) {
    SmallVector<int64_t> sizes;
    if (shape.batched)
      sizes.push_back(shape.batch);
    sizes.append({transposed ? columns : rows, transposed ? rows : columns});
    return MemRefType::get(sizes, element);
  }

  static DotOperand operand(OpBuilder &b, Location loc, Source source, Value buffer, const DotShape &shape, int64_t rows,
                            int64_t columns) {
    DotOperand result;
    auto type = cast<MemRefType>(buffer.getType());
    result.elementType = type.getElementType();
    if (source == Source::Buffer) {
      result.buffer = buffer;
    } else if (source == Source::Transposed) {
      SmallVector<int64_t> sizes, strides;
      if (shape.batched) {
        sizes.push_back(shape.batch);
        strides.push_back(rows * columns);
      }
      sizes.append({rows, columns});
      strides.append({1, rows});
      SmallVector<OpFoldResult> sizeValues, strideValues;
      for (size_t i = 0; i < sizes.size(); ++i) {
        sizeValues.push_back(b.getIndexAttr(sizes[i]));
        strideValues.push_back(b.getIndexAttr(strides[i]));
      }
      auto view = MemRefType::get(sizes, result.elementType, StridedLayoutAttr::get(b.getContext(), 0, strides));
      result.buffer = memref::ReinterpretCastOp::create(b, loc, view, buffer, b.getIndexAttr(0), sizeValues, strideValues);
    } else {
      result.columnMajor = source == Source::ColumnMajor;
      bool swap = result.columnMajor;
      result.vectorAt = [buffer, swap, type](OpBuilder &b, Location loc, ValueRange at, int64_t width) -> Value {
        SmallVector<Value> indices(at);
        if (swap)
          std::swap(indices[indices.size() - 1], indices[indices.size() - 2]);
        return vector::LoadOp::create(b, loc, VectorType::get({width}, type.getElementType()), buffer, indices);
      };
    }
    return result;
  }

  /// void dot(a, b, acc, scratch), all plain pointers.
  OwningOpRef<ModuleOp> build(const Case &c, Type inputs, Type sums, const DotMachine &machine) {
    OpBuilder b(&context);
    Location loc = b.getUnknownLoc();
    OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
    b.setInsertionPointToEnd(module->getBody());
    bool ta = c.a == Source::Transposed || c.a == Source::ColumnMajor, tb = c.b == Source::Transposed || c.b == Source::ColumnMajor;
    const DotShape &s = c.shape;
    Type types[] = {stored(s, s.m, s.k, inputs, ta), stored(s, s.k, s.n, inputs, tb), stored(s, s.m, s.n, sums, false),
                    MemRefType::get({1 << 20}, b.getI8Type())};
    auto function = func::FuncOp::create(b, loc, "dot", b.getFunctionType(types, {}));
    b.setInsertionPointToStart(function.addEntryBlock());
    DotOperand left = operand(b, loc, c.a, function.getArgument(0), s, s.m, s.k);
    DotOperand right = operand(b, loc, c.b, function.getArgument(1), s, s.k, s.n);
    EXPECT_LE(dotScratchBytes(machine, s, left, right, sums), 1 << 20);
    emitDot(b, loc, machine, s, left, right, function.getArgument(2), c.accumulate, function.getArgument(3));
    func::ReturnOp::create(b, loc);
    return module;
  }

  std::string compile(ModuleOp module, const TargetSpec &spec, CodeKind kind) {
    EXPECT_TRUE(succeeded(module.verify()));
    PassManager passes(&context);
    passes.addPass(createSCFToControlFlowPass());
    passes.addPass(memref::createExpandStridedMetadataPass());
    passes.addPass(createConvertVectorToLLVMPass());
    passes.addPass(createConvertMathToLLVMPass());
    passes.addPass(createFinalizeMemRefToLLVMConversionPass());
    passes.addPass(createArithToLLVMConversionPass());
    passes.addPass(createConvertControlFlowToLLVMPass());
    ConvertFuncToLLVMPassOptions bare;
    bare.useBarePtrCallConv = true;
    passes.addPass(createConvertFuncToLLVMPass(bare));
    passes.addPass(createReconcileUnrealizedCastsPass());
    EXPECT_TRUE(succeeded(passes.run(module)));
    SmallVector<char, 0> out;
    EXPECT_TRUE(succeeded(compileModule(module, spec, kind, out)));
    return {out.begin(), out.end()};
  }

  MLIRContext context;
};

using DotFunction = void (*)(const void *, const void *, void *, void *);

DotMachine hostMachine() { return {TargetSpec::host().vectorBytes, TargetSpec::host().vectorRegisters}; }

/// Small integers in any type; through the bits for bfloat, whose conversion would want a function of the compiler's runtime library.
template <typename T> T exactly(int value) {
  if constexpr (std::is_same_v<T, __bf16>)
    return std::bit_cast<__bf16>(static_cast<uint16_t>(std::bit_cast<uint32_t>(static_cast<float>(value)) >> 16));
  else
    return static_cast<T>(value);
}

template <typename In, typename Sum> void check(const Case &c, Type inputs, Type sums, Harness &harness) {
  OwningOpRef<ModuleOp> module = harness.build(c, inputs, sums, hostMachine());
  std::string object = harness.compile(*module, TargetSpec::host(), CodeKind::Object), error;
  auto code = LoadedCode::load(object, {}, error);
  ASSERT_TRUE(code) << error;
  const DotShape &s = c.shape;
  std::mt19937 random(1);
  std::uniform_int_distribution<int> small(-8, 8); // products and sums are exact in every type here
  std::vector<In> a(s.batch * s.m * s.k), b(s.batch * s.k * s.n);
  std::vector<Sum> acc(s.batch * s.m * s.n), expected(acc.size());
  for (In &x : a)
    x = exactly<In>(small(random));
  for (In &x : b)
    x = exactly<In>(small(random));
  for (Sum &x : acc)
    x = static_cast<Sum>(small(random));
  bool ta = c.a == Source::Transposed || c.a == Source::ColumnMajor, tb = c.b == Source::Transposed || c.b == Source::ColumnMajor;
  for (int64_t z = 0; z < s.batch; ++z)
    for (int64_t i = 0; i < s.m; ++i)
      for (int64_t j = 0; j < s.n; ++j) {
        Sum sum = c.accumulate ? acc[(z * s.m + i) * s.n + j] : Sum(0);
        for (int64_t k = 0; k < s.k; ++k) {
          In x = a[z * s.m * s.k + (ta ? k * s.m + i : i * s.k + k)], y = b[z * s.k * s.n + (tb ? j * s.k + k : k * s.n + j)];
          sum += static_cast<Sum>(x) * static_cast<Sum>(y);
        }
        expected[(z * s.m + i) * s.n + j] = sum;
      }
  std::unique_ptr<char, decltype(&free)> scratch(static_cast<char *>(aligned_alloc(64, 1 << 20)), &free);
  reinterpret_cast<DotFunction>(code->symbol("dot"))(a.data(), b.data(), acc.data(), scratch.get());
  EXPECT_EQ(acc, expected) << s.m << "x" << s.n << "x" << s.k << " a " << int(c.a) << " b " << int(c.b);
}

const Source everySource[] = {Source::Buffer, Source::Transposed, Source::Generator, Source::ColumnMajor};

TEST(Dot, EverySourceFloat) {
  Harness h;
  Type f32 = Float32Type::get(&h.context);
  for (Source a : everySource)
    for (Source b : everySource)
      check<float, float>({{1, 32, 32, 16, false}, a, b}, f32, f32, h);
}

TEST(Dot, EveryShapeFloat) {
  Harness h;
  Type f32 = Float32Type::get(&h.context);
  for (int64_t m : {1, 2, 4, 8, 16, 64})
    for (int64_t n : {1, 2, 8, 64})
      for (int64_t k : {1, 2, 16}) {
        check<float, float>({{1, m, n, k, false}}, f32, f32, h);
        check<float, float>({{1, m, n, k, false}, Source::ColumnMajor, Source::ColumnMajor, false}, f32, f32, h);
      }
}

TEST(Dot, OtherTypes) {
  Harness h;
  Builder b(&h.context);
  for (Source source : everySource) {
    Case c{{1, 16, 32, 8, false}, source, source};
    check<_Float16, float>(c, b.getF16Type(), b.getF32Type(), h);
    check<__bf16, float>(c, b.getBF16Type(), b.getF32Type(), h);
    check<double, double>(c, b.getF64Type(), b.getF64Type(), h);
    check<int8_t, int32_t>(c, b.getI8Type(), b.getI32Type(), h);
  }
}

TEST(Dot, Batches) {
  Harness h;
  Type f32 = Float32Type::get(&h.context);
  for (Source source : everySource)
    check<float, float>({{4, 8, 16, 8, true}, source, source}, f32, f32, h);
}

/// The text grows with the register block, not with the tile.
TEST(Dot, CodeSizeDoesNotGrowWithTheTile) {
  Harness h;
  Type f32 = Float32Type::get(&h.context);
  auto size = [&](int64_t extent) {
    OwningOpRef<ModuleOp> module =
        h.build({{1, extent, extent, extent, false}, Source::Generator, Source::Generator}, f32, f32, hostMachine());
    return h.compile(*module, TargetSpec::host(), CodeKind::Object).size();
  };
  EXPECT_LE(size(256), size(64) * 1.1);
}

/// On AVX-512 and NEON the block is held in that machine's registers: the inner loop does not spill.
TEST(Dot, OtherMachinesKeepTheBlockInRegisters) {
  Harness h;
  Type f32 = Float32Type::get(&h.context);
  auto assembly = [&](const char *name) {
    TargetSpec spec = *TargetSpec::named(name);
    OwningOpRef<ModuleOp> module =
        h.build({{1, 64, 64, 32, false}}, f32, f32, {spec.vectorBytes, spec.vectorRegisters});
    return h.compile(*module, spec, CodeKind::Assembly);
  };
  std::string avx512 = assembly("x86-64-v4"), neon = assembly("aarch64"), avx2 = assembly("x86-64-v3");
  EXPECT_NE(avx512.find("vfmadd"), std::string::npos);
  EXPECT_NE(avx512.find("%zmm"), std::string::npos);
  EXPECT_EQ(avx512.find("Spill"), std::string::npos);
  EXPECT_NE(neon.find("fmla\tv"), std::string::npos);
  EXPECT_EQ(neon.find("%ymm"), std::string::npos);
  EXPECT_NE(avx2.find("%ymm"), std::string::npos);
}

/// Not a bound, a report: GFLOP/s of one 64 x 64 x 32 step with operands in the cache.
TEST(Dot, Speed) {
  Harness h;
  Type f32 = Float32Type::get(&h.context);
  for (auto [source, extent] : {std::pair(Source::Buffer, 64), std::pair(Source::Generator, 64), std::pair(Source::ColumnMajor, 64),
                                std::pair(Source::Generator, 128)}) {
    Case c{{1, extent, extent, 32, false}, source, source};
    auto start = std::chrono::steady_clock::now();
    OwningOpRef<ModuleOp> module = h.build(c, f32, f32, hostMachine());
    std::string object = h.compile(*module, TargetSpec::host(), CodeKind::Object), error;
    auto code = LoadedCode::load(object, {}, error);
    double compileMs = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    std::unique_ptr<char, decltype(&free)> memory(static_cast<char *>(aligned_alloc(64, 4 << 20)), &free);
    std::fill_n(reinterpret_cast<float *>(memory.get()), 1 << 20, 0.0f);
    auto dot = reinterpret_cast<DotFunction>(code->symbol("dot"));
    char *p = memory.get();
    double best = 1e9;
    for (int round = 0; round < 20; ++round) {
      auto t = std::chrono::steady_clock::now();
      for (int i = 0; i < 50; ++i)
        dot(p, p + (1 << 18), p + (1 << 19), p + (1 << 21));
      best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - t).count() / 50);
    }
    printf("source %d, %d x %d x 32: %.1f GFLOP/s, compiled in %.1f ms, %zu bytes\n", int(source), extent, extent,
           2.0 * extent * extent * 32 / best * 1e-9, compileMs, object.size());
  }
}

} // namespace
