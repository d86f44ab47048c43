"""The fuzzer finds each planted miscompilation within its time, and finds nothing without one in 60 seconds.

The seeds are fixed, so that the tests give the same answer for the same tree; random ones are run by the scheduled workflow.
"""
import pathlib
import subprocess
import sys

import pytest

RUN = pathlib.Path(__file__).parents[2] / "fuzz" / "run.py"
# What must be drawn: the operations of the language and its constructs, types as words of the names of conversions.
EVERY = """
call returns closure global tuple slice constexpr augmented conditional chain boolean static if for range tl.range static_range
tl.static_range unroll pointers while return shape x.T x.dtype element_ty method assume multiple_of max_contiguous cache layout hints
load gather masked store tile atomic_add num_programs full zeros_like literal mixed scalar implicit
add sub mul div rem sdiv srem u// u% and or xor invert not neg abs shl shr minimum maximum clamp cdiv
cmp< cmp<= cmp> cmp>= cmp== cmp!= logical& logical| logical^ where
fadd fsub fmul fdiv fmin fmax fma div_rn sqrt sqrt_rn rsqrt exp exp2 log log2 sin cos floor ceil erf sigmoid softmax
sum max min argmax argmin ties kept all reduce 2 combine_max combine_xor combine_product cumsum
expand_dims broadcast broadcast_to reshape view trans permute 3d join interleave split dot acc matmul rand randn randint bitcast
int1 int8->int16 int16->int8 uint8->uint16 int32->float32 int64->int32 uint64->float32 float16 bfloat16 float32 float64
"""
FAULTS = ("swap-sub", "mask-off-by-one", "select-swap", "shift-logical", "reduce-drop")


def fuzz(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, str(RUN), *arguments], capture_output=True, text=True, timeout=600)


@pytest.mark.parametrize("device", ["cpu", "metal"])
@pytest.mark.parametrize("fault", FAULTS)
def test_planted_fault(fault, device):
    done = fuzz("--plant", fault, "--seconds", "60", "--seed", "1", "--device", device)
    assert done.returncode == 0 and f"the planted fault {fault} was found" in done.stdout, done.stdout + done.stderr


def test_unknown_fault_is_an_error():
    done = fuzz("--plant", "no-such-fault", "--count", "1", "--device", "cpu")
    assert "unknown fault 'no-such-fault'" in done.stdout + done.stderr


def test_finds_nothing():
    done = fuzz("--seconds", "60", "--seed", "1000")
    assert done.returncode == 0, done.stdout[-20000:] + done.stderr[-5000:]
    assert done.stdout.startswith("seed 1000\n") and " programs, 0 failures, " in done.stdout and "operations: " in done.stdout


def test_programs_use_every_operation():
    """The histogram of a few hundred programs names whatever the language has."""
    sys.path.insert(0, str(RUN.parent))
    try:
        from generate import generate
    finally:
        sys.path.remove(str(RUN.parent))
    drawn = set()
    for seed in range(600):
        drawn |= {word for kind in generate(seed).histogram for word in kind.replace(",", "").split()}
    missing = set(EVERY.split()) - drawn
    assert not missing
