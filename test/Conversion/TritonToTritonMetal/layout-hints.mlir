// RUN: triton-metal-opt %s -split-input-file --verify-diagnostics --ttm-assign-layouts="num-warps=4 chip=apple-m3" --cse --ttm-verify-layouts | FileCheck %s

// The same copy of a tile of 64x64 floats: without a hint and COALESCED 16 lanes go along a row; BLOCK has 4 lanes along a row and 8 rows,
// each SIMD-group 16 rows. The vector of four stays.
// CHECK-DAG: #[[ROWS:.*]] = #ttm.layout<register = {{\[\[}}0, 1], [0, 2], [2, 0], [4, 0], [8, 0]], lane = {{\[\[}}0, 4], [0, 8], [0, 16], [0, 32], [1, 0]], simdgroup = {{\[\[}}16, 0], [32, 0]]>
// CHECK-DAG: #[[TILE:.*]] = #ttm.layout<register = {{\[\[}}0, 1], [0, 2], [0, 16], [0, 32], [8, 0]], lane = {{\[\[}}0, 4], [0, 8], [1, 0], [2, 0], [4, 0]], simdgroup = {{\[\[}}16, 0], [32, 0]]>
// CHECK-LABEL: @both
// CHECK: tt.load {{.*}} {ttm.memory_layout = "coalesced", ttm.vector = 4 : i32} : tensor<64x64x!tt.ptr<f32>, #[[ROWS]]>
// CHECK: ttm.convert_layout {{.*}} -> tensor<64x64xf32, #[[TILE]]>
// CHECK: tt.store {{.*}} {ttm.memory_layout = "block", ttm.vector = 4 : i32} : tensor<64x64x!tt.ptr<f32>, #[[TILE]]>
tt.func public @both(%in: !tt.ptr<f32> {tt.divisibility = 16 : i32}, %out: !tt.ptr<f32> {tt.divisibility = 16 : i32}) {
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
  %x = tt.load %q {ttm.memory_layout = "coalesced"} : tensor<64x64x!tt.ptr<f32>>
  %p2 = tt.splat %out : !tt.ptr<f32> -> tensor<64x64x!tt.ptr<f32>>
  %q2 = tt.addptr %p2, %off : tensor<64x64x!tt.ptr<f32>>, tensor<64x64xi32>
  tt.store %q2, %x {ttm.memory_layout = "block"} : tensor<64x64x!tt.ptr<f32>>
  tt.return
}

// -----

// Nothing is proven of the pointer: single elements, 8 lanes along a row and 4 rows. The contiguous dimension is the first.
// CHECK: #[[TILE:.*]] = #ttm.layout<register = {{.*}}, lane = {{\[\[}}1, 0], [2, 0], [4, 0], [0, 1], [0, 2]], simdgroup = {{.*}}>
// CHECK-LABEL: @columns
// CHECK: tt.load {{.*}} {ttm.memory_layout = "block"} : tensor<32x32x!tt.ptr<f32>, #[[TILE]]>
tt.func public @columns(%in: !tt.ptr<f32>, %out: !tt.ptr<f32>) {
  %r = tt.make_range {start = 0 : i32, end = 32 : i32} : tensor<32xi32>
  %c = arith.constant dense<100> : tensor<1x32xi32>
  %i = tt.expand_dims %r {axis = 1 : i32} : tensor<32xi32> -> tensor<32x1xi32>
  %j = tt.expand_dims %r {axis = 0 : i32} : tensor<32xi32> -> tensor<1x32xi32>
  %column = arith.muli %j, %c : tensor<1x32xi32>
  %ib = tt.broadcast %i : tensor<32x1xi32> -> tensor<32x32xi32>
  %jb = tt.broadcast %column : tensor<1x32xi32> -> tensor<32x32xi32>
  %off = arith.addi %ib, %jb : tensor<32x32xi32>
  %p = tt.splat %in : !tt.ptr<f32> -> tensor<32x32x!tt.ptr<f32>>
  %q = tt.addptr %p, %off : tensor<32x32x!tt.ptr<f32>>, tensor<32x32xi32>
  %x = tt.load %q {ttm.memory_layout = "block"} : tensor<32x32x!tt.ptr<f32>>
  %p2 = tt.splat %out : !tt.ptr<f32> -> tensor<32x32x!tt.ptr<f32>>
  %q2 = tt.addptr %p2, %off : tensor<32x32x!tt.ptr<f32>>, tensor<32x32xi32>
  tt.store %q2, %x : tensor<32x32x!tt.ptr<f32>>
  tt.return
}

// -----

// Operands of a product: BLOCK is the matrix fragment, without a conversion; COALESCED keeps its rows, and the product converts. The
// accumulator stays as the product has it: only the result is converted, for the store.
// CHECK-DAG: #[[ROWS:blocked.*]] = #ttm.layout<register = {{.*}}, lane = {{\[\[}}0, 4], [0, 8], [1, 0], [2, 0], [4, 0]], simdgroup
// CHECK-DAG: #[[FRAGMENT:.*]] = #ttm.layout<register = {{\[\[}}0, 1]{{.*}}, lane = {{\[\[}}0, 2], [1, 0], [2, 0], [0, 4], [4, 0]], simdgroup = {{\[\[}}16, 0], [32, 0]]>
// CHECK-LABEL: @product
// CHECK: %[[A:.*]] = tt.load {{.*}}"coalesced", ttm.vector = 4 : i32} : tensor<64x16x!tt.ptr<f32>, #[[ROWS]]>
// CHECK: ttm.convert_layout %[[A]]
// CHECK: %[[B:.*]] = tt.load {{.*}}"block"
// CHECK-NOT: ttm.convert_layout
// CHECK: scf.for
// CHECK: tt.dot {{.*}}, %[[B]]
// CHECK-NOT: ttm.convert_layout
// CHECK: scf.yield
// CHECK: ttm.convert_layout
// CHECK: tt.store {{.*}}"coalesced"
tt.func public @product(%in: !tt.ptr<f32> {tt.divisibility = 16 : i32}, %out: !tt.ptr<f32> {tt.divisibility = 16 : i32}, %n: i32) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %r64 = tt.make_range {start = 0 : i32, end = 64 : i32} : tensor<64xi32>
  %r16 = tt.make_range {start = 0 : i32, end = 16 : i32} : tensor<16xi32>
  %i = tt.expand_dims %r64 {axis = 1 : i32} : tensor<64xi32> -> tensor<64x1xi32>
  %j = tt.expand_dims %r64 {axis = 0 : i32} : tensor<64xi32> -> tensor<1x64xi32>
  %k = tt.expand_dims %r16 {axis = 0 : i32} : tensor<16xi32> -> tensor<1x16xi32>
  %l = tt.expand_dims %r16 {axis = 1 : i32} : tensor<16xi32> -> tensor<16x1xi32>
  %c16 = arith.constant dense<16> : tensor<64x1xi32>
  %c64 = arith.constant dense<64> : tensor<16x1xi32>
  %c64i = arith.constant dense<64> : tensor<64x1xi32>
  %row = arith.muli %i, %c16 : tensor<64x1xi32>
  %rowb = tt.broadcast %row : tensor<64x1xi32> -> tensor<64x16xi32>
  %kb = tt.broadcast %k : tensor<1x16xi32> -> tensor<64x16xi32>
  %aoff = arith.addi %rowb, %kb : tensor<64x16xi32>
  %p = tt.splat %in : !tt.ptr<f32> -> tensor<64x16x!tt.ptr<f32>>
  %pa = tt.addptr %p, %aoff : tensor<64x16x!tt.ptr<f32>>, tensor<64x16xi32>
  %a = tt.load %pa {ttm.memory_layout = "coalesced"} : tensor<64x16x!tt.ptr<f32>>
  %lrow = arith.muli %l, %c64 : tensor<16x1xi32>
  %lb = tt.broadcast %lrow : tensor<16x1xi32> -> tensor<16x64xi32>
  %jb = tt.broadcast %j : tensor<1x64xi32> -> tensor<16x64xi32>
  %boff = arith.addi %lb, %jb : tensor<16x64xi32>
  %q = tt.splat %in : !tt.ptr<f32> -> tensor<16x64x!tt.ptr<f32>>
  %pb = tt.addptr %q, %boff : tensor<16x64x!tt.ptr<f32>>, tensor<16x64xi32>
  %b = tt.load %pb {ttm.memory_layout = "block"} : tensor<16x64x!tt.ptr<f32>>
  %sum = scf.for %step = %c0 to %n step %c1 iter_args(%acc = %zero) -> (tensor<64x64xf32>) : i32 {
    %d = tt.dot %a, %b, %acc : tensor<64x16xf32> * tensor<16x64xf32> -> tensor<64x64xf32>
    scf.yield %d : tensor<64x64xf32>
  }
  %irow = arith.muli %i, %c64i : tensor<64x1xi32>
  %ib = tt.broadcast %irow : tensor<64x1xi32> -> tensor<64x64xi32>
  %jb2 = tt.broadcast %j : tensor<1x64xi32> -> tensor<64x64xi32>
  %coff = arith.addi %ib, %jb2 : tensor<64x64xi32>
  %s = tt.splat %out : !tt.ptr<f32> -> tensor<64x64x!tt.ptr<f32>>
  %pc = tt.addptr %s, %coff : tensor<64x64x!tt.ptr<f32>>, tensor<64x64xi32>
  tt.store %pc, %sum {ttm.memory_layout = "coalesced"} : tensor<64x64x!tt.ptr<f32>>
  tt.return
}

// -----

// What cannot be followed.
// CHECK-LABEL: @impossible
tt.func public @impossible(%in: !tt.ptr<i32>, %n: i32) {
  // expected-warning @+1 {{layout hint COALESCED is ignored: one element is accessed, which lanes cannot share; the load is compiled as without it}}
  %x = tt.load %in {ttm.memory_layout = "coalesced"} : !tt.ptr<i32>
  %r = tt.make_range {start = 0 : i32, end = 128 : i32} : tensor<128xi32>
  %p = tt.splat %in : !tt.ptr<i32> -> tensor<128x!tt.ptr<i32>>
  %q = tt.addptr %p, %r : tensor<128x!tt.ptr<i32>>, tensor<128xi32>
  // expected-warning @+1 {{layout hint BLOCK is ignored: the tensor of shape 128 has one dimension, and a tile has two}}
  %y = tt.load %q {ttm.memory_layout = "block"} : tensor<128x!tt.ptr<i32>>
  %g = tt.addptr %p, %y : tensor<128x!tt.ptr<i32>>, tensor<128xi32>
  // expected-warning @+1 {{layout hint COALESCED is ignored: no two neighbours in the tensor are known to be neighbours in memory, because the places come from memory (a gather)}}
  %z = tt.load %g {ttm.memory_layout = "coalesced"} : tensor<128x!tt.ptr<i32>>
  %s = tt.splat %n : i32 -> tensor<128xi32>
  %off = arith.muli %r, %s : tensor<128xi32>
  %t = tt.addptr %p, %off : tensor<128x!tt.ptr<i32>>, tensor<128xi32>
  // expected-warning @+1 {{no dimension has a step that is 1 at compile time; the store is compiled as without it}}
  tt.store %t, %z {ttm.memory_layout = "coalesced"} : tensor<128x!tt.ptr<i32>>
  tt.return
}

// -----

tt.func public @unknown(%in: !tt.ptr<i32>) {
  // expected-error @+2 {{'tt.load' is not supported on metal: it has the unknown memory layout 'rows'}}
  // expected-note @+1 {{remedy: known are 'coalesced' and 'block'}}
  %x = tt.load %in {ttm.memory_layout = "rows"} : !tt.ptr<i32>
  tt.return
}
