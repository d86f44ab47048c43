// RUN: triton-metal-opt %s -split-input-file --ttm-assign-layouts=num-warps=4 --cse --ttm-verify-layouts | FileCheck %s
// RUN: not triton-metal-opt %s --ttm-assign-layouts=num-warps=64 2>&1 | FileCheck %s --check-prefix=THREADS
// RUN: not triton-metal-opt %s --ttm-assign-layouts=num-warps=3 2>&1 | FileCheck %s --check-prefix=POWER
// RUN: not triton-metal-opt %s --ttm-assign-layouts=chip=apple-m9 2>&1 | FileCheck %s --check-prefix=CHIP
// THREADS: out of resource: threads, required: 2048, limit: 1024
// POWER: num_warps must be a power of two, got 3
// CHIP: unknown chip 'apple-m9'

// 16 bytes a lane where alignment is proven, lanes side by side, SIMD-groups on the highest bits.
// CHECK: #[[L:.*]] = #ttm.layout<register = {{\[\[}}1], [2], [128]], lane = {{\[\[}}4], [8], [16], [32], [64]], simdgroup = {{\[\[}}256], [512]]>
// CHECK: ttm.num_simdgroups = 4 : i32
// CHECK-LABEL: @copy
// CHECK: tt.make_range {{.*}} : tensor<1024xi32, #[[L]]>
// CHECK: tt.load {{.*}} {ttm.mask_vector = 4 : i32, ttm.vector = 4 : i32} : tensor<1024x!tt.ptr<f32>, #[[L]]>
// CHECK-NOT: ttm.convert_layout
tt.func public @copy(%in: !tt.ptr<f32> {tt.divisibility = 16 : i32}, %out: !tt.ptr<f32> {tt.divisibility = 16 : i32}, %n: i32 {tt.divisibility = 16 : i32}) {
  %r = tt.make_range {start = 0 : i32, end = 1024 : i32} : tensor<1024xi32>
  %s = tt.splat %n : i32 -> tensor<1024xi32>
  %m = arith.cmpi slt, %r, %s : tensor<1024xi32>
  %p = tt.splat %in : !tt.ptr<f32> -> tensor<1024x!tt.ptr<f32>>
  %q = tt.addptr %p, %r : tensor<1024x!tt.ptr<f32>>, tensor<1024xi32>
  %x = tt.load %q, %m : tensor<1024x!tt.ptr<f32>>
  %p2 = tt.splat %out : !tt.ptr<f32> -> tensor<1024x!tt.ptr<f32>>
  %q2 = tt.addptr %p2, %r : tensor<1024x!tt.ptr<f32>>, tensor<1024xi32>
  tt.store %q2, %x, %m : tensor<1024x!tt.ptr<f32>>
  tt.return
}

// -----

// A transposition: both sides coalesced, a conversion between.
// CHECK-LABEL: @transpose
// CHECK: tt.load {{.*}} {ttm.vector = 4 : i32}
// CHECK: tt.trans
// CHECK: ttm.convert_layout
// CHECK: tt.store {{.*}} {ttm.vector = 4 : i32}
tt.func public @transpose(%in: !tt.ptr<f32> {tt.divisibility = 16 : i32}, %out: !tt.ptr<f32> {tt.divisibility = 16 : i32}) {
  %r = tt.make_range {start = 0 : i32, end = 64 : i32} : tensor<64xi32>
  %c64 = arith.constant dense<64> : tensor<64x1xi32>
  %i = tt.expand_dims %r {axis = 1 : i32} : tensor<64xi32> -> tensor<64x1xi32>
  %j = tt.expand_dims %r {axis = 0 : i32} : tensor<64xi32> -> tensor<1x64xi32>
  %row = arith.muli %i, %c64 : tensor<64x1xi32>
  %rb = tt.broadcast %row : tensor<64x1xi32> -> tensor<64x64xi32>
  %jb = tt.broadcast %j : tensor<1x64xi32> -> tensor<64x64xi32>
  %off = arith.addi %rb, %jb : tensor<64x64xi32>
  %p = tt.splat %in : !tt.ptr<f32> -> tensor<64x64x!tt.ptr<f32>>
  %q = tt.addptr %p, %off : tensor<64x64x!tt.ptr<f32>>, tensor<64x64xi32>
  %x = tt.load %q : tensor<64x64x!tt.ptr<f32>>
  %t = tt.trans %x {order = array<i32: 1, 0>} : tensor<64x64xf32> -> tensor<64x64xf32>
  %p2 = tt.splat %out : !tt.ptr<f32> -> tensor<64x64x!tt.ptr<f32>>
  %q2 = tt.addptr %p2, %off : tensor<64x64x!tt.ptr<f32>>, tensor<64x64xi32>
  tt.store %q2, %t : tensor<64x64x!tt.ptr<f32>>
  tt.return
}

// -----

// Loads give fragments; the result of the first dot is the left operand of the second as it is, its rows stay in one SIMD-group.
// CHECK: #[[M:matrix.*]] = #ttm.layout<register = {{\[\[}}0, 1], [0, 8], [0, 16], [0, 32], [8, 0]], lane = {{\[\[}}0, 2], [1, 0], [2, 0], [0, 4], [4, 0]], simdgroup = {{\[\[}}16, 0], [32, 0]]>
// CHECK-LABEL: @chain
// CHECK: tt.load {{.*}} : tensor<64x64x!tt.ptr<f16>, #[[M]]>
// CHECK-NOT: ttm.convert_layout
// CHECK: tt.dot {{.*}}ttm.kind = "simdgroup_matrix"
// CHECK: tt.dot
// CHECK: tt.store {{.*}}#[[M]]>
tt.func public @chain(%a: !tt.ptr<f16> {tt.divisibility = 16 : i32}, %out: !tt.ptr<f32>) {
  %r = tt.make_range {start = 0 : i32, end = 64 : i32} : tensor<64xi32>
  %c64 = arith.constant dense<64> : tensor<64x1xi32>
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %i = tt.expand_dims %r {axis = 1 : i32} : tensor<64xi32> -> tensor<64x1xi32>
  %j = tt.expand_dims %r {axis = 0 : i32} : tensor<64xi32> -> tensor<1x64xi32>
  %row = arith.muli %i, %c64 : tensor<64x1xi32>
  %rb = tt.broadcast %row : tensor<64x1xi32> -> tensor<64x64xi32>
  %jb = tt.broadcast %j : tensor<1x64xi32> -> tensor<64x64xi32>
  %off = arith.addi %rb, %jb : tensor<64x64xi32>
  %p = tt.splat %a : !tt.ptr<f16> -> tensor<64x64x!tt.ptr<f16>>
  %q = tt.addptr %p, %off : tensor<64x64x!tt.ptr<f16>>, tensor<64x64xi32>
  %x = tt.load %q : tensor<64x64x!tt.ptr<f16>>
  %y = tt.load %q {isVolatile = true} : tensor<64x64x!tt.ptr<f16>>
  %s = tt.dot %x, %y, %zero : tensor<64x64xf16> * tensor<64x64xf16> -> tensor<64x64xf32>
  %h = arith.truncf %s : tensor<64x64xf32> to tensor<64x64xf16>
  %d = tt.dot %h, %y, %zero : tensor<64x64xf16> * tensor<64x64xf16> -> tensor<64x64xf32>
  %p2 = tt.splat %out : !tt.ptr<f32> -> tensor<64x64x!tt.ptr<f32>>
  %q2 = tt.addptr %p2, %off : tensor<64x64x!tt.ptr<f32>>, tensor<64x64xi32>
  tt.store %q2, %d : tensor<64x64x!tt.ptr<f32>>
  tt.return
}

// -----

// A product with a dimension below 8 is summed element by element; a lane holds all of K of what it needs.
// CHECK: #[[LEFT:.*]] = #ttm.layout<register = {{.*}}[0, 1], [0, 2]], lane
// CHECK-LABEL: tt.func public @small_dot
// CHECK: tt.dot {{.*}}ttm.kind = "scalar"{{.*}} : tensor<16x4xf32, #[[LEFT]]> *
tt.func public @small_dot(%p: !tt.ptr<f32>) {
  %zero = arith.constant dense<0.0> : tensor<16x16xf32>
  %ps = tt.splat %p : !tt.ptr<f32> -> tensor<16x4x!tt.ptr<f32>>
  %qs = tt.splat %p : !tt.ptr<f32> -> tensor<4x16x!tt.ptr<f32>>
  %outs = tt.splat %p : !tt.ptr<f32> -> tensor<16x16x!tt.ptr<f32>>
  %a = tt.load %ps : tensor<16x4x!tt.ptr<f32>>
  %b = tt.load %qs : tensor<4x16x!tt.ptr<f32>>
  %d = tt.dot %a, %b, %zero : tensor<16x4xf32> * tensor<4x16xf32> -> tensor<16x16xf32>
  tt.store %outs, %d : tensor<16x16x!tt.ptr<f32>>
  tt.return
}
