//===- CompileMetal.cpp - a tt module as Metal Shading Language ---------------------------===//
#include "DistributeForMetal.h"
#include "triton_metal/Dialect/TritonMetal/IR/Dialect.h"
#include "triton_metal/Pipelines/MetalPipeline.h"
#include "triton_metal/Pipelines/TritonPipeline.h"
#include "triton_metal/Target/MSL/Print.h"

#include "mlir/Pass/PassManager.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace triton_metal {

static std::string textOf(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream);
  return text;
}

/// The shape of the tile that one SIMD-group holds of `layout`'s last two dimensions.
static std::pair<unsigned, unsigned> tileOf(const LinearLayout &layout) {
  unsigned rank = layout.getRank(), rows = 1, columns = 1;
  auto grow = [&](ArrayRef<uint32_t> bases) {
    for (uint32_t basis : bases) {
      rows *= layout.getCoordinate(basis, rank - 2) ? 2 : 1;
      columns *= layout.getCoordinate(basis, rank - 1) ? 2 : 1;
    }
  };
  grow(layout.getRegisterBases());
  grow(layout.getLaneBases());
  return {rows, columns};
}

static std::vector<DotShape> dotShapes(ModuleOp module) {
  std::vector<DotShape> shapes;
  module.walk([&](tt::DotOp dot) {
    auto kind = dot->getAttrOfType<StringAttr>(ttm::kDotKind);
    std::optional<LinearLayout> layout = ttm::getLayout(dot->getResult(0));
    if (!kind || kind != "simdgroup_matrix" || !layout)
      return;
    auto bits = [&](unsigned operand) { return getElementTypeOrSelf(dot->getOperand(operand).getType()).getIntOrFloatBitWidth(); };
    auto [rows, columns] = tileOf(*layout);
    DotShape shape{rows, columns, std::max(bits(0), bits(1))};
    bool known = llvm::any_of(shapes, [&](const DotShape &other) {
      return other.rows == shape.rows && other.columns == shape.columns && other.operandBits == shape.operandBits;
    });
    if (!known)
      shapes.push_back(shape);
  });
  return shapes;
}

Result<MetalCode> compileForMetal(const Module &module, const MetalOptions &options) {
  Result<KernelSignature> signature = kernelSignature(module);
  if (!signature)
    return signature.error();
  MetalCode code;
  code.signature = *signature;
  code.ttir = print(module);
  MLIRContext *context = getContext(module);
  std::optional<Error> failure;
  std::optional<Crash> crash = runGuarded([&] {
    OwningOpRef<ModuleOp> copy = getModuleOp(module).clone();
    DiagnosticCapture capture(context);
    auto run = [&](llvm::function_ref<void(OpPassManager &)> build, StringRef what) {
      PassManager manager(context);
      manager.enableVerifier(options.verifyEach);
      build(manager);
      if (failed(manager.run(*copy)))
        failure = capture.take(Error::Kind::Internal, ("the compiler failed to " + what).str());
      return !failure;
    };
    if (!run([&](OpPassManager &manager) { buildTritonPipeline(manager, options.plantedFault); }, "simplify the kernel"))
      return;
    failure = distributeForMetal(copy, options, capture);
    if (failure)
      return;
    code.ttm = textOf(*copy);
    code.hints = capture.takeHintRemarks();
    code.dots = dotShapes(*copy);
    if (!run([&](OpPassManager &manager) { buildMSLPipeline(manager); }, "turn the kernel into Metal"))
      return;
    FailureOr<msl::KernelText> kernel = msl::printKernel(*copy, options.fpFusion);
    if (failed(kernel))
      failure = capture.take(Error::Kind::Internal, "the compiler failed to print the kernel");
    else
      code.kernel = std::move(*kernel);
  });
  if (crash || (failure && failure->kind == Error::Kind::Internal)) {
    Error error = failure.value_or(Error());
    error.kind = Error::Kind::Internal;
    if (crash) {
      error.message = crash->what;
      module.state().context.abandon();
    }
    error.reproducer = writeReproducer(
        code.signature.name,
        llvm::formatv("--triton-pipeline --metal-pipeline=\"num-warps={0} chip={1}\"", options.numWarps, options.chip).str(), code.ttir);
    return error;
  }
  if (failure)
    return *failure;
  return code;
}

} // namespace triton_metal
