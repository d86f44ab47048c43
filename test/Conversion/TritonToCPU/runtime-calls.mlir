// RUN: triton-metal-opt %s -split-input-file --triton-to-cpu | FileCheck %s

// A print is a call an element, with the number as 64 bits; its prefix lies beside the code.
// CHECK: llvm.func @triton_metal_print(!llvm.ptr, i32, i32, i32, i64, i64)
// CHECK: llvm.mlir.global internal constant @site.0.print("{{.*}} x: \00")
// CHECK-LABEL: llvm.func internal @print.program
// CHECK: scf.for
// CHECK: arith.extsi {{.*}} : i32 to i64
// CHECK: llvm.call @triton_metal_print
tt.func public @print() {
  %range = tt.make_range {end = 16 : i32, start = 0 : i32} : tensor<16xi32>
  tt.print " x: " {hex = false, isSigned = array<i32: 1>} : %range : tensor<16xi32>
  tt.return
}

// -----

// An assertion looks at whole vectors and calls only where it fails. A barrier of one thread is nothing.
// CHECK-LABEL: llvm.func internal @check.program
// CHECK: scf.for
// CHECK: vector.reduction <and>
// CHECK: scf.if
// CHECK: llvm.call @triton_metal_fail
// CHECK-NOT: barrier
tt.func public @check(%x: !tt.ptr<i32>) {
  %range = tt.make_range {end = 16 : i32, start = 0 : i32} : tensor<16xi32>
  %xs = tt.splat %x : !tt.ptr<i32> -> tensor<16x!tt.ptr<i32>>
  %xp = tt.addptr %xs, %range : tensor<16x!tt.ptr<i32>>, tensor<16xi32>
  %v = tt.load %xp : tensor<16x!tt.ptr<i32>>
  %c = arith.cmpi ne, %v, %range : tensor<16xi32>
  tt.assert %c, "differ" : tensor<16xi1>
  tt.debug_barrier
  tt.return
}
