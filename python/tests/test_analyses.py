"""What compute_intensity, kernel.explain and metal.analyze_memory_access have in common: device=, chip=, the grid that is assumed."""
from __future__ import annotations

import json

import numpy as np
import pytest

import triton_metal as triton
import triton_metal.backends.metal as metal
import triton_metal.language as tl
from arrays import aligned
from triton_metal.profiling.explain import explain


@triton.jit
def scale(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + i, 2 * tl.load(x_ptr + i, mask=i < n), mask=i < n)


@triton.jit
def columns(x_ptr, out_ptr, N: tl.constexpr):
    i = tl.arange(0, N)
    tl.store(out_ptr + i, tl.load(x_ptr + 3 * i))


def args(dtype=np.float32):
    return np.ones(1000, dtype), np.zeros(1000, dtype), 1000, 256


ANALYSES = {"intensity": triton.compute_intensity, "explain": explain, "accesses": metal.analyze_memory_access}


@pytest.mark.parametrize("analysis", ANALYSES.values(), ids=ANALYSES)
def test_the_device_is_that_of_a_launch(analysis):
    assert "scale" in str(analysis(scale, args(), device="metal"))
    with pytest.raises(triton.LaunchError) as launched:
        scale[(4,)](*args(), device="cuda")
    with pytest.raises(triton.LaunchError) as analysed:
        analysis(scale, args(), device="cuda")
    assert str(analysed.value) == str(launched.value) and "'cpu' and 'metal'" in str(launched.value)
    compiled = scale.warmup(*args(), grid=(4,), device="cpu")
    with pytest.raises(triton.LaunchError, match="scale is compiled for cpu, which device=metal is not"):
        analysis(compiled, args()[:3], device="metal")


def test_accesses_are_those_of_metal():
    with pytest.raises(triton.UnsupportedOnDevice, match='no SIMD-groups and no transactions(.|\n)*remedy: pass device="metal"'):
        metal.analyze_memory_access(scale, args(), device="cpu")


def test_chips():
    m3 = triton.compute_intensity(scale, args(), device="metal", chip="apple-m3")
    assert m3.device == "apple-m3"
    with pytest.raises(ValueError, match="no chip 'apple-m0' in the table; there are apple-m1,"):
        triton.compute_intensity(scale, args(), device="metal", chip="apple-m0")
    with pytest.raises(triton.UnsupportedOnDevice, match=r"compute_intensity\(chip=...\) is not supported on cpu"):
        triton.compute_intensity(scale, args(), device="cpu", chip="apple-m3")
    for analysis in (explain, metal.analyze_memory_access):
        with pytest.raises(triton.LaunchError, match="TRITON_METAL_CHIP or knobs.metal.chip chooses the chip"):
            analysis(scale, args(), chip="apple-m3")


@pytest.mark.parametrize("analysis", [triton.compute_intensity, metal.analyze_memory_access])
def test_the_grid_is_told(analysis):
    assert "grid (1, 1, 1), assumed: none was given" in str(analysis(scale, args(), device="metal"))
    told = str(analysis(scale, args(), (4,), device="metal"))
    assert "grid (4, 1, 1)" in told and "assumed" not in told


def test_what_metal_cannot_compile_is_explained_for_the_cpu():
    found = scale.explain(args(np.float64), device="cpu")
    assert found.processor.vector_bytes and found.layouts == () and found.threads is None and "no 64-bit f" in found.no_metal
    assert str(found).startswith("scale on cpu: ") and "\nNothing can be told of it on metal: " in str(found)
    assert json.loads(found.to_json())["no_metal"] == found.no_metal
    with pytest.raises(triton.UnsupportedOnDevice):
        scale.explain(args(np.float64), device="metal")
    assert scale.explain(args(), device="cpu").no_metal is None


def test_where_arrays_start_is_a_note_beside_other_reasons():
    x, out = aligned(2048)[4:], aligned(1024)[4:]
    alone = metal.analyze_memory_access(scale, (x, out, 512, 512))
    assert [reason.is_note for access in alone.accesses for reason in access.reasons] == [False, False]
    assert "note" not in str(alone)
    beside = metal.analyze_memory_access(columns, (x, out, 512))
    store = next(access for access in beside.accesses if access.kind == "store")
    assert [reason.what for reason in store.reasons if reason.is_note] == ["accesses begin inside of a transaction of 128 bytes"]
    last = str(beside).splitlines()[-2:]
    assert last[0] == f"note, line {store.line}: accesses begin inside of a transaction of 128 bytes"
    assert str(beside).count(last[1]) == 1
    assert str(columns.explain((x, out, 512), device="metal")).splitlines()[-2:] == last
