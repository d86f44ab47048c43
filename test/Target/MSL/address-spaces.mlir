// RUN: triton-metal-opt %s --msl-print-text -o /dev/null | FileCheck %s
//
// The arms of `?:` are places in one address space, or the second is a value.

// CHECK: uint x = test ? params.a : uint(y);
// CHECK: float z = test ? *params.p : float(w);
msl.kernel @arms(%a: i32 {msl.name = "a"}, %p: !msl.ptr<f32, device> {msl.name = "p"}) attributes {threads = 32 : i32, pool = 0 : i32} {
  %c1 = arith.constant 1 : i32
  %c2 = arith.constant 2.0 : f32
  %w = arith.addf %c2, %c2 {msl.name = "w"} : f32
  %y = arith.addi %a, %c1 {msl.name = "y"} : i32
  %test = arith.cmpi eq, %a, %c1 {msl.name = "test"} : i32
  %x = arith.select %test, %a, %y {msl.name = "x"} : i32
  %z = msl.load %p if %test else %w {msl.name = "z"} : !msl.ptr<f32, device>
}
