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
