// RUN: triton-metal-opt %s --tt-carry-offsets | FileCheck %s

// All pointers move by one amount: the loop carries the amount, and the pointers are made from those before the loop.
// CHECK-LABEL: tt.func public @uniform
// CHECK: %[[START:.*]] = tt.addptr
// CHECK: %[[ZERO:.*]] = arith.constant 0 : i64
// CHECK: %[[LOOP:.*]] = scf.for {{.*}} iter_args(%[[OFFSET:.*]] = %[[ZERO]]) -> (i64)
// CHECK: %[[WIDE:.*]] = tt.splat %[[OFFSET]] : i64 -> tensor<8xi64>
// CHECK: %[[POINTERS:.*]] = tt.addptr %[[START]], %[[WIDE]]
// CHECK: tt.store %[[POINTERS]]
// CHECK: %[[STEP:.*]] = arith.extsi %{{.*}} : i32 to i64
// CHECK: %[[NEXT:.*]] = arith.addi %[[OFFSET]], %[[STEP]] : i64
// CHECK: scf.yield %[[NEXT]] : i64
// CHECK: tt.splat %[[LOOP]] : i64 -> tensor<8xi64>
tt.func public @uniform(%p: !tt.ptr<f32>, %n: i32, %step: i32, %v: tensor<8xf32>) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %range = tt.make_range {start = 0 : i32, end = 8 : i32} : tensor<8xi32>
  %base = tt.splat %p : !tt.ptr<f32> -> tensor<8x!tt.ptr<f32>>
  %start = tt.addptr %base, %range : tensor<8x!tt.ptr<f32>>, tensor<8xi32>
  %steps = tt.splat %step : i32 -> tensor<8xi32>
  %end = scf.for %i = %c0 to %n step %c1 iter_args(%at = %start) -> (tensor<8x!tt.ptr<f32>>) : i32 {
    tt.store %at, %v : tensor<8x!tt.ptr<f32>>
    %next = tt.addptr %at, %steps : tensor<8x!tt.ptr<f32>>, tensor<8xi32>
    scf.yield %next : tensor<8x!tt.ptr<f32>>
  }
  tt.store %end, %v : tensor<8x!tt.ptr<f32>>
  tt.return
}

// Each pointer moves by its own amount: carried as before.
// CHECK-LABEL: tt.func public @various
// CHECK: iter_args({{.*}}) -> (tensor<8x!tt.ptr<f32>>)
tt.func public @various(%p: !tt.ptr<f32>, %n: i32, %v: tensor<8xf32>) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %range = tt.make_range {start = 0 : i32, end = 8 : i32} : tensor<8xi32>
  %base = tt.splat %p : !tt.ptr<f32> -> tensor<8x!tt.ptr<f32>>
  %end = scf.for %i = %c0 to %n step %c1 iter_args(%at = %base) -> (tensor<8x!tt.ptr<f32>>) : i32 {
    tt.store %at, %v : tensor<8x!tt.ptr<f32>>
    %next = tt.addptr %at, %range : tensor<8x!tt.ptr<f32>>, tensor<8xi32>
    scf.yield %next : tensor<8x!tt.ptr<f32>>
  }
  tt.return
}
