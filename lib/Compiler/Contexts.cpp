//===- Contexts.cpp - pooled MLIR contexts ----------------------------------------===//
#include "triton_metal/Compiler/ModuleAccess.h"
#include "triton_metal/Dialect/Triton/IR/Dialect.h"
#include "triton_metal/Target/CPU/CodeGen.h"

#include <mutex>

using namespace mlir;

namespace triton_metal {

void registerCompilerDialects(DialectRegistry &registry) {
  registry.insert<tt::TritonDialect, arith::ArithDialect, math::MathDialect, scf::SCFDialect, cf::ControlFlowDialect,
                  ub::UBDialect, memref::MemRefDialect, vector::VectorDialect, LLVM::LLVMDialect, func::FuncDialect>();
}

namespace {

/// After so many loans a context has interned enough that a fresh one is cheaper than the memory.
constexpr unsigned kMaxLoans = 256;
/// Contexts kept idle: one for each thread that compiled at once, within reason.
constexpr size_t kMaxIdle = 4;

struct IdleContext {
  MLIRContext *context;
  unsigned loans;
};

struct Pool {
  std::mutex mutex;
  std::vector<IdleContext> idle;
};

/// Never destroyed: modules may be freed by Python after static destructors have run.
Pool &pool() {
  static Pool &instance = *new Pool;
  return instance;
}

MLIRContext *makeContext() {
  DialectRegistry registry;
  registerCompilerDialects(registry);
  cpu::registerCodeGenDialects(registry);
  auto *context = new MLIRContext(registry, MLIRContext::Threading::DISABLED);
  context->loadAllAvailableDialects();
  return context;
}

} // namespace

PooledContext::PooledContext() {
  Pool &contexts = pool();
  {
    std::lock_guard lock(contexts.mutex);
    if (!contexts.idle.empty()) {
      context = contexts.idle.back().context;
      loans = contexts.idle.back().loans + 1;
      contexts.idle.pop_back();
      return;
    }
  }
  context = makeContext();
  loans = 1;
}

PooledContext::~PooledContext() {
  if (abandoned)
    return;
  if (loans < kMaxLoans) {
    Pool &contexts = pool();
    std::lock_guard lock(contexts.mutex);
    if (contexts.idle.size() < kMaxIdle) {
      contexts.idle.push_back({context, loans});
      return;
    }
  }
  delete context;
}

} // namespace triton_metal
