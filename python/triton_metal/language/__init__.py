"""The language of kernels: `import triton_metal.language as tl`."""

from . import math, target_info
from .core import (MemoryLayout, PropagateNan, TRITON_BUILTIN, add, advance, aggregate_replace, arange, associative_scan, assume,
                   atomic_add, atomic_and, atomic_cas, atomic_max, atomic_min, atomic_or, atomic_poll, atomic_xchg, atomic_xor,
                   barrier, base_type, base_value, bfloat16,
                   block_type, broadcast, broadcast_to, cast, cat, clamp, condition, const, constexpr, constexpr_type,
                   debug_barrier, device_assert, device_print, dot, dot_scaled, dtype, expand_dims, expect_zero, float16,
                   float32, float64, float8e4b15, float8e4b8, float8e4nv, float8e5, float8e5b16, full, gather,
                   get_int_dtype, histogram, inline_asm_elementwise, int1, int16, int32, int64, int8, item, join, load,
                   load_tensor_descriptor, make_block_ptr, make_tensor_descriptor, map_elementwise, max_constancy,
                   max_contiguous, maximum, minimum, mul, multiple_of, num_programs, permute, pi32_t, pointer_type,
                   program_id, range, reduce, reshape, shared_memory, slice, split, static_assert, static_print, static_range, store,
                   store_tensor_descriptor, str_to_ty, sub, tensor, to_tensor, trans, tuple, tuple_type, uint16, uint32,
                   uint64, uint8, view, void, where)
from .math import (abs, ceil, cos, div_rn, erf, exp, exp2, fdiv, floor, fma, log, log2, rsqrt, sin, sqrt, sqrt_rn, umulhi)
from .random import (pair_uniform_to_normal, philox, philox_impl, rand, rand4x, randint, randint4x, randn, randn4x,
                     uint_to_uniform_float)
from .standard import (argmax, argmin, bitonic_merge, cdiv, cumprod, cumsum, flip, interleave, max, min, ravel, reduce_or,
                       sigmoid, softmax, sort, squeeze, sum, swizzle2d, topk, unsqueeze, xor_sum, zeros, zeros_like)

__all__ = [name for name in dir() if not name.startswith("_")]


def __getattr__(name: str):
    if name == "extra":  # on first use: few kernels need it, and it is long
        import importlib

        return importlib.import_module(".extra", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
