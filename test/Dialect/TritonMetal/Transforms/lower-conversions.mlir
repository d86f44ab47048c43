// RUN: triton-metal-opt %s --ttm-lower-conversions | FileCheck %s
#lanes = #ttm.layout<register = [[32]], lane = [[1], [2], [4], [8], [16]], simdgroup = [[64]]>
#straight = #ttm.layout<register = [], lane = [[1], [2], [4], [8], [16]], simdgroup = [[32]]>
#swapped = #ttm.layout<register = [], lane = [[2], [1], [4], [8], [16]], simdgroup = [[32]]>
#groups = #ttm.layout<register = [[64]], lane = [[1], [2], [4], [8], [16]], simdgroup = [[32]]>
#column = #ttm.layout<register = [[16, 0], [32, 0]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16]], simdgroup = [[1, 0], [2, 0], [4, 0], [8, 0]]>
#row = #ttm.layout<register = [[0, 8], [0, 16]], lane = [[1, 0], [2, 0], [4, 0], [8, 0], [16, 0]], simdgroup = [[0, 1], [0, 2], [0, 4], [32, 0]]>

// CHECK-LABEL: @within_a_simdgroup
// CHECK-NEXT: ttm.convert_layout
// CHECK-NOT: ttm.alloc
tt.func public @within_a_simdgroup(%x: tensor<64xf32, #straight>) -> tensor<64xf32, #swapped> {
  %y = ttm.convert_layout %x : tensor<64xf32, #straight> -> tensor<64xf32, #swapped>
  tt.return %y : tensor<64xf32, #swapped>
}

// Reads come as late as they can, so that one barrier serves several writes.
// CHECK-LABEL: @across
// CHECK: %[[M:.*]] = ttm.alloc : <128xf32>
// CHECK: ttm.write %arg0, %[[M]]
// CHECK: %[[N:.*]] = ttm.alloc : <128xf32>
// CHECK: ttm.write %arg1, %[[N]]
// CHECK: ttm.read %[[M]]
// CHECK: ttm.read %[[N]]
// CHECK: arith.addf
tt.func public @across(%x: tensor<128xf32, #lanes>, %y: tensor<128xf32, #lanes>) -> tensor<128xf32, #groups> {
  %a = ttm.convert_layout %x : tensor<128xf32, #lanes> -> tensor<128xf32, #groups>
  %b = ttm.convert_layout %y : tensor<128xf32, #lanes> -> tensor<128xf32, #groups>
  %c = arith.addf %a, %b : tensor<128xf32, #groups>
  tt.return %c : tensor<128xf32, #groups>
}

// Lanes that go down a column: rows are padded by 16 bytes.
// CHECK-LABEL: @transposition
// CHECK: ttm.alloc : <64x32xf32, pad 4 every 32>
tt.func public @transposition(%x: tensor<64x32xf32, #column>) -> tensor<64x32xf32, #row> {
  %y = ttm.convert_layout %x : tensor<64x32xf32, #column> -> tensor<64x32xf32, #row>
  tt.return %y : tensor<64x32xf32, #row>
}

// CHECK-LABEL: @gather
// CHECK: %[[M:.*]] = ttm.alloc : <128xf32>
// CHECK: ttm.write %arg0, %[[M]]
// CHECK: ttm.read_at %[[M]][%arg1] {axis = 0 : i32}
tt.func public @gather(%x: tensor<128xf32, #lanes>, %i: tensor<128xi32, #groups>) -> tensor<128xf32, #groups> {
  %y = tt.gather %x[%i] {axis = 0 : i32} : (tensor<128xf32, #lanes>, tensor<128xi32, #groups>) -> tensor<128xf32, #groups>
  tt.return %y : tensor<128xf32, #groups>
}

// One lane does the atomic, all read what it gave.
// CHECK-LABEL: @atomic
// CHECK: %[[OLD:.*]] = tt.atomic_rmw
// CHECK: %[[M:.*]] = ttm.alloc : <1xi32>
// CHECK: ttm.write %[[OLD]], %[[M]]
// CHECK: %[[R:.*]] = ttm.read %[[M]]
// CHECK: tt.unsplat %[[R]]
#one = #ttm.layout<register = [], lane = [[0], [0], [0], [0], [0]], simdgroup = [[0]]>
tt.func public @atomic(%p: tensor<1x!tt.ptr<i32>, #one>, %v: tensor<1xi32, #one>) -> i32 {
  %old = tt.atomic_rmw add, acq_rel, gpu, %p, %v : (tensor<1x!tt.ptr<i32>, #one>, tensor<1xi32, #one>) -> tensor<1xi32, #one>
  %s = tt.unsplat %old : tensor<1xi32, #one>
  tt.return %s : i32
}
