// Three kernels on vectors, without pointers' arithmetic of tt: what the CPU pipeline makes of add, softmax and matmul in small.
func.func @add(%x: memref<64xf32>, %y: memref<64xf32>, %out: memref<64xf32>) {
  %zero = arith.constant 0 : index
  %end = arith.constant 64 : index
  %step = arith.constant 4 : index
  scf.for %i = %zero to %end step %step {
    %a = vector.load %x[%i] : memref<64xf32>, vector<4xf32>
    %b = vector.load %y[%i] : memref<64xf32>, vector<4xf32>
    %c = arith.addf %a, %b : vector<4xf32>
    vector.store %c, %out[%i] : memref<64xf32>, vector<4xf32>
  }
  return
}

func.func @softmax(%x: memref<64xf32>, %out: memref<64xf32>) {
  %zero = arith.constant 0 : index
  %end = arith.constant 64 : index
  %step = arith.constant 4 : index
  %low = arith.constant dense<0xff800000> : vector<4xf32>
  %none = arith.constant dense<0.0> : vector<4xf32>
  %tops = scf.for %i = %zero to %end step %step iter_args(%m = %low) -> vector<4xf32> {
    %a = vector.load %x[%i] : memref<64xf32>, vector<4xf32>
    %n = arith.maxnumf %m, %a : vector<4xf32>
    scf.yield %n : vector<4xf32>
  }
  %top = vector.reduction <maxnumf>, %tops : vector<4xf32> into f32
  %all = vector.broadcast %top : f32 to vector<4xf32>
  %sums = scf.for %i = %zero to %end step %step iter_args(%s = %none) -> vector<4xf32> {
    %a = vector.load %x[%i] : memref<64xf32>, vector<4xf32>
    %d = arith.subf %a, %all : vector<4xf32>
    %e = math.exp %d : vector<4xf32>
    vector.store %e, %out[%i] : memref<64xf32>, vector<4xf32>
    %n = arith.addf %s, %e : vector<4xf32>
    scf.yield %n : vector<4xf32>
  }
  %sum = vector.reduction <add>, %sums : vector<4xf32> into f32
  %total = vector.broadcast %sum : f32 to vector<4xf32>
  scf.for %i = %zero to %end step %step {
    %a = vector.load %out[%i] : memref<64xf32>, vector<4xf32>
    %q = arith.divf %a, %total : vector<4xf32>
    vector.store %q, %out[%i] : memref<64xf32>, vector<4xf32>
  }
  return
}

func.func @matmul(%a: memref<8x16xf32>, %b: memref<16x4xf32>, %out: memref<8x4xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %m = arith.constant 8 : index
  %k = arith.constant 16 : index
  %none = arith.constant dense<0.0> : vector<4xf32>
  scf.for %i = %zero to %m step %one {
    %row = scf.for %j = %zero to %k step %one iter_args(%s = %none) -> vector<4xf32> {
      %x = memref.load %a[%i, %j] : memref<8x16xf32>
      %l = vector.broadcast %x : f32 to vector<4xf32>
      %r = vector.load %b[%j, %zero] : memref<16x4xf32>, vector<4xf32>
      %n = math.fma %l, %r, %s : vector<4xf32>
      scf.yield %n : vector<4xf32>
    }
    vector.store %row, %out[%i, %zero] : memref<8x4xf32>, vector<4xf32>
  }
  return
}
