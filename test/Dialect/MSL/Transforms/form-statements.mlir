// RUN: triton-metal-opt %s --msl-form-statements | FileCheck %s

// Words of Metal and of the signature are taken; the kernel is renamed as well.
// CHECK: msl.kernel @main_(%{{.*}}: i32 {msl.name = "half_"}, %{{.*}}: i32 {msl.name = "n"})
msl.kernel @main(%a: i32 {msl.name = "half"}, %b: i32 {msl.name = "n"}) attributes {threads = 32 : i32, pool = 0 : i32} {
  %c1 = arith.constant 1 : i32
  // CHECK: msl.var {{.*}} {msl.name = "lane_1"}
  %x = msl.var %a : i32 {msl.name = "lane"} -> !msl.ptr<i32, thread>
  // A value with one use stays in its expression,
  // CHECK-NOT: arith.addi {{.*}} {msl.name
  %0 = arith.addi %a, %b : i32
  // one with two becomes a variable.
  // CHECK: arith.muli {{.*}} {msl.name = "t"}
  %1 = arith.muli %0, %b : i32
  msl.store %1, %x : !msl.ptr<i32, thread>
  // A read of a variable is not moved over a write to it.
  // CHECK: msl.load {{.*}} {msl.name = "t_1"}
  %old = msl.load %x : !msl.ptr<i32, thread>
  // CHECK: msl.store
  msl.store %1, %x : !msl.ptr<i32, thread>
  // CHECK: msl.var {{.*}} {msl.name = "y"}
  %y = msl.var %old : i32 {msl.name = "y"} -> !msl.ptr<i32, thread>
}

// A SIMD function stands in the next statement; under a condition it would be executed by some lanes only, so there it has a variable.
// CHECK-LABEL: msl.kernel @lanes
msl.kernel @lanes(%p: !msl.ptr<f32, device> {msl.name = "p"}, %c: i1 {msl.name = "c"}) attributes {threads = 32 : i32, pool = 0 : i32} {
  %c1 = arith.constant 1 : i32
  %zero = arith.constant 0.0 : f32
  %x = msl.var %zero : f32 {msl.name = "x"} -> !msl.ptr<f32, thread>
  %0 = msl.load %x : !msl.ptr<f32, thread>
  // CHECK: msl.simd shuffle_xor %{{.*}}, %{{[a-z0-9_]*}} : f32
  %1 = msl.simd shuffle_xor %0, %c1 : f32
  %2 = arith.addf %0, %1 : f32
  msl.store %2, %x : !msl.ptr<f32, thread>
  %3 = msl.load %x : !msl.ptr<f32, thread>
  // CHECK: msl.simd shuffle_xor {{.*}} {msl.name = "t"}
  %4 = msl.simd shuffle_xor %3, %c1 : f32
  %5 = arith.select %c, %4, %3 : f32
  msl.store %5, %x : !msl.ptr<f32, thread>
}

// A pointer is called after the parameter that it points into, a condition is not called as what it guards. An integer that is read with
// its sign is declared with it.
// CHECK-LABEL: msl.kernel @hints
// CHECK-SAME: {msl.name = "n", msl.signed}
// CHECK-SAME: {msl.name = "m"}
msl.kernel @hints(%p: !msl.ptr<f32, device> {msl.name = "x_ptr"}, %n: i32 {msl.name = "n"}, %m: i32 {msl.name = "m"}) attributes {threads = 32 : i32, pool = 0 : i32} {
  %zero = arith.constant 0.0 : f32
  %i = arith.addi %n, %m : i32
  // CHECK: arith.addi {{.*}} {msl.name = "t", msl.signed}
  // CHECK: msl.ptr_add {{.*}} {msl.name = "x_at"}
  %q = msl.ptr_add %p, %i : !msl.ptr<f32, device>, i32 loc("x")
  // CHECK: arith.cmpi {{.*}} {msl.name = "x_inside"}
  %c = arith.cmpi slt, %i, %n : i32 loc("x")
  // CHECK: msl.load {{.*}} {msl.name = "x"}
  %x = msl.load %q if %c else %zero : !msl.ptr<f32, device> loc("x")
  msl.store %x, %q if %c : !msl.ptr<f32, device>
  msl.store %x, %p : !msl.ptr<f32, device>
}

// A counter takes the next letter; what moves a variable on is its step; a base of a base is a row.
// CHECK-LABEL: msl.kernel @loops
msl.kernel @loops(%p: !msl.ptr<f32, device> {msl.name = "x_ptr"}, %n: i32 {msl.name = "n"}) attributes {threads = 32 : i32, pool = 0 : i32} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %place = msl.var %c0 : i32 -> !msl.ptr<i32, thread> loc("place")
  // CHECK: arith.muli {{.*}} {msl.name = "place_step"}
  %by = arith.muli %n, %n : i32
  // CHECK: msl.ptr_add {{.*}} {msl.name = "x_base"}
  %base = msl.ptr_add %p, %n : !msl.ptr<f32, device>, i32
  // CHECK: msl.for
  msl.for %i = %c0 to %n step %c1 : i32 {
    // CHECK: msl.ptr_add {{.*}} {msl.name = "x_row"}
    %row = msl.ptr_add %base, %i : !msl.ptr<f32, device>, i32
    msl.for %j = %c0 to %n step %c1 : i32 {
      %at = msl.ptr_add %row, %j : !msl.ptr<f32, device>, i32
      %x = msl.load %at : !msl.ptr<f32, device>
      %y = arith.addf %x, %x : f32
      msl.store %y, %at : !msl.ptr<f32, device>
      // CHECK: {msl.name = "j"}
    } {msl.name = "i"}
    %old = msl.load %place : !msl.ptr<i32, thread>
    %new = arith.addi %old, %by : i32
    msl.store %new, %place : !msl.ptr<i32, thread>
    // CHECK: {msl.name = "i"}
  } {msl.name = "i"}
}
