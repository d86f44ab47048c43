// RUN: triton-metal-opt %s --msl-legalize-simd | FileCheck %s

// CHECK-LABEL: @shuffles
msl.kernel @shuffles(%b: bf16, %l: i64, %t: i1, %f: f32) attributes {threads = 32 : i32, pool = 0 : i32} {
  %c1 = arith.constant 1 : i32
  // CHECK: %[[BITS:.*]] = arith.bitcast %{{.*}} : bf16 to i16
  // CHECK: msl.simd shuffle_xor %[[BITS]], %{{.*}} : i16
  %0 = msl.simd shuffle_xor %b, %c1 : bf16
  %v0 = msl.var %0 : bf16 -> !msl.ptr<bf16, thread>
  // CHECK: msl.call "shuffle_xor_64"
  %1 = msl.simd shuffle_xor %l, %c1 : i64
  %v1 = msl.var %1 : i64 -> !msl.ptr<i64, thread>
  // CHECK: arith.extui %{{.*}} : i1 to i32
  %2 = msl.simd shuffle_xor %t, %c1 : i1
  %v2 = msl.var %2 : i1 -> !msl.ptr<i1, thread>
  // CHECK: msl.simd sum %{{.*}} : f32
  %3 = msl.simd sum %f : f32
  %v3 = msl.var %3 : f32 -> !msl.ptr<f32, thread>
}
