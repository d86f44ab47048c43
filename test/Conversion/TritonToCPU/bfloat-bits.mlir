// RUN: triton-metal-opt %s --split-input-file --bfloat-bits | FileCheck %s

// Bits cross branches and loops; conversions by bits need no cast any more.
// CHECK-LABEL: func.func @moves
// CHECK-NOT: bf16
// CHECK-DAG: arith.constant dense<16256> : vector<8xi16>
// CHECK: scf.if {{.*}} -> (vector<8xi16>)
// CHECK: llvm.load {{.*}} -> vector<8xi16>
// CHECK-NOT: arith.bitcast {{.*}} : vector<8xi16>
// CHECK: arith.extui {{.*}} : vector<8xi16> to vector<8xi32>
func.func @moves(%p: !llvm.ptr, %c: i1, %m: memref<8xbf16>) -> vector<8xi32> {
  %one = arith.constant dense<1.0> : vector<8xbf16>
  %zero = arith.constant 0.0 : bf16
  %i = arith.constant 0 : index
  memref.store %zero, %m[%i] : memref<8xbf16>
  %v = scf.if %c -> (vector<8xbf16>) {
    %x = llvm.load %p {alignment = 2 : i64} : !llvm.ptr -> vector<8xbf16>
    scf.yield %x : vector<8xbf16>
  } else {
    scf.yield %one : vector<8xbf16>
  }
  %b = arith.bitcast %v : vector<8xbf16> to vector<8xi16>
  %w = arith.extui %b : vector<8xi16> to vector<8xi32>
  return %w : vector<8xi32>
}

// -----

// One operation that computes with bfloats, and all stays.
// CHECK-LABEL: func.func @computes
// CHECK: arith.addf {{.*}} : vector<8xbf16>
func.func @computes(%x: vector<8xbf16>) -> vector<8xbf16> {
  %y = arith.addf %x, %x : vector<8xbf16>
  return %y : vector<8xbf16>
}

// -----

// Floats of 8 bits are bytes: LLVM has no such types.
// CHECK-LABEL: func.func @bytes
// CHECK-NOT: f8E4M3FN
// CHECK: llvm.load {{.*}} -> vector<8xi8>
// CHECK: llvm.getelementptr {{.*}} -> !llvm.ptr, i8
// CHECK: llvm.store {{.*}} : vector<8xi8>
func.func @bytes(%p: !llvm.ptr, %i: i64) {
  %x = llvm.load %p {alignment = 1 : i64} : !llvm.ptr -> vector<8xf8E4M3FN>
  %to = llvm.getelementptr %p[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f8E4M3FN
  llvm.store %x, %to {alignment = 1 : i64} : vector<8xf8E4M3FN>, !llvm.ptr
  return
}
