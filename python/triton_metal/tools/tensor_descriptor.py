"""Descriptions of arrays that are passed to kernels, which load and store blocks of them: `desc.load([i, j])`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


def _bytes_per_element(base) -> int:
    size = getattr(base, "element_size", None)
    return size() if size is not None else base.itemsize


def _address(base) -> int:
    return base.data_ptr() if hasattr(base, "data_ptr") else base.ctypes.data


@dataclass
class TensorDescriptor:
    """An array of 1 to 5 dimensions and the shape of the blocks that kernels move; the last dimension is contiguous."""

    base: Any
    shape: list[int]
    strides: list[int]
    block_shape: list[int]
    padding: str = "zero"
    round_f32_to_tf32: bool = False

    def __post_init__(self):
        rank = len(self.shape)
        assert 1 <= rank <= 5, f"a descriptor has 1 to 5 dimensions, not {rank}"
        assert len(self.strides) == rank, f"rank mismatch: {rank} dimensions and {len(self.strides)} strides"
        assert len(self.block_shape) == rank, f"rank mismatch: {rank} dimensions and a block of {len(self.block_shape)}"
        for size in self.block_shape:
            assert size > 0 and size & (size - 1) == 0, f"a block's dimensions are powers of two, not {size}"
        assert _address(self.base) % 16 == 0, "base must be 16-byte aligned"
        item = _bytes_per_element(self.base)
        for stride in self.strides[:-1]:
            assert stride * item % 16 == 0, f"strides must be 16-byte aligned: {stride} elements are {stride * item} bytes"
        for size in self.shape:
            assert size > 0, f"shape must be positive, not {list(self.shape)}"
        assert self.strides[-1] == 1, "Last dimension must be contiguous"
        assert self.padding in ("zero", "nan"), f"padding must be 'zero' or 'nan', not {self.padding!r}"
        if self.padding == "nan":
            assert "float" in str(self.base.dtype), "Padding option `nan` is only supported for floating point tensors"

    @staticmethod
    def from_tensor(tensor: Any, block_shape: list[int], padding: str = "zero", round_f32_to_tf32: bool = False):
        """The descriptor of a whole tensor."""
        strides = tensor.stride() if hasattr(tensor, "stride") else [size // tensor.itemsize for size in tensor.strides]
        return TensorDescriptor(tensor, list(tensor.shape), list(strides), block_shape, padding, round_f32_to_tf32)
