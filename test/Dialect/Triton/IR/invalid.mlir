// Every verifier names the operand that is wrong.
// RUN: triton-metal-opt %s -split-input-file -verify-diagnostics

tt.func @range() {
  // expected-error @+1 {{has 8 values for a tensor of 16}}
  %0 = tt.make_range {end = 8 : i32, start = 0 : i32} : tensor<16xi32>
  tt.return
}

// -----

tt.func @reshape(%x: tensor<8xf32>) {
  // expected-error @+1 {{changes the number of elements: 'tensor<8xf32>' to 'tensor<4x4xf32>'}}
  %0 = tt.reshape %x : tensor<8xf32> -> tensor<4x4xf32>
  tt.return
}

// -----

tt.func @broadcast(%x: tensor<2x4xf32>) {
  // expected-error @+1 {{repeats dimensions of size 1 only; dimension 0 is 2 and becomes 8}}
  %0 = tt.broadcast %x : tensor<2x4xf32> -> tensor<8x4xf32>
  tt.return
}

// -----

tt.func @dot(%a: tensor<16x8xf32>, %b: tensor<16x16xf32>, %c: tensor<16x16xf32>) {
  // expected-error @+1 {{has shapes that do not multiply}}
  %0 = tt.dot %a, %b, %c : tensor<16x8xf32> * tensor<16x16xf32> -> tensor<16x16xf32>
  tt.return
}

// -----

tt.func @bitcast(%x: tensor<4xf32>) {
  // expected-error @+1 {{needs types of equal width, got 'f32' and 'i64'}}
  %0 = tt.bitcast %x : tensor<4xf32> -> tensor<4xi64>
  tt.return
}

// -----

tt.func @narrow(%x: tensor<4xf32>) {
  // expected-error @+1 {{narrows and must say how it rounds}}
  %0 = tt.fp_to_fp %x : tensor<4xf32> -> tensor<4xf16>
  tt.return
}

// -----

tt.func @reduce(%x: tensor<4xf32>) {
  // expected-error @+1 {{has axis 1 for a tensor of rank 1}}
  %0 = "tt.reduce"(%x) <{axis = 1 : i32}> ({
  ^bb0(%a: f32, %b: f32):
    tt.reduce.return %a : f32
  }) : (tensor<4xf32>) -> f32
  tt.return
}

// -----

tt.func @call(%x: f32) {
  // expected-error @+1 {{calls 'nobody', which is no function of this module}}
  tt.call @nobody(%x) : (f32) -> ()
  tt.return
}

// -----

// expected-error @+1 {{unknown address space "texture"}}
tt.func @space(%p: !tt.ptr<f32, "texture">) {
  tt.return
}
