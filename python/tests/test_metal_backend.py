"""`triton_metal.backends.metal`: chips, environment, caches."""
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import triton_metal as triton
import triton_metal.backends.metal as metal
import triton_metal.language as tl
from triton_metal import knobs


@triton.jit
def double(x_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(x_ptr + i, tl.load(x_ptr + i, mask=i < n) * 2, mask=i < n)


@pytest.mark.parametrize("chip", metal.list_chips())
def test_every_chip(chip):
    facts = metal.get_hardware_capabilities(chip)
    assert facts.chip == chip and facts.simd_width == 32
    assert facts.max_threads_per_threadgroup == 1024 and facts.max_threadgroup_memory == 32768  # on M1 as on M5
    assert facts.max_buffers == 31 and facts.max_argument_bytes == 4096
    old = facts.generation <= metal.ChipGeneration.M2
    assert facts.simdgroup_tile == ((32, 32) if old else (16, 64)) and facts.default_threads == (128 if old else 256)
    assert f"apple-{facts.generation.name.lower()}" == "-".join(chip.split("-")[:2])
    assert facts.supports_bfloat16 == (facts.generation >= metal.ChipGeneration.M3)
    assert facts.supports_matrix_units == (facts.generation >= metal.ChipGeneration.M5)
    assert not facts.supports_float64 and facts.fp32_tflops > 1
    for low, high in (facts.threads_range, facts.tile_range):
        assert low <= high and low & (low - 1) == 0 and high & (high - 1) == 0
    assert metal.get_chip_generation(chip) is facts.generation
    assert chip in str(facts)


def test_chips_by_pattern():
    assert metal.list_chips("apple-m3*") == ["apple-m3", "apple-m3-pro", "apple-m3-max", "apple-m3-ultra"]


def test_chosen_profile():
    with knobs.metal.scope():
        knobs.metal.chip = "apple-m4-pro"
        assert metal.get_hardware_capabilities().chip == "apple-m4-pro"
        assert metal.get_chip_generation() is metal.ChipGeneration.M4
    code = "import triton_metal.backends.metal as metal; print(metal.get_hardware_capabilities().chip)"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "TRITON_METAL_CHIP": "apple-m2-max"}, capture_output=True,
                          text=True, check=True)
    assert done.stdout.strip() == "apple-m2-max"


@triton.jit
def product(a_ptr, b_ptr, c_ptr, SIZE: tl.constexpr):
    places = tl.arange(0, SIZE)[:, None] * SIZE + tl.arange(0, SIZE)[None, :]
    tl.store(c_ptr + places, tl.dot(tl.load(a_ptr + places), tl.load(b_ptr + places), input_precision="ieee"))


def test_the_chip_steers_tiles_loads_and_the_type_of_bfloat16():
    """What is emitted for a chip follows its row of the table; the result does not."""
    a, b = np.random.default_rng(0).standard_normal((2, 64, 64), dtype=np.float32)
    loads, texts = {}, {}
    for chip in ("apple-m1", "apple-m2-max", "apple-m3-pro", "apple-m4-pro", "apple-m5"):
        with knobs.metal.scope():
            knobs.metal.chip = chip
            c = np.zeros_like(a)
            compiled = product[(1,)](a, b, c, SIZE=64, device="metal")
        np.testing.assert_allclose(c, a @ b, rtol=1e-4, atol=1e-4)
        loads[chip], texts[chip] = compiled.metadata.facts["device_loads"], compiled.asm["msl"]
    # Fragments that a SIMD-group loads for each of 8 steps along K: 4 + 4 for a tile of 32x32, 2 + 8 for one of 16x64.
    assert loads == {"apple-m1": 64, "apple-m2-max": 64, "apple-m3-pro": 80, "apple-m4-pro": 80, "apple-m5": 80}
    assert texts["apple-m1"] == texts["apple-m2-max"] and texts["apple-m3-pro"] == texts["apple-m5"] != texts["apple-m1"]


def test_the_page_about_chips_says_what_the_table_says():
    page = pathlib.Path(__file__).parents[2] / "docs" / "reference" / "chips.md"
    if not page.exists():
        pytest.skip("no documentation beside the tests")
    lines = [line for line in page.read_text().splitlines() if line.startswith("| `apple-")]
    rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines]
    assert [row[0] for row in rows] == metal.list_chips()
    for row in rows:
        chip = metal.get_hardware_capabilities(row[0])
        assert row[1:] == [
            chip.architecture, str(chip.gpu_cores), f"{chip.bandwidth_gbs:.0f}", f"{chip.fp32_tflops:.1f}",
            "yes" if chip.supports_bfloat16 else "no", "yes" if chip.supports_matrix_units else "no", "%dx%d" % chip.simdgroup_tile,
            "%d to %d" % chip.threads_range, "%d to %d" % chip.tile_range]


def test_unknown_chip():
    with pytest.raises(ValueError, match="no chip 'apple-m99' in the table; there are apple-m1, "):
        metal.get_hardware_capabilities("apple-m99")


@pytest.mark.parametrize("architecture, chip", [("applegpu_g13g", "apple-m1"), ("applegpu_g15s", "apple-m3-pro"), ("softmetal", None)])
def test_chip_of_a_device(architecture, chip):
    assert triton._core.chip_of_architecture(architecture) == chip


def test_environment():
    report = metal.check_environment()
    assert report and report.problem is None and report.chip == knobs.metal.chip
    assert report.is_software == (not metal.is_available())
    assert str(report).startswith("Metal: ")


def test_clear_cache(device, tmp_path):
    x = np.ones(64, np.float32)
    with knobs.cache.scope():
        knobs.cache.dir = str(tmp_path)
        double[(1,)](x, 64, BLOCK=64, device=device)
        on_disk = sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file())
        assert metal.clear_cache(memory=False) == on_disk
        assert not any(path.is_file() for path in tmp_path.rglob("*")) and metal.clear_cache(memory=False) == 0
        assert double.device_caches[device][0]
        assert metal.clear_cache(disk=False) > 0
        assert not double.device_caches
        double[(1,)](x, 64, BLOCK=64, device=device)
    np.testing.assert_array_equal(x, 4)


def test_unknown_chip_in_a_launch():
    with knobs.metal.scope():
        knobs.metal.chip = "apple-m99"
        with pytest.raises(ValueError, match="apple-m99"):
            double[(1,)](np.ones(64, np.float32), 64, BLOCK=64, device="metal")
