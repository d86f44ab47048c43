"""`tt` as text: upstream's modules run here, ours read back are the same, and both have the same operations.

Upstream's modules are made in the test by its wheel (`triton` of PyPI), which needs no GPU to compile.
"""
from __future__ import annotations

import collections
import importlib
import importlib.util
import os
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest

import triton_metal

pytestmark = pytest.mark.never_refused
ROOT = pathlib.Path(__file__).parents[2]
HAS_UPSTREAM = importlib.util.find_spec("triton") is not None
needs_upstream = pytest.mark.skipif(not HAS_UPSTREAM, reason="the triton wheel is not installed")
# Arguments that are arrays get 16-byte aligned addresses, as the attribute tt.divisibility promises.
TYPES = {"float32": "*fp32", "float16": "*fp16", "bfloat16": "*bf16", "int32": "*i32"}


def load_kernels(package: str):
    """The kernels of ttir_kernels.py in the language of a package."""
    key = f"{package}_ttir_kernels"
    if key not in sys.modules:
        ours = {k: sys.modules[k] for k in ("triton_metal", "triton_metal.language")}
        try:
            for name in ours:
                sys.modules[name] = importlib.import_module(name.replace("triton_metal", package))
            spec = importlib.util.spec_from_file_location(key, pathlib.Path(__file__).with_name("ttir_kernels.py"))
            sys.modules[key] = module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
        finally:
            sys.modules.update(ours)
    return sys.modules[key]


import triton_metal.language  # noqa: E402  the module must be there to be exchanged

CASES = {f"matmul {case.arguments['a_ptr'].dtype}" if case.name == "matmul" else case.name: case
         for case in load_kernels("triton_metal").cases()}


def specialise(case):
    """Signature, constants and attributes as both compilers take them."""
    constants = dict(case.constants)
    constants.update({k: 1 for k, v in case.arguments.items() if type(v) is int and v == 1})
    signature, attributes = {}, {}
    for i, name in enumerate(case.kernel.arg_names):
        value = case.arguments.get(name)
        if name in constants:
            signature[name] = "constexpr"
        elif hasattr(value, "dtype"):
            signature[name] = TYPES[str(value.dtype)]
            attributes[(i,)] = [["tt.divisibility", 16]]
        elif isinstance(value, int):
            signature[name] = "i32" if abs(value) < 2**31 else "i64"
            if value % 16 == 0:
                attributes[(i,)] = [["tt.divisibility", 16]]
        else:
            signature[name] = "fp32"
    return signature, {(case.kernel.arg_names.index(k),): v for k, v in constants.items()}, attributes


_UPSTREAM: dict[str, str] = {}


def upstream_ttir(name: str) -> str:
    """The TTIR that upstream makes of a case for sm_90."""
    if name not in _UPSTREAM:
        import triton
        from triton.backends.compiler import GPUTarget
        from triton.compiler import ASTSource
        case = CASES[name]
        kernel = getattr(load_kernels("triton"), case.name)
        signature, constants, attributes = specialise(case)
        source = ASTSource(kernel, signature, constexprs=constants, attrs=attributes)
        _UPSTREAM[name] = triton.compile(source, target=GPUTarget("cuda", 90, 32)).asm["ttir"]
    return _UPSTREAM[name]


@pytest.fixture(scope="module", autouse=True)
def upstream_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRITON_CACHE_DIR", str(tmp_path_factory.mktemp("upstream")))
        yield


def aligned(array):
    if array.dtype == "bfloat16":
        torch = pytest.importorskip("torch", reason="bfloat16 arguments need PyTorch")
        return torch.from_numpy(array.values).bfloat16()  # whose memory is aligned to 64 bytes
    raw = np.zeros(array.nbytes + 64, np.uint8)
    start = -raw.ctypes.data % 64
    copy = raw[start:start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def check(case, compiled):
    """Launch compiled TTIR with the arguments of a case, and compare with NumPy."""
    arguments = {k: aligned(v) if hasattr(v, "dtype") else v for k, v in case.arguments.items()}
    run_time = [v for k, v in arguments.items() if not (type(v) is int and v == 1)]
    compiled[case.grid](*run_time)
    for output, expected in zip(case.outputs, case.reference(**case.arguments), strict=True):
        np.testing.assert_allclose(arguments[output].astype(np.float64), np.asarray(expected, np.float64), rtol=case.tolerance,
                                   atol=case.tolerance, err_msg=f"{case.name}: {output}")


@needs_upstream
@pytest.mark.parametrize("name", CASES)
def test_upstream_runs(name, tmp_path):
    """A kernel that upstream's front end built gives NumPy's result on the CPU."""
    file = tmp_path / f"{name}.ttir"
    file.write_text(upstream_ttir(name))
    check(CASES[name], triton_metal.compile(str(file), target="cpu"))


@pytest.mark.parametrize("name", CASES)
def test_ours_runs_from_text(name, tmp_path):
    """The same kernel from our front end, read back from its text."""
    file = tmp_path / f"{name}.ttir"
    file.write_text(ours(name).asm["ttir"])
    check(CASES[name], triton_metal.compile(str(file), target="cpu"))


def ours(name: str):
    case = CASES[name]
    signature, constants, attributes = specialise(case)
    source = triton_metal.compiler.ASTSource(case.kernel, signature, constexprs=constants, attrs=attributes)
    return triton_metal.compile(source, target="cpu")


def reprinted(text: str, locations: bool) -> str:
    return triton_metal._core.Module.parse(text, "kernel.ttir").text(locations=locations)


@pytest.mark.parametrize("name", CASES)
def test_round_trip(name):
    """A kernel's TTIR read back and printed is the same text, but for SSA names: those of block arguments are not a part of it."""
    text = ours(name).asm["ttir"]
    assert_same_module(text)


def assert_same_module(text: str) -> None:
    again = reprinted(text, locations="loc(" in text)
    assert re.sub(r"%[\w$.-]+", "%", again).strip() == re.sub(r"%[\w$.-]+", "%", text).strip()
    assert reprinted(again, locations=False) == reprinted(text, locations=False)  # there names are numbers


@needs_upstream
@pytest.mark.parametrize("name", CASES)
def test_upstream_round_trip(name):
    """Upstream's module printed by us is upstream's text, but for its SSA names; printed twice it does not change."""
    text = reprinted(upstream_ttir(name), locations=False)
    assert reprinted(text, locations=False) == text
    assert operations(text) == operations(upstream_ttir(name))


def operations(text: str) -> collections.Counter:
    """How often each operation occurs."""
    text = re.sub(r"loc\(.*?\)$", "", text, flags=re.M)
    return collections.Counter(re.findall(r'(?<![\w."#!])"?((?:tt|arith|math|scf|cf)\.[\w.]+)', text))


# Where our front end builds something else on purpose: (upstream's count, ours).
DIFFERENT = {
    "argmax_rows": {"arith.cmpf": (2, 3), "arith.ori": (1, 2)},  # our combine function ignores NaN in every order of reduction
    "early_return": {"cf.cond_br": (1, 0), "tt.return": (2, 1), "scf.if": (0, 1)},  # control flow stays structured
}


@needs_upstream
@pytest.mark.parametrize("name", CASES)
def test_operations_as_upstream(name):
    """After clean-up our module has exactly the operations of upstream's."""
    opt = pathlib.Path(os.environ.get("TRITON_METAL_BUILD_DIR", ROOT / "build")) / "bin" / "triton-metal-opt"
    if not opt.exists():
        pytest.skip("triton-metal-opt is not built")
    run = subprocess.run([str(opt), "--triton-pipeline", "-"], input=ours(name).asm["ttir"], text=True, capture_output=True)
    text = run.stdout
    assert run.returncode == 0, run.stderr
    theirs, own = operations(upstream_ttir(name)), operations(text)
    differ = {op: (theirs[op], own[op]) for op in theirs | own if theirs[op] != own[op]}
    assert differ == DIFFERENT.get(name, {})


def example_kernels():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        import kernels
        return kernels.kernels()
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))


@pytest.mark.parametrize("index", range(10))
def test_example_round_trip(index, device):
    kernel = example_kernels()[index]
    text = kernel.compile_ours(device).asm["ttir"]
    assert_same_module(text)
