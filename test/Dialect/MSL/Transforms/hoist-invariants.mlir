// RUN: triton-metal-opt %s --msl-hoist-invariants | FileCheck %s

// What the outer loop does not change leaves it, also from a loop over registers; what a counter enters, memory and branches stay.
// CHECK-LABEL: msl.kernel @loops
// CHECK: %[[LANE:.*]] = msl.builtin lane
// CHECK: %[[ROW:.*]] = arith.andi %[[LANE]]
// CHECK: %[[PLACE:.*]] = arith.muli %[[ROW]], %arg1
// CHECK: msl.for %[[I:.*]] = {{.*}} {
// CHECK-NEXT: arith.addi %[[PLACE]], %[[I]]
// CHECK-NEXT: msl.for unroll %[[J:.*]] = {{.*}} {
// CHECK-NEXT: arith.muli %[[J]], %[[ROW]]
// CHECK-NEXT: msl.load %arg0
// CHECK: msl.if
// CHECK-NEXT: arith.divui
msl.kernel @loops(%p: !msl.ptr<i32, device>, %n: i32, %test: i1) attributes {threads = 32 : i32, pool = 0 : i32} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c3 = arith.constant 3 : i32
  msl.for %i = %c0 to %n step %c1 : i32 {
    %lane = msl.builtin lane
    %row = arith.andi %lane, %c3 : i32
    %place = arith.muli %row, %n : i32
    %moving = arith.addi %place, %i : i32
    msl.for unroll %j = %c0 to %c3 step %c1 : i32 {
      %again = arith.andi %lane, %c3 : i32
      %product = arith.muli %j, %row : i32
      %x = msl.load %p : !msl.ptr<i32, device>
    }
    msl.if %test {
      %quotient = arith.divui %n, %c3 : i32
    }
  }
}
