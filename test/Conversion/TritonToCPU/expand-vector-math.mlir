// RUN: triton-metal-opt %s --expand-vector-math --split-input-file --verify-diagnostics | FileCheck %s

// An exponential is inlined on its own shape and leaves no math function but fma.
// CHECK-LABEL: func.func @exp
// CHECK-NOT: math.exp
// CHECK: math.fma %{{.*}} : vector<8xf32>
// CHECK: arith.bitcast %{{.*}} : vector<8xi32> to vector<8xf32>
func.func @exp(%x: vector<8xf32>) -> vector<8xf32> {
  %0 = math.exp %x : vector<8xf32>
  return %0 : vector<8xf32>
}

// CHECK-LABEL: func.func @scalar
// CHECK-NOT: math.log
// CHECK: math.fma %{{.*}} : f64
func.func @scalar(%x: f64) -> f64 {
  %0 = math.log %x : f64
  return %0 : f64
}

// What the machine can do stays.
// CHECK-LABEL: func.func @native
// CHECK: math.sqrt
// CHECK: math.floor
func.func @native(%x: vector<4xf32>) -> vector<4xf32> {
  %0 = math.sqrt %x : vector<4xf32>
  %1 = math.floor %0 : vector<4xf32>
  return %1 : vector<4xf32>
}

// -----

// Large arguments go through one function of the module, shared by all circular functions.
// CHECK-LABEL: func.func @sincos
// CHECK: scf.if
// CHECK: call @__tm_reduce_to_quarter_turn
// CHECK: call @__tm_reduce_to_quarter_turn
// CHECK: memref.global "private" constant @__tm_two_over_pi
// CHECK: func.func private @__tm_reduce_to_quarter_turn(%{{.*}}: f64) -> (f64, i64)
// CHECK-NOT: func.func private @__tm_reduce
func.func @sincos(%x: vector<2x4xf32>) -> (vector<2x4xf32>, vector<2x4xf32>) {
  %0 = math.sin %x : vector<2x4xf32>
  %1 = math.cos %x : vector<2x4xf32>
  return %0, %1 : vector<2x4xf32>, vector<2x4xf32>
}

// -----

func.func @half(%x: vector<8xf16>) -> vector<8xf16> {
  // expected-error @below {{'math.exp' is not supported on cpu: there is no vector implementation for operands of this type}}
  // expected-note @below {{remedy: compute in float32 or float64}}
  %0 = math.exp %x : vector<8xf16>
  return %0 : vector<8xf16>
}
