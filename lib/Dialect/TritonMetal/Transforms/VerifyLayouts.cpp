//===- VerifyLayouts.cpp - the contract of distributed modules as a pass ----------------===//
#include "triton_metal/Dialect/TritonMetal/Transforms/Passes.h"

namespace triton_metal::ttm {
#define GEN_PASS_DEF_VERIFYLAYOUTS
#include "triton_metal/Dialect/TritonMetal/Transforms/TritonMetalPasses.h.inc"
} // namespace triton_metal::ttm

namespace {
struct VerifyLayouts : public triton_metal::ttm::impl::VerifyLayoutsBase<VerifyLayouts> {
  void runOnOperation() override {
    if (failed(triton_metal::ttm::verifyLayouts(getOperation())))
      signalPassFailure();
  }
};
} // namespace
