//===- TargetSpec.cpp - the host's features, and machines by name ---------------===//
#include "triton_metal/Target/CPU/TargetSpec.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

#include <algorithm>
#include <vector>

using namespace triton_metal::cpu;

namespace {

constexpr const char *x86Triple = "x86_64-unknown-linux-gnu";
constexpr const char *arm64Triple = "aarch64-unknown-linux-gnu";

TargetSpec detectHost() {
  TargetSpec spec;
  spec.cpu = llvm::sys::getHostCPUName().str();
  llvm::StringMap<bool> found = llvm::sys::getHostCPUFeatures();
  llvm::Triple process(llvm::sys::getProcessTriple());
  if (process.isAArch64()) {
    spec.triple = arm64Triple;
    spec.vectorBytes = 16;
    spec.vectorRegisters = 32;
    if (process.isOSDarwin())
      spec.features = "+reserve-x18";
    return spec;
  }
  spec.triple = x86Triple;
  // The processor's name may promise what a hypervisor hides, so every feature is said, present or not.
  std::vector<std::string> features;
  for (const auto &entry : found)
    features.push_back((entry.second ? "+" : "-") + entry.first().str());
  std::sort(features.begin(), features.end());
  for (const std::string &feature : features)
    spec.features += (spec.features.empty() ? "" : ",") + feature;
  bool avx512 = true;
  for (const char *name : {"avx512f", "avx512bw", "avx512dq", "avx512vl"})
    avx512 &= found.lookup(name);
  spec.vectorBytes = avx512 ? 64 : found.lookup("avx2") ? 32 : 16;
  spec.vectorRegisters = avx512 ? 32 : 16;
  return spec;
}

} // namespace

bool TargetSpec::hasFeature(std::string_view name) const {
  for (llvm::StringRef rest = features; !rest.empty();) {
    auto [head, tail] = rest.split(',');
    if (head.consume_front("+") && head == llvm::StringRef(name))
      return true;
    rest = tail;
  }
  return false;
}

std::string TargetSpec::key() const {
  return triple + "|" + cpu + "|" + features + "|" + std::to_string(vectorBytes) + "|" + std::to_string(vectorRegisters);
}

const TargetSpec &TargetSpec::host() {
  static const TargetSpec spec = detectHost();
  return spec;
}

std::optional<TargetSpec> TargetSpec::named(std::string_view text) {
  auto [name, width] = llvm::StringRef(text).split(':');
  auto spec = llvm::StringSwitch<std::optional<TargetSpec>>(name)
                  .Case("host", host())
                  .Case("x86-64-v3", TargetSpec{x86Triple, "x86-64-v3", "", 32, 16})
                  .Case("x86-64-v4", TargetSpec{x86Triple, "x86-64-v4", "", 64, 32})
                  .Case("sapphirerapids", TargetSpec{x86Triple, "sapphirerapids", "", 64, 32})
                  .Case("aarch64", TargetSpec{arm64Triple, "generic", "", 16, 32})
                  .Default(std::nullopt);
  if (!spec || width.empty())
    return spec;
  unsigned bytes = 0;
  if (width.getAsInteger(10, bytes) || (bytes != 16 && bytes != 32 && bytes != 64))
    return std::nullopt;
  if (bytes > spec->vectorBytes) // a vector takes several registers
    spec->vectorRegisters = spec->vectorRegisters * spec->vectorBytes / bytes;
  spec->vectorBytes = bytes;
  return spec;
}

std::string triton_metal::cpu::whyNotHere(const TargetSpec &spec) {
  const TargetSpec &here = TargetSpec::host();
  if (spec.triple != here.triple)
    return "the code is for " + spec.triple + ", this machine is " + here.triple;
  if (here.isX86() && here.vectorBytes < 32)
    return "this processor lacks AVX2, which the CPU device needs on x86-64";
  if (spec.cpu == here.cpu || spec.cpu == "generic")
    return "";
  unsigned needed = llvm::StringSwitch<unsigned>(spec.cpu).Case("x86-64-v3", 32).Case("x86-64-v4", 64).Default(0);
  if (!needed)
    return "the code is for " + spec.cpu + ", this processor is " + here.cpu;
  if (needed > here.vectorBytes)
    return "the code is for " + spec.cpu + ", with registers of " + std::to_string(needed) + " bytes; this processor has " +
           std::to_string(here.vectorBytes);
  return "";
}

std::string triton_metal::cpu::whyNotMade(const TargetSpec &spec) {
  if (spec.isX86() ? TM_X86 : TM_AARCH64)
    return "";
  return "this build makes code for " + TargetSpec::host().triple + " only; for " + spec.triple +
         " configure with -DTRITON_METAL_CROSS=ON, as ./dev test does";
}
