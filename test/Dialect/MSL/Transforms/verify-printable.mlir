// RUN: triton-metal-opt %s -split-input-file -verify-diagnostics --msl-verify-printable

msl.kernel @shift(%a: i32 {msl.name = "a"}, %b: i32 {msl.name = "b"}) attributes {threads = 32 : i32, pool = 0 : i32} {
  // expected-error @below {{'arith.shli' op by an unknown amount is undefined, see msl-legalize-integers}}
  %0 = arith.shli %a, %b : i32
}

// -----

msl.kernel @double() attributes {threads = 32 : i32, pool = 0 : i32} {
  // expected-error @below {{'arith.constant' op has a result of type 'f64', which Metal lacks}}
  %0 = arith.constant 1.0 : f64
}

// -----

// expected-error @below {{out of resource: threadgroup memory, required: 40000, limit: 32768}}
// expected-note @below {{remedy: use smaller blocks}}
msl.kernel @memory() attributes {threads = 32 : i32, pool = 40000 : i32} {
  msl.barrier threadgroup
}

// -----

// Arrays begin at multiples of 16 bytes: the pool, 16 for the byte, and 16.
// expected-error @below {{out of resource: threadgroup memory, required: 32784, limit: 32768}}
// expected-note @below {{remedy: use smaller blocks}}
msl.kernel @arrays() attributes {threads = 32 : i32, pool = 32752 : i32} {
  %byte = msl.threadgroup_array 1 {msl.name = "byte"} : <i8, threadgroup>
  %words = msl.threadgroup_array 4 {msl.name = "words"} : <i32, threadgroup>
}

// -----

// expected-error @below {{out of resource: threads, required: 2048, limit: 1024}}
// expected-note @below {{remedy: launch with num_warps of at most 32}}
msl.kernel @threads() attributes {threads = 2048 : i32, pool = 0 : i32} {
  msl.barrier threadgroup
}

// -----

msl.kernel @nameless() attributes {threads = 32 : i32, pool = 0 : i32} {
  // expected-error @below {{'msl.var' op has no name, see msl-form-statements}}
  %0 = msl.var -> !msl.ptr<f32, thread>
}
