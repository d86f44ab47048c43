// RUN: triton-metal-opt %s --cpu-to-llvm | FileCheck %s

// CHECK-LABEL: llvm.func @loop
// CHECK-NOT: scf.
// CHECK-NOT: arith.
// CHECK: llvm.cond_br
// CHECK: llvm.fadd {{.*}} : vector<8xf32>
llvm.func @loop(%p: !llvm.ptr, %n: i64) {
  %c0 = arith.constant 0 : i64
  %c8 = arith.constant 8 : i64
  scf.for %i = %c0 to %n step %c8 : i64 {
    %q = llvm.getelementptr %p[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    %v = llvm.load %q {alignment = 4 : i64} : !llvm.ptr -> vector<8xf32>
    %w = arith.addf %v, %v : vector<8xf32>
    llvm.store %w, %q {alignment = 4 : i64} : vector<8xf32>, !llvm.ptr
  }
  llvm.return
}
