"""A launch that is not run: the compiled kernel, its block of parameters, its grid. What analyses of launches start from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from .. import _core
from ..compiler.compiler import CompiledKernel
from ..errors import LaunchError, UnknownArgument
from ..runtime.heuristics import Heuristics
from ..runtime.jit import KernelInterface, MockTensor


class Bound(NamedTuple):
    """What a launch hands to a device."""

    compiled: CompiledKernel
    #: The arguments as they are packed for the device, see `compiled.signature.offsets`: arrays as addresses, scalars by value.
    params: bytes
    #: Programs along each axis.
    grid: tuple[int, int, int]


def grid_text(grid: tuple, is_assumed: bool) -> str:
    """What reports say of the grid of a launch that is not run."""
    return f"grid ({', '.join(map(str, grid))})" + (", assumed: none was given" if is_assumed else "")


Grid = int | Sequence[int] | Callable[[dict], int | Sequence[int]]


def bind(kernel, args: Mapping | Sequence, grid: Grid | None = None, device: str | None = None, **options) -> Bound:
    """What `kernel[grid](*args, device=device, **options)` would run. Compiles where need be, and launches nothing.

    kernel: a jit function, with or without `autotune` and `heuristics` around it, or a CompiledKernel. A tuner contributes the
        configuration that it chose for these arguments, or, where it chose none so far, the first that fits; it makes no trials.
    args: by position, or a mapping by name; constexprs among them. A dtype of PyTorch stands for an array of it.
    grid: as for a launch; (1,) where it is None.
    device: "cpu" or "metal"; the current one where it is None.
    options: what the launch gets besides, such as num_warps, and arguments by name.

    Raises what the launch would raise for its arguments and for the compilation; UnknownArgument for `chip`, which is no option of a
    launch. Hooks are not called.
    """
    if "chip" in options and "chip" not in getattr(kernel, "arg_names", ()):
        raise UnknownArgument(
            "chip= is no option here: TRITON_METAL_CHIP or knobs.metal.chip chooses the chip that kernels are compiled for", "chip"
        )
    named = dict(args) if isinstance(args, Mapping) else {}
    positional = [] if isinstance(args, Mapping) else [MockTensor.wrap_dtype(value) for value in args]
    named = {name: MockTensor.wrap_dtype(value) for name, value in {**named, **options}.items()}
    grid = (1,) if grid is None else grid
    if isinstance(kernel, CompiledKernel):
        target = kernel.metadata.target
        if device not in (None, target):
            raise LaunchError(f"{kernel.name} is compiled for {target}, which device={device} is not", "device")
        return Bound(*kernel._launcher[grid]._bind(*positional, **named))
    launcher = kernel[grid] if isinstance(kernel, KernelInterface) else None
    while isinstance(kernel, Heuristics) and not isinstance(launcher, _core.Launcher):  # over a tuner whose keys it may compute
        for name, function in kernel.values.items():
            named[name] = function({**dict(zip(kernel.arg_names, positional)), **named})
        kernel = kernel.fn
        launcher = kernel[grid]
    if not isinstance(launcher, _core.Launcher):
        raise TypeError(f"{getattr(kernel, '__name__', kernel)!r} cannot be bound without a launch: only kernels made by `jit` can")
    if device is not None:
        named["device"] = device
    return Bound(*launcher._bind(*positional, **named))
