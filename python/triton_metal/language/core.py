"""The functions of the language that the front end implements, and its iterators.

A function here has the signature and the documentation; what it means is in lib/Frontend, found by its name.
"""

from __future__ import annotations

from .builtin import TRITON_BUILTIN, builtin, extern, is_builtin, must_use_result
from .shared import (_shared_atomic_add, _shared_atomic_and, _shared_atomic_cas, _shared_atomic_max, _shared_atomic_min,
                     _shared_atomic_or, _shared_atomic_xchg, _shared_atomic_xor, _shared_load, _shared_ptr, _shared_store, barrier,
                     shared_memory)
from .types import (CONSTEXPR_0, MAX_TENSOR_NUMEL, MemoryLayout, PropagateNan, _SCALARS, _constexpr_to_value,
                    _unwrap_if_constexpr, base_type, base_value, bfloat16, block_type, const, constexpr, constexpr_type,
                    dtype, float16, float32, float64,
                    float8e4b15, float8e4b8, float8e4nv, float8e5, float8e5b16, get_int_dtype, int1, int16, int32,
                    int64, int8, pi32_t, pointer_type, slice, str_to_ty, tensor, tuple, tuple_type, uint16, uint32, uint64,
                    uint8, void)


def _tensor_member_fn(fn):
    """Make a function a method of tensors too."""
    setattr(tensor, getattr(fn, "__name__"), fn)
    return fn


# ---------------------------------------------------------------------------------------------------------------------
# Programs, creation, casts
# ---------------------------------------------------------------------------------------------------------------------


@builtin
def program_id(axis, _semantic=None):
    """Index of this program along an axis (0, 1 or 2) of the grid."""


@builtin
def num_programs(axis, _semantic=None):
    """Size of the grid along an axis (0, 1 or 2)."""


@builtin
def arange(start, end, _semantic=None):
    """The integers from start up to end, as int32; their number is a power of two."""


@builtin
def full(shape, value, dtype, _semantic=None):
    """A tensor with one value in every element."""


@builtin
def to_tensor(x, _semantic=None):
    """A Python number as a scalar."""


@_tensor_member_fn
@builtin
def cast(input, dtype, fp_downcast_rounding=None, bitcast=False, _semantic=None):
    """The values in another type; or the same bits, with bitcast."""


@_tensor_member_fn
@builtin
def to(self, dtype, fp_downcast_rounding=None, bitcast=False, _semantic=None):
    """Alias of cast."""


# ---------------------------------------------------------------------------------------------------------------------
# Shape
# ---------------------------------------------------------------------------------------------------------------------


@builtin
def broadcast(input, other, _semantic=None):
    """Both tensors in one shape, by NumPy's rules."""


@_tensor_member_fn
@builtin
def broadcast_to(input, *shape, _semantic=None):
    """The tensor with its dimensions of size 1 repeated."""


@_tensor_member_fn
@builtin
def expand_dims(input, axis, _semantic=None):
    """New dimensions of size 1 at the axis, or axes, of the result."""


@_tensor_member_fn
@builtin
def reshape(input, *shape, can_reorder=False, _semantic=None):
    """The elements in row-major order in another shape."""


@_tensor_member_fn
@builtin
def view(input, *shape, _semantic=None):
    """Deprecated: reshape."""


@_tensor_member_fn
@builtin
def item(input, _semantic=None):
    """The only element of a tensor."""


@_tensor_member_fn
@builtin
def trans(input, *dims, _semantic=None):
    """The dimensions permuted; without an order, the last two swapped."""


@_tensor_member_fn
@builtin
def permute(input, *dims, _semantic=None):
    """The dimensions permuted."""


@builtin
def cat(input, other, can_reorder=False, dim=0, _semantic=None):
    """Two tensors one after the other along a dimension."""


@builtin
def join(a, b, _semantic=None):
    """Two tensors along a new minor dimension of size 2."""


@_tensor_member_fn
@builtin
def split(a, _semantic=None):
    """The two halves of a tensor along its last dimension, which has size 2."""


@_tensor_member_fn
@builtin
def gather(src, index, axis, _semantic=None):
    """The elements of src at index along an axis."""


# ---------------------------------------------------------------------------------------------------------------------
# Linear algebra
# ---------------------------------------------------------------------------------------------------------------------


@builtin
def dot(input, other, acc=None, input_precision=None, allow_tf32=None, max_num_imprecise_acc=None, out_dtype=None,
        _semantic=None):
    """The matrix product of two blocks, plus acc."""


@builtin
def dot_scaled(lhs, lhs_scale, lhs_format, rhs, rhs_scale, rhs_format, acc=None, fast_math=False, lhs_k_pack=True,
               rhs_k_pack=True, out_dtype=float32, _semantic=None):
    """The matrix product of microscaled blocks."""


# ---------------------------------------------------------------------------------------------------------------------
# Memory
# ---------------------------------------------------------------------------------------------------------------------


@builtin
def load(pointer, mask=None, other=None, boundary_check=(), padding_option="", cache_modifier="", eviction_policy="",
         volatile=False, layout=None, _semantic=None):
    """The values that pointers point to. Where mask is false nothing is read, and the value is other, or 0.

    layout: a MemoryLayout or its name, a hint for metal that never changes the values."""


@_tensor_member_fn
@builtin
def store(pointer, value, mask=None, boundary_check=(), cache_modifier="", eviction_policy="", layout=None, _semantic=None):
    """Store values through pointers; nothing where mask is false. layout: as in load."""


@builtin
def make_block_ptr(base, shape, strides, offsets, block_shape, order, _semantic=None):
    """A pointer to a tile of a larger tensor."""


@must_use_result("Note that tl.advance does not have any side effects. To move the block pointer, you need to assign the "
                 "result of tl.advance to a variable.")
@_tensor_member_fn
@builtin
def advance(base, offsets, _semantic=None):
    """A block pointer moved by offsets."""


@builtin
def make_tensor_descriptor(base, shape, strides, block_shape, padding_option="zero", _semantic=None):
    """A descriptor of a tensor in memory, whose tiles are loaded and stored with bounds checks."""


@builtin
def load_tensor_descriptor(desc, offsets, cache_modifier="", eviction_policy="", layout=None, _semantic=None):
    """The tile of a descriptor at offsets. layout: as in load."""


@builtin
def store_tensor_descriptor(desc, offsets, value, layout=None, _semantic=None):
    """Store a tile through a descriptor. layout: as in load."""


@builtin
def _descriptor_gather(desc, x_offsets, y_offset, _semantic=None):
    """The rows at x_offsets, from column y_offset on."""


@builtin
def _descriptor_scatter(desc, value, x_offsets, y_offset, _semantic=None):
    """Store rows at x_offsets, from column y_offset on."""


@builtin
def _descriptor_atomic_add(desc, offsets, value, _semantic=None):
    """Add a tile, atomically."""


@builtin
def _descriptor_atomic_min(desc, offsets, value, _semantic=None):
    """Minimum with a tile, atomically."""


@builtin
def _descriptor_atomic_max(desc, offsets, value, _semantic=None):
    """Maximum with a tile, atomically."""


@builtin
def _descriptor_atomic_and(desc, offsets, value, _semantic=None):
    """Bitwise and with a tile, atomically."""


@builtin
def _descriptor_atomic_or(desc, offsets, value, _semantic=None):
    """Bitwise or with a tile, atomically."""


@builtin
def _descriptor_atomic_xor(desc, offsets, value, _semantic=None):
    """Bitwise exclusive or with a tile, atomically."""


@_tensor_member_fn
@builtin
def atomic_add(pointer, val, mask=None, sem=None, scope=None, _semantic=None):
    """Add atomically; gives the old values."""


@_tensor_member_fn
@builtin
def atomic_max(pointer, val, mask=None, sem=None, scope=None, _semantic=None):
    """Maximum, atomically; gives the old values."""


@_tensor_member_fn
@builtin
def atomic_min(pointer, val, mask=None, sem=None, scope=None, _semantic=None):
    """Minimum, atomically; gives the old values."""


@_tensor_member_fn
@builtin
def atomic_and(pointer, val, mask=None, sem=None, scope=None, _semantic=None):
    """Bitwise and, atomically; gives the old values."""


@_tensor_member_fn
@builtin
def atomic_or(pointer, val, mask=None, sem=None, scope=None, _semantic=None):
    """Bitwise or, atomically; gives the old values."""


@_tensor_member_fn
@builtin
def atomic_xor(pointer, val, mask=None, sem=None, scope=None, _semantic=None):
    """Bitwise exclusive or, atomically; gives the old values."""


@_tensor_member_fn
@builtin
def atomic_xchg(pointer, val, mask=None, sem=None, scope=None, _semantic=None):
    """Exchange atomically; gives the old values."""


@_tensor_member_fn
@builtin
def atomic_cas(pointer, cmp, val, sem=None, scope=None, _semantic=None):
    """Store val where the memory equals cmp, atomically; gives the old values."""


@_tensor_member_fn
@builtin
def atomic_poll(pointer, expected_value, sem=None, scope=None, timeout_ns=None, _semantic=None):
    """Wait until the memory equals expected_value. Not supported: no device promises that another program goes on meanwhile."""


# ---------------------------------------------------------------------------------------------------------------------
# Arithmetic and selection
# ---------------------------------------------------------------------------------------------------------------------


@builtin
def where(condition, x, y, _semantic=None):
    """x where the condition holds, else y. Both are computed."""


@builtin
def add(x, y, sanitize_overflow=True, _semantic=None):
    """x + y."""


@builtin
def sub(x, y, sanitize_overflow=True, _semantic=None):
    """x - y."""


@builtin
def mul(x, y, sanitize_overflow=True, _semantic=None):
    """x * y."""


@builtin
def minimum(x, y, propagate_nan=PropagateNan.NONE, _semantic=None):
    """The smaller of two values, element by element."""


@builtin
def maximum(x, y, propagate_nan=PropagateNan.NONE, _semantic=None):
    """The larger of two values, element by element."""


@builtin
def clamp(x, min, max, propagate_nan=PropagateNan.NONE, _semantic=None):
    """x limited to the range from min to max."""


@builtin
def builtin_min(*args, propagate_nan=None, _semantic=None):
    """Python's min in a kernel."""


@builtin
def builtin_max(*args, propagate_nan=None, _semantic=None):
    """Python's max in a kernel."""


@_tensor_member_fn
@builtin
def logical_and(self, other, _semantic=None):
    """Both, of values of one bit."""


@_tensor_member_fn
@builtin
def logical_or(self, other, _semantic=None):
    """Either, of values of one bit."""


@builtin
def expect_zero(x, mask, _semantic=None):
    """x; in debug builds, asserts that it is 0 where mask is true."""


@builtin
def _promote_bfloat16_to_float32(t, _semantic=None):
    """bf16 as fp32, where the language's version computes in fp32."""


# ---------------------------------------------------------------------------------------------------------------------
# Reductions and scans
# ---------------------------------------------------------------------------------------------------------------------


@_tensor_member_fn
@builtin
def reduce(input, axis, combine_fn, keep_dims=False, _semantic=None):
    """Combine all elements along an axis by a jit function that is associative and commutative."""


@builtin
def _reduce_with_indices(input, axis, combine_fn, keep_dims=False, _semantic=None):
    """Combine values and their indices along an axis."""


@_tensor_member_fn
@builtin
def associative_scan(input, axis, combine_fn, reverse=False, _semantic=None):
    """All partial combinations along an axis by a jit function that is associative."""


@_tensor_member_fn
@builtin
def histogram(input, num_bins, mask=None, _semantic=None):
    """How often each of the numbers 0 .. num_bins-1 occurs."""


@builtin
def map_elementwise(scalar_fn, *args, pack=1, _semantic=None):
    """A scalar jit function, which may have control flow, applied to each element."""


# ---------------------------------------------------------------------------------------------------------------------
# Hints, debugging, foreign code
# ---------------------------------------------------------------------------------------------------------------------


@builtin
def aggregate_replace(aggregate, _semantic=None, **fields):
    """A copy of an aggregate with other values in these fields."""


@builtin
def multiple_of(input, values, _semantic=None):
    """x; the compiler may assume that its values are multiples of these."""


@builtin
def max_contiguous(input, values, _semantic=None):
    """x; the compiler may assume that so many neighbours are contiguous."""


@builtin
def max_constancy(input, values, _semantic=None):
    """x; the compiler may assume that so many neighbours are equal."""


@builtin
def assume(cond, _semantic=None):
    """The compiler may assume that this holds."""


@builtin
def debug_barrier(_semantic=None):
    """All of a program's memory operations before it are done before those after it."""


@builtin
def static_print(*values, sep=" ", end="\n", file=None, flush=False, _semantic=None):
    """Print while the kernel is compiled."""


@builtin
def static_assert(cond, msg="", _semantic=None):
    """Fail to compile unless this holds."""


@builtin
def device_print(prefix, *args, hex=False, _semantic=None):
    """Print values while the kernel runs; Python's print is this."""


@builtin
def device_assert(cond, msg="", mask=None, _semantic=None):
    """Fail while the kernel runs unless this holds, in debug builds; Python's assert is this."""


@builtin
def inline_asm_elementwise(asm, constraints, args, dtype, is_pure, pack, _semantic=None):
    """Assembly of the target, element by element. The CPU and Metal refuse it when the kernel is compiled."""


@builtin
def extern_elementwise(lib_name, lib_path, args, arg_type_symbol_dict, is_pure, _semantic=None):
    """A function of a device library, chosen by the exact types of its arguments."""


# ---------------------------------------------------------------------------------------------------------------------
# Iterators
# ---------------------------------------------------------------------------------------------------------------------


class _Iterator(base_value):

    def __iter__(self):
        raise RuntimeError(f"tl.{type(self).__name__} can only be used in @triton.jit'd functions")

    __next__ = __iter__


class static_range(_Iterator):
    """A range that is unrolled while the kernel is compiled."""

    def __init__(self, arg1, arg2=None, step=None):
        self.start, self.end = (0, arg1) if arg2 is None else (arg1, arg2)
        self.step = 1 if step is None else step


class range(_Iterator):
    """A range with options for the compiler; only loop_unroll_factor and disable_licm have an effect here."""

    def __init__(self, arg1, arg2=None, step=None, num_stages=None, loop_unroll_factor=None,
                 disallow_acc_multi_buffer=False, flatten=False, warp_specialize=False, disable_licm=False):
        self.start, self.end = (0, arg1) if arg2 is None else (arg1, arg2)
        self.step = 1 if step is None else step
        self.num_stages = num_stages
        self.loop_unroll_factor = loop_unroll_factor
        self.disallow_acc_multi_buffer = disallow_acc_multi_buffer
        self.flatten = flatten
        self.warp_specialize = warp_specialize
        self.disable_licm = disable_licm


class condition(base_value):
    """The condition of a `while`, with options for the compiler."""

    def __init__(self, arg1, disable_licm=False):
        self.condition = arg1
        self.disable_licm = disable_licm


def _aggregate(cls):
    """The name of triton.aggregate before Triton 3.6."""
    from ..runtime.aggregate import aggregate

    return aggregate(cls)
