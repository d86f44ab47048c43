// RUN: triton-metal-opt %s -tt-accumulate-dot -split-input-file | FileCheck %s

// CHECK-LABEL: @loop
// CHECK: scf.for {{.*}} iter_args(%[[ACC:.*]] =
// CHECK-NEXT: %[[DOT:.*]] = tt.dot %{{.*}}, %{{.*}}, %[[ACC]], inputPrecision = tf32
// CHECK-NEXT: scf.yield %[[DOT]]
tt.func public @loop(%a: tensor<16x16xf16>, %b: tensor<16x16xf16>, %n: index) -> tensor<16x16xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant dense<0.0> : tensor<16x16xf32>
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero) -> (tensor<16x16xf32>) {
    %d = tt.dot %a, %b, %zero, inputPrecision = tf32 : tensor<16x16xf16> * tensor<16x16xf16> -> tensor<16x16xf32>
    %s = arith.addf %acc, %d : tensor<16x16xf32>
    scf.yield %s : tensor<16x16xf32>
  }
  tt.return %r : tensor<16x16xf32>
}

// -----

// The addend is there only where the sum stands. Of two products one starts from the other.
// CHECK-LABEL: @two
// CHECK: %[[A:.*]] = tt.dot %arg0, %arg1, %cst
// CHECK-NEXT: %[[B:.*]] = tt.dot %arg1, %arg0, %[[A]]
// CHECK-NEXT: tt.return %[[B]]
tt.func public @two(%a: tensor<16x16xf16>, %b: tensor<16x16xf16>) -> tensor<16x16xf32> {
  %zero = arith.constant dense<0.0> : tensor<16x16xf32>
  %d = tt.dot %b, %a, %zero : tensor<16x16xf16> * tensor<16x16xf16> -> tensor<16x16xf32>
  %e = tt.dot %a, %b, %zero : tensor<16x16xf16> * tensor<16x16xf16> -> tensor<16x16xf32>
  %s = arith.addf %e, %d : tensor<16x16xf32>
  tt.return %s : tensor<16x16xf32>
}

// -----

// Not where the product has another reader, does not start at zero, or stands in another block.
// CHECK-LABEL: @others
// CHECK-COUNT-3: arith.addf
tt.func public @others(%a: tensor<16x16xf16>, %c: tensor<16x16xf32>, %p: i1) -> (tensor<16x16xf32>, tensor<16x16xf32>, tensor<16x16xf32>) {
  %zero = arith.constant dense<0.0> : tensor<16x16xf32>
  %d = tt.dot %a, %a, %zero : tensor<16x16xf16> * tensor<16x16xf16> -> tensor<16x16xf32>
  %s = arith.addf %d, %c : tensor<16x16xf32>
  %e = tt.dot %a, %a, %c : tensor<16x16xf16> * tensor<16x16xf16> -> tensor<16x16xf32>
  %t = arith.addf %e, %d : tensor<16x16xf32>
  %f = tt.dot %a, %a, %zero : tensor<16x16xf16> * tensor<16x16xf16> -> tensor<16x16xf32>
  %u = scf.if %p -> (tensor<16x16xf32>) {
    %v = arith.addf %f, %c : tensor<16x16xf32>
    scf.yield %v : tensor<16x16xf32>
  } else {
    scf.yield %c : tensor<16x16xf32>
  }
  tt.return %s, %t, %u : tensor<16x16xf32>, tensor<16x16xf32>, tensor<16x16xf32>
}
