//===- CodeGenTest.cpp - text of an LLVM-dialect module to a callable pointer ---===//
#include "triton_metal/Target/CPU/CodeGen.h"
#include "triton_metal/Target/CPU/Loader.h"

#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>
#include <thread>

using namespace triton_metal::cpu;

namespace {

/// Programs [begin, end) each write their id to out[id]; params holds the pointer. The arena takes a copy, through memcpy.
constexpr const char *kernelText = R"(
  llvm.func @ids(%params: !llvm.ptr, %grid: !llvm.ptr, %begin: i64, %end: i64, %arena: !llvm.ptr) {
    %one = llvm.mlir.constant(1 : i64) : i64
    %out = llvm.load %params : !llvm.ptr -> !llvm.ptr
    llvm.br ^head(%begin : i64)
  ^head(%id: i64):
    %more = llvm.icmp "slt" %id, %end : i64
    llvm.cond_br %more, ^body, ^exit
  ^body:
    %at = llvm.getelementptr %out[%id] : (!llvm.ptr, i64) -> !llvm.ptr, i64
    llvm.store %id, %at : i64, !llvm.ptr
    %next = llvm.add %id, %one : i64
    llvm.br ^head(%next : i64)
  ^exit:
    %count = llvm.sub %end, %begin : i64
    %eight = llvm.mlir.constant(8 : i64) : i64
    %bytes = llvm.mul %count, %eight : i64
    %from = llvm.getelementptr %out[%begin] : (!llvm.ptr, i64) -> !llvm.ptr, i64
    "llvm.intr.memcpy"(%arena, %from, %bytes) <{isVolatile = false}> : (!llvm.ptr, !llvm.ptr, i64) -> ()
    llvm.return
  }
)";

struct Compiler {
  Compiler() : context(registry(), mlir::MLIRContext::Threading::DISABLED) {}
  static mlir::DialectRegistry registry() {
    mlir::DialectRegistry registry;
    registry.insert<mlir::LLVM::LLVMDialect>();
    registerCodeGenDialects(registry);
    return registry;
  }
  std::string compile(llvm::StringRef text, CodeKind kind, const TargetSpec &spec = TargetSpec::host()) {
    mlir::OwningOpRef<mlir::ModuleOp> module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    EXPECT_TRUE(module);
    llvm::SmallVector<char, 0> out;
    EXPECT_TRUE(mlir::succeeded(compileModule(*module, spec, kind, out)));
    return {out.begin(), out.end()};
  }
  mlir::MLIRContext context;
};

void expectIds(const LoadedCode &code) {
  auto entry = reinterpret_cast<KernelEntry>(code.symbol("ids"));
  ASSERT_NE(entry, nullptr);
  int64_t out[8] = {}, arena[8] = {};
  int64_t *params[] = {out};
  int32_t grid[] = {8, 1, 1};
  entry(params, grid, 2, 7, reinterpret_cast<char *>(arena));
  for (int i = 0; i < 8; ++i)
    EXPECT_EQ(out[i], i >= 2 && i < 7 ? i : 0);
  EXPECT_EQ(arena[4], 6);
}

TEST(CodeGen, TextToCallablePointer) {
  std::string object = Compiler().compile(kernelText, CodeKind::Object), error;
  auto code = LoadedCode::load(object, {}, error);
  ASSERT_TRUE(code) << error;
  expectIds(*code);
  EXPECT_EQ(code->symbol("absent"), nullptr);
}

TEST(CodeGen, IRTextGivesTheSameObject) {
  Compiler compiler;
  std::string object = compiler.compile(kernelText, CodeKind::Object);
  std::string ir = compiler.compile(kernelText, CodeKind::LLVMIR), error;
  llvm::SmallVector<char, 0> again;
  ASSERT_TRUE(compileLLVMIR(ir, TargetSpec::host(), CodeKind::Object, /*optimise=*/false, again, error)) << error;
  EXPECT_EQ(object, std::string(again.begin(), again.end()));
}

TEST(CodeGen, BadIRTextIsAnError) {
  llvm::SmallVector<char, 0> out;
  std::string error;
  EXPECT_FALSE(compileLLVMIR("define nonsense", TargetSpec::host(), CodeKind::Object, true, out, error));
  EXPECT_NE(error.find("expected type"), std::string::npos) << error;
}

TEST(CodeGen, ContextsAreRecycled) {
  Compiler compiler;
  std::string first = compiler.compile(kernelText, CodeKind::Object);
  for (int i = 0; i < 130; ++i)
    ASSERT_EQ(compiler.compile(kernelText, CodeKind::Object), first);
}

TEST(CodeGen, ThreadsCompileAtOnce) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([] {
      Compiler compiler;
      for (int j = 0; j < 10; ++j) {
        std::string object = compiler.compile(kernelText, CodeKind::Object), error;
        auto code = LoadedCode::load(object, {}, error);
        ASSERT_TRUE(code) << error;
        expectIds(*code);
      }
    });
  for (std::thread &thread : threads)
    thread.join();
}

TEST(CodeGen, OtherMachines) {
  constexpr const char *text = R"(
    llvm.func @scale(%p: !llvm.ptr) {
      %x = llvm.load %p {alignment = 4 : i64} : !llvm.ptr -> vector<16xf32>
      %y = llvm.fadd %x, %x : vector<16xf32>
      llvm.store %y, %p {alignment = 4 : i64} : vector<16xf32>, !llvm.ptr
      llvm.return
    })";
  Compiler compiler;
  std::string avx2 = compiler.compile(text, CodeKind::Assembly, *TargetSpec::named("x86-64-v3"));
  EXPECT_NE(avx2.find("%ymm"), std::string::npos);
  EXPECT_EQ(avx2.find("%zmm"), std::string::npos);
  EXPECT_NE(compiler.compile(text, CodeKind::Assembly, *TargetSpec::named("x86-64-v4")).find("%zmm"), std::string::npos);
  EXPECT_NE(compiler.compile(text, CodeKind::Assembly, *TargetSpec::named("sapphirerapids")).find("%zmm"), std::string::npos);
  EXPECT_NE(compiler.compile(text, CodeKind::Assembly, *TargetSpec::named("aarch64")).find("fadd\tv"), std::string::npos);
  EXPECT_EQ(whyNotHere(TargetSpec::host()), "");
}

TEST(Loader, UnknownSymbolIsNamed) {
  std::string object = Compiler().compile(R"(
    llvm.func @missing_function()
    llvm.func @caller() { llvm.call @missing_function() : () -> () llvm.return })", CodeKind::Object), error;
  EXPECT_FALSE(LoadedCode::load(object, {}, error));
  EXPECT_NE(error.find("missing_function"), std::string::npos) << error;
}

int called = 0;
void callback() { ++called; }

TEST(Loader, CallbacksOfTheRuntime) {
  std::string object = Compiler().compile(R"(
    llvm.func @hook()
    llvm.func @caller() { llvm.call @hook() : () -> () llvm.return })", CodeKind::Object), error;
  RuntimeSymbol extra[] = {{"hook", reinterpret_cast<const void *>(&callback)}};
  auto code = LoadedCode::load(object, extra, error);
  ASSERT_TRUE(code) << error;
  reinterpret_cast<void (*)()>(code->symbol("caller"))();
  EXPECT_EQ(called, 1);
}

TEST(Loader, DamagedObjectIsAnError) {
  std::string object = Compiler().compile(kernelText, CodeKind::Object), error;
  EXPECT_FALSE(LoadedCode::load(std::string_view(object).substr(0, 100), {}, error));
  EXPECT_FALSE(error.empty());
  EXPECT_FALSE(LoadedCode::load("not an object", {}, error));
}

} // namespace
