//===- launch_options.cpp - keyword arguments that are no parameters ---------------===//
#include "Kernel.h"

#include <array>

namespace triton_metal::python {

namespace {

constexpr std::array kNames = {
    "device", "warmup",
    // Steer compilation here.
    "num_warps", "num_stages", "enable_fp_fusion", "debug", "checked", "counting",
    // Upstream's, of its vendors, and of older releases: accepted, because configurations carry them.
    "num_ctas", "maxnreg", "sanitize_overflow", "launch_cooperative_grid", "launch_cluster", "launch_pdl", "extern_libs", "ir_override",
    "clc", "sched4reg", "min_shared_mem", "fpsan_homomorphic_casts", "instrumentation_mode", "cluster_dims", "ptx_version",
    "ptx_options", "arch", "backend_name", "supported_fp8_dtypes", "deprecated_fp8_dot_operand_dtypes",
    "default_dot_input_precision", "allowed_dot_input_precisions", "max_num_imprecise_acc_default", "allow_fp8e4nv",
    "waves_per_eu", "matrix_instr_nonkdim", "kpack", "schedule_hint", "allow_flush_denorm", "num_buffers_warp_spec",
    "num_consumer_groups", "reg_dec_producer", "reg_inc_consumer", "enable_warp_specialization", "noinline",
};
static_assert(kNames.size() <= kMaxOptions);

std::array<PyObject *, kNames.size()> &interned() {
  static std::array<PyObject *, kNames.size()> names = [] {
    std::array<PyObject *, kNames.size()> result;
    for (size_t i = 0; i < kNames.size(); ++i)
      result[i] = PyUnicode_InternFromString(kNames[i]);
    return result;
  }();
  return names;
}

} // namespace

size_t optionCount() { return kNames.size(); }
PyObject *optionName(size_t index) { return interned()[index]; }

int findOption(PyObject *name) {
  for (size_t i = 0; i < kNames.size(); ++i)
    if (interned()[i] == name || PyUnicode_Compare(interned()[i], name) == 0)
      return int(i);
  return -1;
}

LaunchSettings &launchSettings() {
  static LaunchSettings settings;
  return settings;
}

} // namespace triton_metal::python
