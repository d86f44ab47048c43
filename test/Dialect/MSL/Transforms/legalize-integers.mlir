// RUN: triton-metal-opt %s -split-input-file --msl-legalize-integers | FileCheck %s

// CHECK-LABEL: @division
msl.kernel @division(%a: i32, %b: i32, %s: i8, %t: i8) attributes {threads = 32 : i32, pool = 0 : i32} {
  %c7 = arith.constant 7 : i32
  // CHECK: msl.call "div_signed_32"(%{{.*}}, %{{.*}}) : (i32, i32) -> i32
  %0 = arith.divsi %a, %b : i32
  %v0 = msl.var %0 : i32 -> !msl.ptr<i32, thread>
  // CHECK: msl.call "rem_unsigned_32"
  %1 = arith.remui %a, %b : i32
  %v1 = msl.var %1 : i32 -> !msl.ptr<i32, thread>
  // A constant divisor that cannot fail keeps its operator.
  // CHECK: arith.divsi %{{.*}}, %{{.*}} : i32
  %2 = arith.divsi %a, %c7 : i32
  %v2 = msl.var %2 : i32 -> !msl.ptr<i32, thread>
  // CHECK: %[[Q:.*]] = arith.divsi
  // CHECK: %[[P:.*]] = arith.muli %[[Q]]
  // CHECK: arith.subi %{{.*}}, %[[P]]
  %3 = arith.remsi %a, %c7 : i32
  %v3 = msl.var %3 : i32 -> !msl.ptr<i32, thread>
  // CHECK: %[[W:.*]] = arith.extsi %{{.*}} : i8 to i32
  // CHECK: msl.call "div_signed_32"
  // CHECK: arith.trunci %{{.*}} : i32 to i8
  %4 = arith.divsi %s, %t : i8
  %v4 = msl.var %4 : i8 -> !msl.ptr<i8, thread>
}

// -----

// CHECK-LABEL: @shift
msl.kernel @shift(%a: i32, %b: i32) attributes {threads = 32 : i32, pool = 0 : i32} {
  // CHECK: %[[MASK:.*]] = arith.constant 31 : i32
  // CHECK: %[[N:.*]] = arith.andi %{{.*}}, %[[MASK]]
  // CHECK: arith.shli %{{.*}}, %[[N]]
  %0 = arith.shli %a, %b : i32
  %v0 = msl.var %0 : i32 -> !msl.ptr<i32, thread>
  // CHECK: %[[C:.*]] = arith.constant 5
  // CHECK: arith.shrui %{{.*}}, %[[C]]
  %c5 = arith.constant 5 : i32
  %1 = arith.shrui %a, %c5 : i32
  %v1 = msl.var %1 : i32 -> !msl.ptr<i32, thread>
}

// -----

// CHECK-LABEL: @logic
msl.kernel @logic(%a: i1, %b: i1) attributes {threads = 32 : i32, pool = 0 : i32} {
  // CHECK: arith.xori %arg0, %arg1
  %0 = arith.addi %a, %b : i1
  %v0 = msl.var %0 : i1 -> !msl.ptr<i1, thread>
  // CHECK: arith.select %arg0
  %1 = arith.extsi %a : i1 to i32
  %v1 = msl.var %1 : i32 -> !msl.ptr<i32, thread>
}
