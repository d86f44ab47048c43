"""Element-wise kernels: coalesced access, one pass over memory instead of three, and sizes that the tuner or the chip chooses.

    ./dev run python examples/elementwise.py

What such a kernel costs is what it loads and stores. Fused, out = 2 sin(x + y) moves three arrays; as three kernels it moves seven.
"""
import numpy as np

import triton_metal as triton
import triton_metal.language as tl


@triton.jit
def coalesced_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    """Neighbouring lanes on neighbouring memory, 16 bytes each. In one dimension that is what comes without the hint as well."""
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask, layout="COALESCED")
    tl.store(out_ptr + offsets, x * 2.0, mask=mask, layout="COALESCED")


@triton.jit
def fused_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask)
    y = tl.load(y_ptr + offsets, mask=mask)
    tl.store(out_ptr + offsets, tl.sin(x + y) * 2.0, mask=mask)


@triton.jit
def step_kernel(x_ptr, y_ptr, out_ptr, n, OP: tl.constexpr, BLOCK: tl.constexpr):
    """One operation of the three, as it would be without fusion."""
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask)
    if OP == "add":
        x += tl.load(y_ptr + offsets, mask=mask)
    elif OP == "sin":
        x = tl.sin(x)
    else:
        x *= 2.0
    tl.store(out_ptr + offsets, x, mask=mask)


@triton.jit
def in_place_kernel(x_ptr, n, BLOCK: tl.constexpr):
    """Each program reads only what it writes itself, so that no second array is needed."""
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask)
    tl.store(x_ptr + offsets, tl.maximum(x, 0.0).to(x.dtype), mask=mask)


@triton.jit(
    configs=[
        triton.Config({"BLOCK_SIZE": 128, "NUM_WARPS": 4}),
        triton.Config({"BLOCK_SIZE": 256, "NUM_WARPS": 8}),
        triton.Config({"BLOCK_SIZE": 512, "NUM_WARPS": 16}),
        triton.Config({"BLOCK_SIZE": 2048, "NUM_WARPS": 8}),
    ],
    autotune=True,
    key=["n"],
)
def autotuned_kernel(x_ptr, out_ptr, n, BLOCK_SIZE: tl.constexpr, NUM_WARPS: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK_SIZE + tl.arange(0, BLOCK_SIZE)
    mask = offsets < n
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=mask) * 2.0, mask=mask)


# Without autotune nothing is timed: the first configuration that suits the chip and compiles is taken. The cpu device takes any.
@triton.jit(
    configs=[
        triton.Config({"BLOCK_SIZE": 512, "NUM_WARPS": 4}, chips=["apple-m1*"]),
        triton.Config({"BLOCK_SIZE": 1024, "NUM_WARPS": 8}, chips=["apple-m2*"]),
        triton.Config({"BLOCK_SIZE": 2048, "NUM_WARPS": 16}, chips=["apple-m[345]*"]),
    ]
)
def per_chip_kernel(x_ptr, out_ptr, n, BLOCK_SIZE: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK_SIZE + tl.arange(0, BLOCK_SIZE)
    mask = offsets < n
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=mask) * 2.0, mask=mask)


def coalesced(x, out, block=1024, device=None):
    """out = 2 x for contiguous fp32 vectors."""
    n = x.shape[0]
    return coalesced_kernel[(triton.cdiv(n, block),)](x, out, n, BLOCK=block, device=device)


def fused(x, y, out, block=1024, device=None):
    """out = 2 sin(x + y) for contiguous fp32 vectors, in one kernel."""
    n = x.shape[0]
    return fused_kernel[(triton.cdiv(n, block),)](x, y, out, n, BLOCK=block, device=device)


def unfused(x, y, out, block=1024, device=None):
    """The same in three kernels, which pass the intermediate results through `out`."""
    n = x.shape[0]
    grid = (triton.cdiv(n, block),)
    return tuple(step_kernel[grid](x if op == "add" else out, y, out, n, OP=op, BLOCK=block, device=device)
                 for op in ("add", "sin", "double"))


def relu_in_place(x, block=1024, device=None):
    """x = max(x, 0) for a contiguous vector of any float type."""
    n = x.shape[0]
    return in_place_kernel[(triton.cdiv(n, block),)](x, n, BLOCK=block, device=device)


def double(x, out, kernel=autotuned_kernel, device=None):
    """out = 2 x for contiguous fp32 vectors, in blocks that the kernel's configurations say."""
    n = x.shape[0]
    return kernel[lambda meta: (triton.cdiv(n, meta["BLOCK_SIZE"]),)](x, out, n, device=device)


def cases(device, rng):
    from cases import Case
    n = 4 * 1024 * 1024 if device == "cpu" else 100_003
    x, y = rng.standard_normal((2, n), dtype=np.float32)

    def torch_op(t):
        return lambda a, b: t.sin(a + b) * 2.0
    for name, function, arrays in (("2 sin(x + y), fused", fused, 3), ("2 sin(x + y), three kernels", unfused, 7)):
        out = np.empty_like(x)
        yield Case(name, device, f"{n}", out, run=lambda function=function, out=out: function(x, y, out, device=device),
                   numpy=lambda: 2 * np.sin(x + y), torch=torch_op, torch_args=(x, y), bytes=arrays * x.nbytes)
    half = x.astype(np.float16)
    changed = half.copy()
    yield Case("relu in place, fp16", device, f"{n}", changed, run=lambda: relu_in_place(changed, device=device),
               numpy=lambda: np.maximum(half, 0), torch=lambda t: t.relu, torch_args=(half,), bytes=2 * half.nbytes, tolerance=0.0)
    for name, function in (("2 x, coalesced", coalesced), ("2 x, autotuned", double),
                           ("2 x, block by chip", lambda *args, **options: double(*args, per_chip_kernel, **options))):
        out = np.empty_like(x)
        yield Case(name, device, f"{n}", out, run=lambda function=function, out=out: function(x, out, device=device),
                   numpy=lambda: 2 * x, torch=lambda t: lambda a: a * 2.0, torch_args=(x,), bytes=2 * x.nbytes, tolerance=0.0)


if __name__ == "__main__":
    from cases import main
    main(__file__)
