// RUN: triton-metal-opt %s --split-input-file --verify-diagnostics --cpu-to-llvm | FileCheck %s

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

// -----

// Operations of LLVM stay as they are.
// CHECK-LABEL: llvm.func @plain
// CHECK-NEXT: %[[V:.*]] = llvm.load %arg0
// CHECK-NEXT: llvm.return %[[V]]
llvm.func @plain(%p: !llvm.ptr) -> f32 {
  %v = llvm.load %p {alignment = 4 : i64} : !llvm.ptr -> f32
  llvm.return %v : f32
}

// -----

llvm.func @tile() -> i32 {
  // expected-error @+1 {{failed to legalize operation 'tt.get_program_id'}}
  %x = tt.get_program_id x : i32
  llvm.return %x : i32
}
