// Text of the ttm dialect survives a round trip, and a right module passes ttm-verify-layouts.
// RUN: triton-metal-opt %s | triton-metal-opt | FileCheck %s
// RUN: triton-metal-opt --ttm-verify-layouts %s

// CHECK: #matrix = #ttm.layout<register = {{\[\[}}0, 1]], lane = {{\[\[}}0, 2], [1, 0], [2, 0], [0, 4], [4, 0]], simdgroup = {{\[\[}}8, 0], [0, 0]]>
// CHECK: #[[ROWS:slice[0-9]*]] = #ttm.layout<register = [], lane = {{\[\[}}0], [1], [2], [0], [4]], simdgroup = {{\[\[}}8], [0]]>
#fragment = #ttm.layout<register = [[0, 1]], lane = [[0, 2], [1, 0], [2, 0], [0, 4], [4, 0]], simdgroup = [[8, 0], [0, 0]]>
#rows = #ttm.layout<register = [], lane = [[0], [1], [2], [0], [4]], simdgroup = [[8], [0]]>
#spread = #ttm.layout<register = [], lane = [[1], [2], [4], [8], [0]], simdgroup = [[0], [0]]>

// CHECK-LABEL: @ops
tt.func public @ops(%a: tensor<16x8xf32, #fragment>, %i: tensor<16xi32, #spread>) {
  // CHECK: ttm.alloc {offset = 64 : i32, simdgroup} : <16x8xf32, pad 4 every 8>
  %m = ttm.alloc {offset = 64 : i32, simdgroup} : !ttm.memory<16x8xf32, pad 4 every 8>
  // CHECK: ttm.write %{{.*}}, %{{.*}} : tensor<16x8xf32, #matrix>, <16x8xf32, pad 4 every 8>
  ttm.write %a, %m : tensor<16x8xf32, #fragment>, !ttm.memory<16x8xf32, pad 4 every 8>
  // CHECK: ttm.barrier simdgroup
  ttm.barrier simdgroup
  // CHECK: ttm.barrier threadgroup device
  ttm.barrier threadgroup device
  // CHECK: ttm.read
  %b = ttm.read %m : !ttm.memory<16x8xf32, pad 4 every 8> -> tensor<16x8xf32, #fragment>
  %s = "tt.reduce"(%b) <{axis = 1 : i32}> ({
  ^bb0(%x: f32, %y: f32):
    %z = arith.addf %x, %y : f32
    tt.reduce.return %z : f32
  }) : (tensor<16x8xf32, #fragment>) -> tensor<16xf32, #rows>
  // CHECK: ttm.convert_layout %{{.*}} : tensor<16xf32, #[[ROWS]]> -> tensor<16xf32, #[[SPREAD:.*]]>
  %t = ttm.convert_layout %s : tensor<16xf32, #rows> -> tensor<16xf32, #spread>
  %n = ttm.alloc : !ttm.memory<16xf32>
  ttm.write %t, %n : tensor<16xf32, #spread>, !ttm.memory<16xf32>
  // CHECK: ttm.read_at %{{.*}}[%{{.*}}] {axis = 0 : i32} : <16xf32>, tensor<16xi32, #[[SPREAD]]> -> tensor<16xf32, #[[SPREAD]]>
  %g = ttm.read_at %n[%i] {axis = 0 : i32} : !ttm.memory<16xf32>, tensor<16xi32, #spread> -> tensor<16xf32, #spread>
  tt.return
}
