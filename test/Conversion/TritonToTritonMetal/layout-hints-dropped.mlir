// RUN: triton-metal-opt %s --verify-diagnostics --ttm-assign-layouts="num-warps=4 hint-bytes=40000" | FileCheck %s

// With the threadgroup memory that hints were found to need, none is followed, and each says so once.
// CHECK-LABEL: @copy
// CHECK-NOT: ttm.memory_layout
// CHECK-NOT: ttm.convert_layout
tt.func public @copy(%in: !tt.ptr<f32>, %out: !tt.ptr<f32>) {
  %r = tt.make_range {start = 0 : i32, end = 64 : i32} : tensor<64xi32>
  %columns = tt.expand_dims %r {axis = 0 : i32} : tensor<64xi32> -> tensor<1x64xi32>
  %rows = tt.expand_dims %r {axis = 1 : i32} : tensor<64xi32> -> tensor<64x1xi32>
  %pitch = arith.constant dense<64> : tensor<64x1xi32>
  %starts = arith.muli %rows, %pitch : tensor<64x1xi32>
  %wide = tt.broadcast %columns : tensor<1x64xi32> -> tensor<64x64xi32>
  %high = tt.broadcast %starts : tensor<64x1xi32> -> tensor<64x64xi32>
  %t = arith.addi %wide, %high : tensor<64x64xi32>
  %p = tt.splat %in : !tt.ptr<f32> -> tensor<64x64x!tt.ptr<f32>>
  %q = tt.addptr %p, %t : tensor<64x64x!tt.ptr<f32>>, tensor<64x64xi32>
  %a = tt.splat %out : !tt.ptr<f32> -> tensor<64x64x!tt.ptr<f32>>
  %b = tt.addptr %a, %t : tensor<64x64x!tt.ptr<f32>>, tensor<64x64xi32>
  // expected-warning @+1 {{layout hint COALESCED is ignored: with the kernel's hints, values change their layout through 40000 bytes of threadgroup memory, and there are 32768; the load is compiled as without it}}
  %x = tt.load %q {ttm.memory_layout = "coalesced"} : tensor<64x64x!tt.ptr<f32>>
  // expected-warning @+1 {{layout hint BLOCK is ignored: with the kernel's hints, values change their layout through 40000 bytes of threadgroup memory}}
  tt.store %b, %x {ttm.memory_layout = "block"} : tensor<64x64x!tt.ptr<f32>>
  // expected-warning @+1 {{layout hint BLOCK is ignored: one element is accessed, which lanes cannot share}}
  %y = tt.load %in {ttm.memory_layout = "block"} : !tt.ptr<f32>
  tt.return
}
