"""Text of other releases: what is read, and what is refused with a message that says what to do."""
import numpy as np
import pytest

import triton_metal

pytestmark = pytest.mark.never_refused


def kernel(body: str, arguments: str = "%p: !tt.ptr<f32> {tt.divisibility = 16 : i32}") -> str:
    return f"module {{\n  tt.func public @kernel({arguments}) attributes {{noinline = false}} {{\n{body}\n    tt.return\n  }}\n}}\n"


def run(text: str, *arguments, tmp_path):
    file = tmp_path / "kernel.ttir"
    file.write_text(text)
    compiled = triton_metal.compile(str(file), target="cpu")
    compiled[(1,)](*arguments)


@pytest.mark.parametrize("barrier", ["gpu.barrier", "ttg.barrier all", "ttg.barrier local|global_read|global_write",
                                     'ttg.barrier all loc("k.py":3:4)', "tt.grid_dependency_wait",
                                     "tt.grid_dependency_launch_dependents"])
def test_barriers(barrier, tmp_path):
    out = np.zeros(1, np.float32)
    run(kernel(f"    %x = arith.constant 3.0 : f32\n    {barrier}\n    tt.store %p, %x : !tt.ptr<f32>"), out, tmp_path=tmp_path)
    assert out[0] == 3


def test_approximate_division(tmp_path):
    out = np.zeros(1, np.float32)
    run(kernel("    %x = arith.constant 3.0 : f32\n    %y = tt.approx_divf %x, %x : f32\n    tt.store %p, %y : !tt.ptr<f32>"), out,
        tmp_path=tmp_path)
    assert out[0] == 1


def test_strings_are_no_code(tmp_path):
    """What a string or a comment says is not looked at."""
    out = np.zeros(1, np.float32)
    run(kernel('    // ttg.local_alloc !tt.ptr<tensor<8xf32>>\n'
               '    %x = arith.constant 3.0 : f32 loc("ttg.barrier !tt.tensordesc \\" #ttg.x")\n    tt.store %p, %x : !tt.ptr<f32>'), out,
        tmp_path=tmp_path)
    assert out[0] == 3


def test_both_forms_of_hints(tmp_path):
    for hints in ("cacheModifier = ca evictionPolicy = evict_last", "{cachePolicy = #tt.cache_policy<cache_modifier = ca, "
                  "eviction_policy = evict_last>}", "{isVolatile = true}"):
        out = np.full(2, 5, np.float32)
        run(kernel(f"    %one = arith.constant 1 : i32\n    %x = tt.load %p {hints} : !tt.ptr<f32>\n"
                   "    %q = tt.addptr %p, %one : !tt.ptr<f32>, i32\n    %y = arith.addf %x, %x : f32\n"
                   "    tt.store %q, %y evictionPolicy = evict_first : !tt.ptr<f32>"), out, tmp_path=tmp_path)
        assert out[1] == 10


REFUSED = {
    "TTGIR attribute": ('module attributes {"ttg.num-warps" = 4 : i32} {\n}\n', "this is TTGIR", 1),
    "TTGIR layout": ("#blocked = #ttg.blocked<{sizePerThread = [1]}>\nmodule {\n}\n", "this is TTGIR", 1),
    "TTGIR before 3.3": ("#blocked = #triton_gpu.blocked<{sizePerThread = [1]}>\nmodule {\n}\n", "this is TTGIR", 1),
    "TTGIR operation": (kernel("    %0 = ttg.local_alloc : () -> !ttg.memdesc<8xf32>"), "this is TTGIR", 3),
    "block pointer": (kernel("    %c = arith.constant 1 : i64\n    %z = arith.constant 0 : i32\n"
                             "    %b = tt.make_tensor_ptr %p, [%c], [%c], [%z] {order = array<i32: 0>} : <tensor<8xf32>>"),
                      "block pointers of Triton 3.2 to 3.7", 5),
    "block pointer argument": (kernel("", arguments="%p: !tt.ptr<tensor<8xf32>>"), "block pointers of Triton 3.2 to 3.7", 2),
    "advance": (kernel("    %b = tt.advance %p, [%p] : <tensor<8xf32>>"), "block pointers of Triton 3.2 to 3.7", 3),
    "descriptor argument": (kernel("", arguments="%p: !tt.tensordesc<8x8xf32>"), "tensor descriptors are not read", 2),
    "descriptor argument of 3.3": (kernel("", arguments="%p: !tt.tensordesc<tensor<8x8xf32>>"),
                                   "tensor descriptors are not read", 2),
    "descriptor": (kernel("    %d = tt.make_tensor_descriptor %p, [%p], [%p] : <f32>, <8xf32>"),
                   "tensor descriptors are not read", 3),
    "descriptor of 3.2": (kernel("    %d = tt.experimental_descriptor_load %p[%p] : !tt.ptr<i8> -> tensor<8xf32>"),
                          "tensor descriptors", 3),
    "scaled dot": (kernel("    %d = tt.dot_scaled %p scale %p, %p, %p lhs = e4m3 rhs = e4m3 : f32"),
                   "'tt.dot_scaled': this operation", 3),
    "inline assembly": (kernel('    %d = tt.elementwise_inline_asm "mov $0, $1;" {constraints = "=r,r"} %p : i32 -> i32'),
                        "another target", 3),
    "atomic of 3.9": (kernel("    %d = tt.atomic_load acquire, gpu, %p : (!tt.ptr<f32>) -> f32"),
                      "'tt.atomic_load': this operation", 3),
    "unknown operation": (kernel("    tt.frobnicate %p : f32"), "tt.frobnicate", 3),
    "unknown dialect": (kernel("    foo.bar %p : f32"), "foo", 3),
    "unknown type": (kernel("", arguments="%p: !tt.pointer<f32>"), "pointer", 2),
    "unknown attribute": (kernel("    %x = tt.load %p {cachePolicy = #tt.policy<1>} : !tt.ptr<f32>"), "policy", 3),
    "undefined value": (kernel("    tt.store %p, %x : !tt.ptr<f32>"), "undeclared SSA value", 3),
    "wrong type": (kernel("    %x = arith.constant 1 : i32\n    tt.store %p, %x : !tt.ptr<f32>"), "x", 4),
    "two kernels": (kernel("") + kernel("").replace("@kernel", "@other"), "", 0),
    "nothing": ("", "", 0),
    "no text": ("\0\1\2", "", 0),
    "half a file": (kernel("    %x = arith.constant 1 : i32")[:-30], "", 0),
    "nested deeply": ("module {" * 2000 + "}" * 2000, "", 0),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name, tmp_path):
    text, message, line = REFUSED[name]
    file = tmp_path / "kernel.ttir"
    file.write_text(text)
    with pytest.raises(triton_metal.CompilationError) as error:
        triton_metal.compile(str(file), target="cpu")
    assert type(error.value).__name__ == "InvalidModule"
    assert message in str(error.value)
    if line:
        assert error.value.where["line"] == line, error.value.where
