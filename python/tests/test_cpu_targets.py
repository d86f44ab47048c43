"""Code of the CPU device for machines that this one is not: kernels go the whole way from Python to an arm64 object, which runs
under qemu in user mode; assembly for AVX-512 and AVX2 is looked at. And: code grows with the kernel's text, not with its blocks."""
from __future__ import annotations

import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import triton_metal as triton
import triton_metal.language as tl
from triton_metal import _core

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent / "examples"))
from attention import attention_kernel, reference as attention_reference  # noqa: E402
from dropout import dropout_kernel  # noqa: E402
from layer_norm import layer_norm_kernel  # noqa: E402
from matmul import matmul_kernel  # noqa: E402
from softmax import reference as softmax_reference, softmax_kernel  # noqa: E402

SIZES = {"*": 8, "i1": 1, "i8": 1, "i16": 2, "i32": 4, "i64": 8, "fp16": 2, "bf16": 2, "fp32": 4, "fp64": 8}
FORMATS = {"i1": "b", "i8": "b", "i16": "h", "i32": "i", "i64": "q", "fp32": "f", "fp64": "d"}


def compile_for(processor: str, kernel, arguments, **constants):
    """The kernel's code for a named processor: Python to tt, then the same pipelines as on the host."""
    ttir = kernel.warmup(*arguments, **constants, grid=(1,), device="cpu").asm["ttir"]
    return _core.compile_for_cpu(_core.Module.parse(ttir, "kernel.ttir"), processor=processor)


def assembly(kernel, arguments, processor: str, **constants) -> str:
    """Assembly of the kernel for a named processor."""
    return compile_for(processor, kernel, arguments, **constants).assembly()


class Arm64:
    """Links objects with a driver that needs no C library, and runs them under qemu."""

    def __init__(self, folder: Path, emulator: str, clang: str, linker: str):
        self.folder, self.emulator, self.clang, self.linker = folder, emulator, clang, linker

    def run(self, kernel, grid, arguments, **constants) -> list[np.ndarray]:
        """The arrays among the arguments after a launch; those passed stay as they are."""
        code = compile_for("aarch64", kernel, arguments, **constants)
        name, params = code.signature.name, code.signature.params
        passed = [value for value in arguments if not (type(value) is int and value == 1)]
        assert len(params) == len(passed)
        block, places, arrays = b"", [], []
        for param, value in zip(params, passed):
            kind = "*" if param.type.startswith("*") else param.type
            block += bytes(-len(block) % SIZES[kind])
            if kind == "*":
                places.append((len(block), value.nbytes))
                arrays.append(np.ascontiguousarray(value))
                block += bytes(8)
            else:
                block += struct.pack("<" + FORMATS[kind], value)
        block += bytes(-len(block) % 16)
        header = struct.pack("<6q", *grid, *(1,) * (3 - len(grid)), len(block), code.arena_bytes, len(arrays))
        header += b"".join(struct.pack("<2q", *place) for place in places) + bytes(16 * (32 - len(places)))
        (self.folder / "kernel.o").write_bytes(code.object)
        target = ["--target=aarch64-linux-gnu", "-O1", "-ffreestanding", "-fno-builtin", "-nostdlib", f"-DKERNEL={name}"]
        subprocess.run([self.clang, *target, "-c", HERE / "cpu_driver.c", "-o", self.folder / "driver.o"], check=True)
        program = self.folder / "program"
        subprocess.run([self.linker, "-o", program, self.folder / "driver.o", self.folder / "kernel.o"], check=True)
        data = header + block + b"".join(array.tobytes() for array in arrays)
        out = subprocess.run([self.emulator, program], input=data, stdout=subprocess.PIPE, check=True, timeout=120).stdout
        assert len(out) == sum(array.nbytes for array in arrays)
        results = []
        for array in arrays:
            results.append(np.frombuffer(out[:array.nbytes], array.dtype).reshape(array.shape))
            out = out[array.nbytes:]
        return results


@pytest.fixture
def arm64(tmp_path):
    tools = {}
    for tool, names in {"emulator": ("qemu-aarch64-static", "qemu-aarch64"), "clang": ("clang-22", "clang"),
                        "linker": ("ld.lld-22", "ld.lld")}.items():
        tools[tool] = next(filter(None, map(shutil.which, names)), None)
        if tools[tool] is None:
            pytest.skip(f"{names[0]} is not installed; ./dev test installs it on Debian and Ubuntu")
    return Arm64(tmp_path, **tools)


def random(*shape, dtype=np.float32):
    return np.random.default_rng(len(shape) + shape[0]).standard_normal(shape, dtype=np.float32).astype(dtype)


@pytest.mark.parametrize("columns", [64, 1000])
def test_softmax_on_arm64(arm64, columns):
    x = random(5, columns)
    _, out = arm64.run(softmax_kernel, (5,), [x, np.zeros_like(x), columns, columns, columns], BLOCK=triton.next_power_of_2(columns))
    np.testing.assert_allclose(out, softmax_reference(x.astype(np.float64)), rtol=2e-6)


def test_layer_norm_on_arm64(arm64):
    x, weight, bias = random(3, 500), random(500), random(500)
    *_, out = arm64.run(layer_norm_kernel, (3,), [x, weight, bias, np.zeros_like(x), 500, 500, 1e-5], BLOCK=512)
    wide = x.astype(np.float64)
    expected = (wide - wide.mean(1, keepdims=True)) / np.sqrt(wide.var(1, keepdims=True) + 1e-5) * weight + bias
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_matmul_on_arm64(arm64, dtype):
    m, n, k = 100, 77, 90
    a, b, bias = random(m, k, dtype=dtype), random(k, n, dtype=dtype), random(n)
    arguments = [a, b, bias, np.zeros((m, n), np.float32), m, n, k, k, 1, n, 1, n, 1]
    *_, out = arm64.run(matmul_kernel, (2, 2), arguments, BLOCK_M=64, BLOCK_N=64, BLOCK_K=32, EPILOGUE=False)
    np.testing.assert_allclose(out, a.astype(np.float64) @ b.astype(np.float64), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("causal", [False, True])
def test_attention_on_arm64(arm64, causal):
    q, k, v = (random(2, 100, 32) * scale for scale in (1, 0.5, 2))
    arguments = [q, k, v, np.zeros_like(q), 3200, 100, 32**-0.5]
    *_, out = arm64.run(attention_kernel, (2, 2), arguments, HEAD=32, BLOCK_M=64, BLOCK_N=64, CAUSAL=causal)
    np.testing.assert_allclose(out, attention_reference(q, k, v, causal), rtol=1e-5, atol=1e-5)


def test_dropout_on_arm64(arm64):
    """Philox is exact: the same elements are dropped as here."""
    x = random(3000)
    here = np.zeros_like(x)
    dropout_kernel[(3,)](x, here, 3000, 0.5, 1 << 40, BLOCK=1024, device="cpu")
    _, there = arm64.run(dropout_kernel, (3,), [x, np.zeros_like(x), 3000, 0.5, 1 << 40], BLOCK=1024)
    np.testing.assert_array_equal(there, here)


def matmul_arguments(dtype=np.float32):
    a = np.zeros(1, dtype)
    return [a, a, np.zeros(1, np.float32), np.zeros(1, np.float32), 256, 256, 256, 256, 1, 256, 1, 256, 1]


def test_avx512_code_of_a_row_kernel():
    """Full vectors are zmm registers; the rest of a row is loaded and stored under a mask register."""
    x = np.zeros(1, np.float32)
    text = assembly(softmax_kernel, [x, x, 1000, 1000, 1000], "x86-64-v4", BLOCK=1024)
    assert re.search(r"vmovups\t.*%zmm\d+\n", text) and re.search(r"vmaxps\t.*%zmm\d+", text)
    assert re.search(r"v(movups|blendmps)\t\(.*%zmm\d+ \{%k\d\}", text), "no masked load"
    assert re.search(r"vmovups\t%zmm\d+, .*\{%k\d\}", text), "no masked store"
    assert "call" not in re.sub(r"callq\t\S*softmax_kernel\S*", "", text)


def test_avx512_code_of_a_matrix_product():
    text = assembly(matmul_kernel, matmul_arguments(), "x86-64-v4", BLOCK_M=64, BLOCK_N=64, BLOCK_K=32, EPILOGUE=False)
    accumulators = set(re.findall(r"vfmadd231ps\t.*, (%zmm\d+)\n", text))
    assert len(accumulators) >= 12, f"the register block has {len(accumulators)} vectors"


def test_avx2_code_never_needs_more():
    for kernel, arguments, constants in (
            (softmax_kernel, [np.zeros(1, np.float32)] * 2 + [1000] * 3, {"BLOCK": 1024}),
            (matmul_kernel, matmul_arguments(np.float16), {"BLOCK_M": 64, "BLOCK_N": 64, "BLOCK_K": 32, "EPILOGUE": False})):
        text = assembly(kernel, arguments, "x86-64-v3", **constants)
        assert "%ymm" in text and "zmm" not in text and not re.search(r"\{%k\d", text)


def row_arguments(kernel, block):
    x = np.zeros(1, np.float32)
    return [x, x, block, block, block] if kernel is softmax_kernel else [x, x, x, x, block, block, 1e-5]


@pytest.mark.parametrize("kernel", [softmax_kernel, layer_norm_kernel], ids=["softmax", "layer_norm"])
@pytest.mark.parametrize("processor, native", [("x86-64-v3", 32), ("x86-64-v4", 64), ("aarch64", 16)])
def test_vectors_are_the_machines(kernel, processor, native):
    """Never one huge vector: a row of 8192 is walked in vectors of at most two registers (of addresses or of 64-bit numbers)."""
    code = compile_for(processor, kernel, row_arguments(kernel, 8192), BLOCK=8192)
    bits = {"i1": 1, "i8": 8, "i16": 16, "i32": 32, "i64": 64, "half": 16, "bfloat": 16, "float": 32, "double": 64, "ptr": 64}
    sizes = {int(count) * bits[element] // 8 for count, element in re.findall(r"<(\d+) x (\w+)>", code.llir)}
    assert native in sizes and max(sizes) <= 2 * native


@pytest.mark.parametrize("kernel", [softmax_kernel, layer_norm_kernel], ids=["softmax", "layer_norm"])
def test_code_does_not_grow_with_the_block(kernel):
    small, large = (len(compile_for("x86-64-v3", kernel, row_arguments(kernel, block), BLOCK=block).object) for block in (64, 8192))
    assert large <= 1.3 * small


@pytest.mark.parametrize("processor", ["host:16", "host:32", "host:64", "x86-64-v3"])
@pytest.mark.parametrize("example", ["softmax", "matmul", "attention", "layer_norm", "dropout"])
def test_other_widths_of_vectors_give_the_same(processor, example):
    """What machines with other registers run, as far as this one can run it."""
    import importlib
    module = importlib.import_module(example)
    with triton.knobs.cpu.scope():
        triton.knobs.cpu.processor = processor
        if reason := why_not(processor):
            pytest.skip(reason)
        for case in module.cases("cpu", np.random.default_rng(0)):
            case.run()
            np.testing.assert_allclose(case.out, case.numpy(), rtol=2e-2 if case.out.dtype == np.float16 else 1e-3, atol=1e-3)


@triton.jit
def double(x_ptr, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    tl.store(x_ptr + i, tl.load(x_ptr + i) * 2)


def why_not(processor: str) -> str:
    """Why code for this processor does not run here; empty where it does."""
    with triton.knobs.cpu.scope():
        triton.knobs.cpu.processor = processor
        try:
            double[(1,)](np.zeros(16, np.float32), BLOCK=16, device="cpu")
        except triton.LaunchError as error:
            return str(error)
    return ""


def test_code_for_another_machine_is_refused_at_launch():
    foreign = "x86-64-v3" if "aarch64" in _core.cpu_target_key() else "aarch64"
    with triton.knobs.cpu.scope():
        triton.knobs.cpu.processor = foreign
        for _ in range(2):  # compiled, then from the disk cache
            kernel = triton.jit(double.fn)
            with pytest.raises(triton.LaunchError, match=f"cannot run here: the code is for {foreign.replace('-v3', '')}"):
                kernel[(1,)](np.zeros(16, np.float32), BLOCK=16, device="cpu")
            text = kernel.warmup(np.zeros(16, np.float32), BLOCK=16, grid=(1,), device="cpu").asm["asm"]
            assert ("fadd" in text) == (foreign == "aarch64")
        triton.knobs.cpu.processor = "vax"
        with pytest.raises(Exception, match="there is no processor 'vax'"):
            double[(1,)](np.zeros(16, np.float32), BLOCK=16, device="cpu")


def test_random_kernels_on_arm64(arm64):
    """A few of the fuzzer's programs, which reach operations that the kernels above do not."""
    sys.path.insert(0, str(HERE.parent.parent / "fuzz"))
    import generate
    import run
    for seed in range(8):
        program = generate.generate(seed)
        outputs = [np.zeros_like(expected) for expected in program.outputs.values()]
        arguments = [*program.inputs.values(), *program.scalars.values(), *outputs]
        grid = program.grid if isinstance(program.grid, tuple) else (program.grid,)
        try:
            results = arm64.run(run.jit(program.text, seed, triton, tl), grid, arguments, **program.constants)
        except triton.UnsupportedOnDevice:
            continue
        wrong = run.difference(program, dict(zip(program.outputs, results[len(program.inputs):])))
        assert not wrong, run.reproducer(program, "arm64", wrong)
