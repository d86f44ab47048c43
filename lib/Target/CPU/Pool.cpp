//===- Pool.cpp - contexts and target machines that are used again --------------===//
#include "Pool.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"

#include <mutex>
#include <vector>

// This machine's backend is in the core; TRITON_METAL_CROSS (CMakeLists.txt) adds the other architecture's, so that code for it can be
// made and tested here.
extern "C" {
#if TM_X86
void LLVMInitializeX86TargetInfo();
void LLVMInitializeX86Target();
void LLVMInitializeX86TargetMC();
void LLVMInitializeX86AsmPrinter();
#endif
#if TM_AARCH64
void LLVMInitializeAArch64TargetInfo();
void LLVMInitializeAArch64Target();
void LLVMInitializeAArch64TargetMC();
void LLVMInitializeAArch64AsmPrinter();
#endif
}

using namespace triton_metal::cpu;

namespace {

constexpr unsigned modulesPerContext = 64;

struct Idle {
  std::unique_ptr<llvm::LLVMContext> context;
  std::unique_ptr<llvm::TargetMachine> machine;
  unsigned uses;
};

struct Shelf {
  std::mutex mutex;
  llvm::StringMap<std::vector<Idle>> idle;
};

/// Never destroyed: a worker may hand back its workshop while the process exits.
Shelf &shelf() {
  static Shelf *instance = new Shelf;
  return *instance;
}

void initialiseTargets() {
  static std::once_flag once;
  std::call_once(once, [] {
#if TM_X86
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
#endif
#if TM_AARCH64
    LLVMInitializeAArch64TargetInfo();
    LLVMInitializeAArch64Target();
    LLVMInitializeAArch64TargetMC();
    LLVMInitializeAArch64AsmPrinter();
#endif
  });
}

std::unique_ptr<llvm::TargetMachine> makeMachine(const TargetSpec &spec, std::string &error) {
  initialiseTargets();
  llvm::Triple triple(spec.triple);
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return nullptr;
  llvm::TargetOptions options;
  // Contraction is decided by the `contract` flag on operations, never by the backend on its own.
  options.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  std::unique_ptr<llvm::TargetMachine> machine(target->createTargetMachine(
      triple, spec.cpu, spec.features, options, llvm::Reloc::PIC_, llvm::CodeModel::Small, llvm::CodeGenOptLevel::Default, /*JIT=*/true));
  if (!machine)
    error = "LLVM has no machine for " + spec.key();
  return machine;
}

} // namespace

std::unique_ptr<Workshop> Workshop::take(const TargetSpec &spec, std::string &error) {
  std::unique_ptr<Workshop> workshop(new Workshop);
  workshop->key = spec.key();
  {
    std::lock_guard lock(shelf().mutex);
    auto &idle = shelf().idle[workshop->key];
    if (!idle.empty()) {
      workshop->ctx = std::move(idle.back().context);
      workshop->target = std::move(idle.back().machine);
      workshop->uses = idle.back().uses;
      idle.pop_back();
    }
  }
  if (!workshop->target)
    workshop->target = makeMachine(spec, error);
  if (!workshop->target)
    return nullptr;
  if (!workshop->ctx) {
    workshop->ctx = std::make_unique<llvm::LLVMContext>();
    workshop->ctx->setDiscardValueNames(false);
  }
  return workshop;
}

Workshop::~Workshop() {
  if (!target)
    return;
  if (++uses >= modulesPerContext) {
    ctx.reset();
    uses = 0;
  }
  std::lock_guard lock(shelf().mutex);
  shelf().idle[key].push_back({std::move(ctx), std::move(target), uses});
}
