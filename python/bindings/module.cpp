//===- module.cpp - triton_metal._core --------------------------------------------===//
#include "Bindings.h"

using namespace triton_metal::python;

NB_MODULE(_core, m) {
  // Kernels and compiled code live in caches of modules that Python may tear down in any order.
  nb::set_leak_warnings(false);
  bindCPU(m);
  bindCache(m);
  bindChips(m);
  bindCompiler(m);
  bindCost(m);
  bindFrontend(m);
  bindInspect(m);
  bindLaunch(m);
  bindMetal(m);
  bindRecording(m);
}
