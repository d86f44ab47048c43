// RUN: triton-metal-codegen %s --lower --target=x86-64-v4 | FileCheck %s --check-prefix=AVX512
// RUN: triton-metal-codegen %s --lower --target=x86-64-v3 | FileCheck %s --check-prefix=AVX2
// RUN: triton-metal-codegen %s --lower --target=aarch64 | FileCheck %s --check-prefix=NEON
// RUN: not triton-metal-codegen %s --lower --target=vax 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// A vector of the wide machine is one register there, two of AVX2, four of NEON; nothing is called.
// AVX512-LABEL: axpy:
// AVX512: vfmadd{{.*}}%zmm
// AVX512-NOT: call
// AVX2-LABEL: axpy:
// AVX2-NOT: zmm
// AVX2-COUNT-2: vfmadd{{.*}}%ymm
// NEON-LABEL: axpy:
// NEON-COUNT-4: fmla{{.*}}.4s
// UNKNOWN: unknown target 'vax'
func.func @axpy(%a: vector<16xf32>, %x: memref<16xf32>, %y: memref<16xf32>) {
  %zero = arith.constant 0 : index
  %u = vector.load %x[%zero] : memref<16xf32>, vector<16xf32>
  %v = vector.load %y[%zero] : memref<16xf32>, vector<16xf32>
  %r = math.fma %a, %u, %v : vector<16xf32>
  vector.store %r, %y[%zero] : memref<16xf32>, vector<16xf32>
  return
}
