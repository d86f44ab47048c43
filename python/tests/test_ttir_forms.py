"""Forms of TTIR that our front end does not make, but texts from elsewhere have."""
from __future__ import annotations

import numpy as np
import pytest

import triton_metal as triton

BRANCHES = """
module {
  tt.func public @kernel(%out: !tt.ptr<i32>, %mark: !tt.ptr<i32>, %flag: i32) {
    %zero = arith.constant 0 : i32
    %one = arith.constant 1 : i32
    %listed = arith.constant dense<[5, -3, 7, 11]> : tensor<4xi32>
    %range = tt.make_range {end = 4 : i32, start = 0 : i32} : tensor<4xi32>
    %squares = arith.muli %range, %range : tensor<4xi32>
    %set = arith.cmpi ne, %flag, %zero : i32
    cf.cond_br %set, ^marked, ^last(%squares : tensor<4xi32>)
  ^marked:
    tt.store %mark, %one : !tt.ptr<i32>
    cf.br ^last(%listed : tensor<4xi32>)
  ^last(%v: tensor<4xi32>):
    BARRIER
    %outs = tt.splat %out : !tt.ptr<i32> -> tensor<4x!tt.ptr<i32>>
    %at = tt.addptr %outs, %range : tensor<4x!tt.ptr<i32>>, tensor<4xi32>
    tt.store %at, %v : tensor<4x!tt.ptr<i32>>
    tt.return
  }
}
"""


@pytest.mark.parametrize("barrier", ["", "gpu.barrier", "ttg.barrier all", "ttg.barrier local|global_write loc(unknown)",
                                     "tt.debug_barrier"])
@pytest.mark.parametrize("flag", [0, 1])
def test_tensors_through_a_conditional_branch(tmp_path, barrier, flag):
    """A tensor that a conditional branch passes on, a constant whose elements differ, and every spelling of a barrier."""
    file = tmp_path / "kernel.ttir"
    file.write_text(BRANCHES.replace("BARRIER", barrier))
    out, mark = np.zeros(4, np.int32), np.zeros(1, np.int32)
    triton.compile(str(file), target="cpu")[(1,)](out, mark, flag)
    np.testing.assert_array_equal(out, [5, -3, 7, 11] if flag else [0, 1, 4, 9])
    assert mark[0] == flag


@pytest.mark.parametrize("dtype, mlir, text, values", [
    ("float32", "f32", "[[1.5, -2.0], [0.25, 1.0e+10]]", [[1.5, -2], [0.25, 1e10]]),
    ("float16", "f16", "[[1.5, -2.0], [0.25, 8.0]]", [[1.5, -2], [0.25, 8]]),
    ("int8", "i8", "[[1, -2], [127, -128]]", [[1, -2], [127, -128]]),
    ("int64", "i64", "[[1, -2], [9223372036854775807, 3]]", [[1, -2], [2**63 - 1, 3]]),
])
def test_constants_whose_elements_differ(tmp_path, dtype, mlir, text, values):
    file = tmp_path / "kernel.ttir"
    file.write_text(f"""
module {{
  tt.func public @kernel(%out: !tt.ptr<{mlir}>) {{
    %v = arith.constant dense<{text}> : tensor<2x2x{mlir}>
    %flipped = tt.trans %v {{order = array<i32: 1, 0>}} : tensor<2x2x{mlir}> -> tensor<2x2x{mlir}>
    %range = tt.make_range {{end = 4 : i32, start = 0 : i32}} : tensor<4xi32>
    %at = tt.reshape %range : tensor<4xi32> -> tensor<2x2xi32>
    %outs = tt.splat %out : !tt.ptr<{mlir}> -> tensor<2x2x!tt.ptr<{mlir}>>
    %to = tt.addptr %outs, %at : tensor<2x2x!tt.ptr<{mlir}>>, tensor<2x2xi32>
    tt.store %to, %flipped : tensor<2x2x!tt.ptr<{mlir}>>
    tt.return
  }}
}}
""")
    out = np.zeros((2, 2), dtype)
    triton.compile(str(file), target="cpu")[(1,)](out)
    np.testing.assert_array_equal(out, np.array(values, dtype).T)


def test_constant_mask(tmp_path):
    """Booleans are bytes in memory and bits in the text."""
    file = tmp_path / "kernel.ttir"
    file.write_text("""
module {
  tt.func public @kernel(%out: !tt.ptr<i32>) {
    %mask = arith.constant dense<[true, false, false, true]> : tensor<4xi1>
    %ones = arith.constant dense<1> : tensor<4xi32>
    %range = tt.make_range {end = 4 : i32, start = 0 : i32} : tensor<4xi32>
    %outs = tt.splat %out : !tt.ptr<i32> -> tensor<4x!tt.ptr<i32>>
    %to = tt.addptr %outs, %range : tensor<4x!tt.ptr<i32>>, tensor<4xi32>
    tt.store %to, %ones, %mask : tensor<4x!tt.ptr<i32>>
    tt.return
  }
}
""")
    out = np.zeros(4, np.int32)
    triton.compile(str(file), target="cpu")[(1,)](out)
    np.testing.assert_array_equal(out, [1, 0, 0, 1])
