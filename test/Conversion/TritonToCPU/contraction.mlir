// RUN: triton-metal-opt %s --triton-to-cpu | FileCheck %s --check-prefix=ON
// RUN: triton-metal-opt %s --triton-to-cpu=fp-fusion=false | FileCheck %s --check-prefix=OFF

// ON: arith.mulf {{.*}} fastmath<contract>
// ON: arith.addf {{.*}} fastmath<contract>
// OFF: arith.mulf
// OFF-NOT: contract
// OFF: llvm.func @f(
tt.func public @f(%x: !tt.ptr<f32>, %a: f32) {
  %v = tt.load %x : !tt.ptr<f32>
  %w = arith.mulf %v, %a : f32
  %s = arith.addf %w, %a fastmath<contract> : f32
  tt.store %x, %s : !tt.ptr<f32>
  tt.return
}
