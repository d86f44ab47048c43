// RUN: triton-metal-opt %s -split-input-file --msl-legalize-floats | FileCheck %s

// CHECK-LABEL: @bfloat
msl.kernel @bfloat(%a: bf16, %b: bf16, %n: i32) attributes {threads = 32 : i32, pool = 0 : i32} {
  // CHECK: %[[A:.*]] = arith.extf %{{.*}} : bf16 to f32
  // CHECK: %[[B:.*]] = arith.extf %{{.*}} : bf16 to f32
  // CHECK: %[[S:.*]] = arith.addf %[[A]], %[[B]] : f32
  // CHECK: arith.truncf %[[S]] : f32 to bf16
  %0 = arith.addf %a, %b : bf16
  %v0 = msl.var %0 : bf16 -> !msl.ptr<bf16, thread>
  // CHECK: arith.sitofp %{{.*}} : i32 to f32
  // CHECK: arith.truncf
  %1 = arith.sitofp %n : i32 to bf16
  %v1 = msl.var %1 : bf16 -> !msl.ptr<bf16, thread>
}

// -----

// CHECK-LABEL: @conversions
msl.kernel @conversions(%a: f32, %h: f16) attributes {threads = 32 : i32, pool = 0 : i32} {
  // CHECK: msl.call "float_to_signed_32"(%{{.*}}) : (f32) -> i32
  %0 = arith.fptosi %a : f32 to i32
  %v0 = msl.var %0 : i32 -> !msl.ptr<i32, thread>
  // CHECK: msl.call "small_float_to_signed_32"(%{{.*}}) : (f32) -> i32
  %2 = arith.fptosi %a {msl.exact} : f32 to i32
  %v2 = msl.var %2 : i32 -> !msl.ptr<i32, thread>
  // CHECK: arith.extf
  // CHECK: msl.call "float_to_unsigned_64"
  %1 = arith.fptoui %h : f16 to i64
  %v1 = msl.var %1 : i64 -> !msl.ptr<i64, thread>
}

// -----

// CHECK-LABEL: @nan
msl.kernel @nan(%a: f32, %b: f32) attributes {threads = 32 : i32, pool = 0 : i32} {
  // CHECK: msl.call "fmax_or_nan"
  %0 = arith.maximumf %a, %b : f32
  %v0 = msl.var %0 : f32 -> !msl.ptr<f32, thread>
  // CHECK: arith.maxnumf
  %1 = arith.maxnumf %a, %b : f32
  %v1 = msl.var %1 : f32 -> !msl.ptr<f32, thread>
  // CHECK: %[[GE:.*]] = arith.cmpf oge
  // CHECK: arith.xori %[[GE]]
  %2 = arith.cmpf ult, %a, %b : f32
  %v2 = msl.var %2 : i1 -> !msl.ptr<i1, thread>
}

// -----

// What Metal has stays.
// CHECK-LABEL: @native
// CHECK-NEXT: arith.addf %{{.*}}, %{{.*}} : f32
// CHECK-NEXT: msl.var
// CHECK-NEXT: arith.mulf %{{.*}}, %{{.*}} : f16
msl.kernel @native(%a: f32, %h: f16) attributes {threads = 32 : i32, pool = 0 : i32} {
  %0 = arith.addf %a, %a : f32
  %v0 = msl.var %0 : f32 -> !msl.ptr<f32, thread>
  %1 = arith.mulf %h, %h : f16
  %v1 = msl.var %1 : f16 -> !msl.ptr<f16, thread>
}
