// RUN: triton-metal-opt %s -split-input-file -verify-diagnostics --ttm-prepare | FileCheck %s

// CHECK-LABEL: @cat
// CHECK: tt.join
// CHECK: tt.trans {{.*}} {order = array<i32: 1, 0>}
// CHECK: tt.reshape {{.*}} -> tensor<8xf32>
tt.func public @cat(%a: tensor<4xf32>) -> tensor<8xf32> {
  %c = tt.cat %a, %a : tensor<4xf32> -> tensor<8xf32>
  tt.return %c : tensor<8xf32>
}

// CHECK-LABEL: @int8
// CHECK: arith.sitofp {{.*}} to tensor<16x16xf16>
// CHECK: tt.dot {{.*}} -> tensor<16x16xf32>
// CHECK: arith.fptosi {{.*}} {ttm.exact}
// CHECK: arith.addi
tt.func public @int8(%a: tensor<16x16xi8>, %c: tensor<16x16xi32>) -> tensor<16x16xi32> {
  %d = tt.dot %a, %a, %c : tensor<16x16xi8> * tensor<16x16xi8> -> tensor<16x16xi32>
  tt.return %d : tensor<16x16xi32>
}

// Sums of more than 1024 products are taken apart; each part is exact in floats, and integers add them.
// CHECK-LABEL: @long_int8
// CHECK: tt.reshape %{{.*}} : tensor<16x2048xi8> -> tensor<16x2x1024xi8>
// CHECK: tt.trans %{{.*}} {order = array<i32: 0, 2, 1>}
// CHECK: tt.split %{{.*}} -> tensor<16x1024xi8>
// CHECK: tt.reshape %{{.*}} : tensor<2048x16xi8> -> tensor<2x1024x16xi8>
// CHECK: tt.split %{{.*}} -> tensor<1024x16xi8>
// CHECK: tt.dot {{.*}} : tensor<16x1024xf16> * tensor<1024x16xf16> -> tensor<16x16xf32>
// CHECK: %[[FIRST:.*]] = arith.addi
// CHECK: tt.dot {{.*}} : tensor<16x1024xf16> * tensor<1024x16xf16> -> tensor<16x16xf32>
// CHECK: arith.addi %[[FIRST]]
tt.func public @long_int8(%a: tensor<16x2048xi8>, %b: tensor<2048x16xi8>, %c: tensor<16x16xi32>) -> tensor<16x16xi32> {
  %d = tt.dot %a, %b, %c : tensor<16x2048xi8> * tensor<2048x16xi8> -> tensor<16x16xi32>
  tt.return %d : tensor<16x16xi32>
}

// An assertion is asked of one number, so that all lanes of a program end together; that of a number stays.
// CHECK-LABEL: @assertion
// CHECK: %[[FLAT:.*]] = tt.reshape %{{.*}} : tensor<4x8xi1> -> tensor<32xi1>
// CHECK: %[[WIDE:.*]] = arith.extui %[[FLAT]] : tensor<32xi1> to tensor<32xi32>
// CHECK: "tt.reduce"(%[[WIDE]])
// CHECK: arith.andi
// CHECK: %[[ALL:.*]] = arith.cmpi ne
// CHECK: tt.assert %[[ALL]], "all" : i1
// CHECK-NEXT: tt.assert %{{.*}}, "one" : i1
tt.func public @assertion(%t: tensor<4x8xi1>, %s: i1) {
  tt.assert %t, "all" : tensor<4x8xi1>
  tt.assert %s, "one" : i1
  tt.return
}

// CHECK-LABEL: @debug_barrier
// CHECK-NEXT: ttm.barrier threadgroup device
// CHECK-NOT: tt.debug_barrier
tt.func public @debug_barrier() {
  tt.debug_barrier
  tt.return
}

// The arms of an `if` within a combine function are both computed.
// CHECK-LABEL: @branch
// CHECK: "tt.reduce"
// CHECK-NOT: scf.if
// CHECK: %[[SUM:.*]] = arith.addi %[[A:.*]], %[[B:.*]] : i32
// CHECK: %[[INNER:.*]] = arith.select %{{.*}}, %[[SUM]], %[[B]] : i32
// CHECK: %[[OUTER:.*]] = arith.select %{{.*}}, %[[INNER]], %[[A]] : i32
// CHECK: tt.reduce.return %[[OUTER]]
tt.func public @branch(%x: tensor<16xi32>) -> i32 {
  %r = "tt.reduce"(%x) <{axis = 0 : i32}> ({
  ^bb0(%a: i32, %b: i32):
    %c = arith.cmpi slt, %a, %b : i32
    %d = arith.cmpi ne, %a, %b : i32
    %v = scf.if %c -> i32 {
      %w = scf.if %d -> i32 {
        %s = arith.addi %a, %b : i32
        scf.yield %s : i32
      } else {
        scf.yield %b : i32
      }
      scf.yield %w : i32
    } else {
      scf.yield %a : i32
    }
    tt.reduce.return %v : i32
  }) : (tensor<16xi32>) -> i32
  tt.return %r : i32
}

// CHECK-LABEL: @histogram
// CHECK: arith.cmpi eq, {{.*}} : tensor<16x4xi32>
// CHECK: arith.andi {{.*}} : tensor<16x4xi1>
// CHECK: arith.extui
// CHECK: "tt.reduce"({{.*}}axis = 0
// CHECK-NOT: tt.histogram
tt.func public @histogram(%a: tensor<16xi32>, %m: tensor<16xi1>) -> tensor<4xi32> {
  %h = tt.histogram %a, %m : tensor<16xi32> -> tensor<4xi32>
  tt.return %h : tensor<4xi32>
}

// A hint that Metal's text has no word for.
// CHECK-LABEL: @assume
// CHECK-NOT: llvm.intr.assume
tt.func public @assume(%n: i1) {
  llvm.intr.assume %n : i1
  tt.return
}

// CHECK-LABEL: @half_accumulator
// CHECK: arith.extf
// CHECK: tt.dot {{.*}} -> tensor<16x16xf32>
// CHECK: arith.truncf
tt.func public @half_accumulator(%a: tensor<16x16xf16>) -> tensor<16x16xf16> {
  %d = tt.dot %a, %a, %a : tensor<16x16xf16> * tensor<16x16xf16> -> tensor<16x16xf16>
  tt.return %d : tensor<16x16xf16>
}

// CHECK-LABEL: @scalar_atomic
// CHECK: tt.atomic_rmw {{.*}} : (tensor<1x!tt.ptr<i32>>, tensor<1xi32>) -> tensor<1xi32>
// CHECK: tt.unsplat
// CHECK: tt.atomic_rmw {{.*}} : (!tt.ptr<i32>, i32) -> i32
tt.func public @scalar_atomic(%p: !tt.ptr<i32>, %v: i32) -> i32 {
  %used = tt.atomic_rmw add, acq_rel, gpu, %p, %v : (!tt.ptr<i32>, i32) -> i32
  %unused = tt.atomic_rmw add, acq_rel, gpu, %p, %v : (!tt.ptr<i32>, i32) -> i32
  tt.return %used : i32
}

// -----

tt.func public @fp64(%p: !tt.ptr<f64>) {
  // expected-error@+2 {{'tt.load' is not supported on metal: Apple GPUs have no 64-bit floating point}}
  // expected-note@+1 {{remedy: compute in float32, or launch it with device="cpu"}}
  %x = tt.load %p : !tt.ptr<f64>
  tt.return
}

// -----

tt.func public @long_atomic(%p: !tt.ptr<i64>, %v: i64) {
  // expected-error@+2 {{the device has no 64-bit read-modify-write}}
  // expected-note@+1 {{remedy}}
  %x = tt.atomic_rmw add, acq_rel, gpu, %p, %v : (!tt.ptr<i64>, i64) -> i64
  tt.return
}

// -----

tt.func public @fp8(%a: tensor<16x16xf8E5M2>, %c: tensor<16x16xf32>) {
  // expected-error@+2 {{'tl.dot' is not supported on metal: operands of f8E5M2 and f8E5M2 have no matrix instruction}}
  // expected-note@+1 {{remedy}}
  %d = tt.dot %a, %a, %c : tensor<16x16xf8E5M2> * tensor<16x16xf8E5M2> -> tensor<16x16xf32>
  tt.return
}

// -----

tt.func public @histogram(%a: tensor<2048xi32>) {
  // expected-error@+2 {{'tl.histogram' is not supported on metal: elements times bins are 2097152}}
  // expected-note@+1 {{remedy}}
  %h = tt.histogram %a : tensor<2048xi32> -> tensor<1024xi32>
  tt.return
}
