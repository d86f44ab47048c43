//===- Symbols.cpp - what generated code may link to ---------------------------------------------------------------------===//
#include "softmetal/Run/Symbols.h"
#include "softmetal/Abi.h"
#include "softmetal/Run/Matrix.h"
#include "softmetal/Run/Numbers.h"
#include <cmath>
#include <cstring>

namespace softmetal {
namespace {

// What the code generator calls where the host has no instruction for it. The types carry the calling convention of half and bfloat.
float extendHalf(_Float16 value) { return static_cast<float>(value); }
_Float16 truncateToHalf(float value) { return static_cast<_Float16>(value); }
__bf16 truncateToBFloat(float value) {
  uint16_t bits = floatToBFloat(value);
  __bf16 result;
  memcpy(&result, &bits, 2);
  return result;
}
void sineAndCosine(float value, float *sine, float *cosine) {
  *sine = std::sin(value);
  *cosine = std::cos(value);
}
float powerOfTen(float value) { return static_cast<float>(std::pow(10.0, static_cast<double>(value))); }

std::vector<Symbol> makeSymbols() {
  std::vector<Symbol> symbols;
  auto add = [&](const char *name, auto *function) { symbols.push_back({name, reinterpret_cast<void *>(function)}); };
#define RUNTIME(name) add(#name, name)
  RUNTIME(softmetal_rt_barrier);
  RUNTIME(softmetal_rt_collective);
  RUNTIME(softmetal_rt_threadgroup);
  RUNTIME(softmetal_rt_lane);
  RUNTIME(softmetal_rt_poll);
  RUNTIME(softmetal_rt_yield);
  RUNTIME(softmetal_rt_bounds_device);
  RUNTIME(softmetal_rt_bounds_threadgroup);
  RUNTIME(softmetal_rt_bounds_private);
  RUNTIME(softmetal_rt_device_range);
  RUNTIME(softmetal_rt_threadgroup_range);
  RUNTIME(softmetal_rt_race_device);
  RUNTIME(softmetal_rt_race_threadgroup);
  RUNTIME(softmetal_rt_written_threadgroup);
  RUNTIME(softmetal_rt_read_threadgroup);
  RUNTIME(softmetal_rt_count_device);
  RUNTIME(softmetal_rt_count_threadgroup);
  RUNTIME(softmetal_rt_count_operations);
  RUNTIME(softmetal_rt_count_distinct);
#undef RUNTIME
#define UNARY(name) add(#name, static_cast<float (*)(float)>(::name))
#define BINARY(name) add(#name, static_cast<float (*)(float, float)>(::name))
  UNARY(expf);
  UNARY(exp2f);
  UNARY(logf);
  UNARY(log2f);
  UNARY(log10f);
  UNARY(sinf);
  UNARY(cosf);
  UNARY(tanf);
  UNARY(sinhf);
  UNARY(coshf);
  UNARY(tanhf);
  UNARY(asinf);
  UNARY(acosf);
  UNARY(atanf);
  UNARY(asinhf);
  UNARY(acoshf);
  UNARY(atanhf);
  UNARY(sqrtf);
  UNARY(floorf);
  UNARY(ceilf);
  UNARY(rintf);
  UNARY(roundf);
  UNARY(truncf);
  BINARY(powf);
  BINARY(fmodf);
  BINARY(atan2f);
  BINARY(fmaxf);
  BINARY(fminf);
  BINARY(remainderf);
  BINARY(fdimf);
  BINARY(nextafterf);
  BINARY(copysignf);
#undef UNARY
#undef BINARY
  add("fmaf", static_cast<float (*)(float, float, float)>(::fmaf));
  add("ldexpf", static_cast<float (*)(float, int)>(::ldexpf));
  add("exp10f", powerOfTen);
  add("sincosf", sineAndCosine);
  add("memcpy", static_cast<void *(*)(void *, const void *, size_t)>(::memcpy));
  add("memmove", static_cast<void *(*)(void *, const void *, size_t)>(::memmove));
  add("memset", static_cast<void *(*)(void *, int, size_t)>(::memset));
  add("__extendhfsf2", extendHalf);
  add("__truncsfhf2", truncateToHalf);
  add("__truncsfbf2", truncateToBFloat);
  for (const char *name :
       {"cooperative_tensor_data_size", "cooperative_tensor_init", "cooperative_tensor_num_elements",
        "cooperative_tensor_get_element_pointer", "run_cooperative_f32_f32_f32", "run_cooperative_f32_f16_f32",
        "run_cooperative_f32_b16_f32", "run_cooperative_f16_f32_f32", "run_cooperative_f16_f16_f32", "run_cooperative_f16_b16_f32",
        "run_cooperative_b16_f32_f32", "run_cooperative_b16_f16_f32", "run_cooperative_b16_b16_f32"})
    symbols.push_back({std::string("__tensorops_impl_matmul2d_op_") + name, tensorFunction(name)});
  return symbols;
}

} // namespace

const std::vector<Symbol> &runtimeSymbols() {
  static const std::vector<Symbol> symbols = makeSymbols();
  return symbols;
}

} // namespace softmetal
