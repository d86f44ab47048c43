// RUN: triton-metal-opt %s -tt-reorder-broadcast -split-input-file | FileCheck %s

// An operation on splats is done once, on the scalar.
// CHECK-LABEL: @splats(
// CHECK-SAME: %[[A:.*]]: f32
// CHECK: %[[C:.*]] = arith.constant 2.000000e+00 : f32
// CHECK: %[[M:.*]] = arith.mulf %[[A]], %[[C]] : f32
// CHECK: tt.splat %[[M]] : f32 -> tensor<8xf32>
tt.func @splats(%a: f32) -> tensor<8xf32> {
  %c = arith.constant dense<2.0> : tensor<8xf32>
  %s = tt.splat %a : f32 -> tensor<8xf32>
  %m = arith.mulf %s, %c : tensor<8xf32>
  tt.return %m : tensor<8xf32>
}

// -----

// An operation on a broadcast and a splat is done on the small tensor.
// CHECK-LABEL: @broadcast(
// CHECK: %[[S:.*]] = tt.splat %{{.*}} : i32 -> tensor<8x1xi32>
// CHECK: %[[M:.*]] = arith.muli %{{.*}}, %[[S]] : tensor<8x1xi32>
// CHECK: tt.broadcast %[[M]] : tensor<8x1xi32> -> tensor<8x16xi32>
tt.func @broadcast(%a: tensor<8x1xi32>, %n: i32) -> tensor<8x16xi32> {
  %b = tt.broadcast %a : tensor<8x1xi32> -> tensor<8x16xi32>
  %s = tt.splat %n : i32 -> tensor<8x16xi32>
  %m = arith.muli %b, %s : tensor<8x16xi32>
  tt.return %m : tensor<8x16xi32>
}

// -----

// Broadcasts of different shapes stay; so do effects.
// CHECK-LABEL: @stays(
// CHECK: arith.addi %{{.*}}, %{{.*}} : tensor<8x16xi32>
// CHECK: tt.load %{{.*}} : tensor<8x!tt.ptr<f32>>
tt.func @stays(%a: tensor<8x1xi32>, %b: tensor<1x16xi32>, %p: !tt.ptr<f32>) -> (tensor<8x16xi32>, tensor<8xf32>) {
  %x = tt.broadcast %a : tensor<8x1xi32> -> tensor<8x16xi32>
  %y = tt.broadcast %b : tensor<1x16xi32> -> tensor<8x16xi32>
  %m = arith.addi %x, %y : tensor<8x16xi32>
  %s = tt.splat %p : !tt.ptr<f32> -> tensor<8x!tt.ptr<f32>>
  %l = tt.load %s : tensor<8x!tt.ptr<f32>>
  tt.return %m, %l : tensor<8x16xi32>, tensor<8xf32>
}
