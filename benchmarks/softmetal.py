"""The software Metal: from MSL text, or a function of a metallib, to runnable code."""
from __future__ import annotations

import os
import pathlib
import sys

import rounds as measurement
from kernels import kernels
from rounds import Row, Times, compare, interleave

#: Loads metallibs without Triton, and fetches the one that is measured: what the tests use.
TESTS = pathlib.Path(__file__).resolve().parent.parent / "python" / "tests"


def measure(rounds: int) -> list[Row]:
    from triton_metal import _core
    rows, medians = [], []
    for kernel in kernels():
        text = kernel.compile_ours("metal").asm["msl"]
        times = interleave({"ours": lambda: _core.softmetal_compile(text)}, rounds)["ours"]
        medians.append(times.median)
        rows.append(compare("softmetal", f"{kernel.name}: MSL to code", times))
    rows.append(compare("softmetal", "median over K: MSL to code", Times(medians), most=40.0))
    return rows + metallib()


def metallib() -> list[Row]:
    """Machine code of a hundred functions of MLX's library, which Apple's compiler made."""
    import pytest
    import triton_metal
    # The library that the package has; without this one setting the tests look beside the checkout.
    os.environ.setdefault("TRITON_METAL_SOFTMETAL", str(next(pathlib.Path(triton_metal.__file__).parent.glob("libsoftmetal*"))))
    sys.path.append(str(TESTS))
    import metal_corpus
    import softmetal_native as sm
    try:
        library = sm.Library(path=metal_corpus.metallib(14))
    except pytest.skip.Exception as why:
        print(f"# no metallib: {why}", flush=True)
        return []
    names = library.functions()
    library.kernel("vv_Addfloat32")  # LLVM's own set-up
    seconds: list[float] = []
    for name in names[::len(names) // 250]:
        began = measurement.clock()
        try:
            library.kernel(name)
        except sm.SoftMetalError as error:
            if "has no value" not in str(error):  # a function constant that only MLX knows
                raise
            continue
        seconds.append(measurement.clock() - began)
        if len(seconds) == 100:
            break
    return [compare("softmetal", "function of a metallib to code", Times(seconds), most=20.0)]
