"""Library functions of the language that are written in the language."""

from __future__ import annotations

from ..runtime.jit import constexpr_function, jit
from . import core, math


@constexpr_function
def _log2(i):
    return (i | 1).bit_length() - 1


@constexpr_function
def _is_power_of_two(i):
    return i != 0 and (i & (i - 1)) == 0


_get_int_dtype = constexpr_function(core.get_int_dtype)


@core._tensor_member_fn
@jit
def cdiv(x, div):
    """x / div, rounded up."""
    return (x + (div - 1)) // div


@core._tensor_member_fn
@jit
def sigmoid(x):
    """1 / (1 + exp(-x))."""
    return 1 / (1 + math.exp(-x))


@core._tensor_member_fn
@jit
def softmax(x, dim=None, keep_dims=None, ieee_rounding=False):
    """Softmax along a dimension, by default the first. `keep_dims` has no effect: the shape is kept."""
    _dim: core.constexpr = 0 if dim is None else dim
    z = x - max(x, _dim, keep_dims=True)
    num = math.exp(z)
    den = sum(num, _dim, keep_dims=True)
    return math.fdiv(num, den, ieee_rounding)


@core._tensor_member_fn
@jit
def ravel(x, can_reorder=False):
    """The elements in one dimension."""
    return core.reshape(x, [x.numel], can_reorder=can_reorder)


@jit
def swizzle2d(i, j, size_i, size_j, size_g):
    """The indices of a row-major size_i x size_j matrix, as those of a matrix that is column-major within groups of size_g rows."""
    ij = i * size_j + j
    size_gj = size_g * size_j
    group_id = ij // size_gj
    off_i = group_id * size_g
    # The last group may have fewer rows.
    size_g = core.minimum(size_i - off_i, size_g)
    ij = ij % size_gj
    new_i = off_i + ij % size_g
    new_j = ij // size_g
    return new_i, new_j


@jit
def zeros(shape, dtype):
    """A tensor of zeros."""
    return core.full(shape, 0, dtype)


@jit
def zeros_like(input):
    """A tensor of zeros in the shape and type of another."""
    return zeros(input.shape, input.dtype)


# ---------------------------------------------------------------------------------------------------------------------
# Maximum and minimum. A NaN loses against everything, in whichever order a device combines.
# ---------------------------------------------------------------------------------------------------------------------


@jit
def _argmax_combine(value1, index1, value2, index2, tie_break_left):
    if tie_break_left:
        tie = value1 == value2 and index1 < index2
    else:
        tie = False
    gt = value1 > value2 or tie
    if value1.dtype.is_floating():
        gt = gt or value2 != value2
    v_ret = core.where(gt, value1, value2)
    i_ret = core.where(gt, index1, index2)
    return v_ret, i_ret


@jit
def _argmax_combine_tie_break_left(value1, index1, value2, index2):
    return _argmax_combine(value1, index1, value2, index2, True)


@jit
def _argmax_combine_tie_break_fast(value1, index1, value2, index2):
    return _argmax_combine(value1, index1, value2, index2, False)


@jit
def _elementwise_max(a, b):
    return core.maximum(a, b)


@jit
def _at_least_32_bits(input):
    if input.dtype.primitive_bitwidth < 32:
        if input.dtype.is_floating():
            return input.to(core.float32)
        core.static_assert(input.dtype.is_int(), "Expecting input to be integer type")
        return input.to(core.int32)
    return input


@core._tensor_member_fn
@jit
def max(input, axis=None, return_indices=False, return_indices_tie_break_left=True, keep_dims=False):
    """Maximum along an axis, of all elements by default; with its index where return_indices."""
    input = core._promote_bfloat16_to_float32(input)
    if return_indices:
        if return_indices_tie_break_left:
            return core._reduce_with_indices(input, axis, _argmax_combine_tie_break_left, keep_dims=keep_dims)
        else:
            return core._reduce_with_indices(input, axis, _argmax_combine_tie_break_fast, keep_dims=keep_dims)
    else:
        return core.reduce(_at_least_32_bits(input), axis, _elementwise_max, keep_dims=keep_dims)


@core._tensor_member_fn
@jit
def argmax(input, axis, tie_break_left=True, keep_dims=False):
    """Index of the maximum along an axis."""
    _, ret = max(input, axis, return_indices=True, return_indices_tie_break_left=tie_break_left, keep_dims=keep_dims)
    return ret


@jit
def _argmin_combine(value1, index1, value2, index2, tie_break_left):
    if tie_break_left:
        tie = value1 == value2 and index1 < index2
    else:
        tie = False
    lt = value1 < value2 or tie
    if value1.dtype.is_floating():
        lt = lt or value2 != value2
    value_ret = core.where(lt, value1, value2)
    index_ret = core.where(lt, index1, index2)
    return value_ret, index_ret


@jit
def _argmin_combine_tie_break_left(value1, index1, value2, index2):
    return _argmin_combine(value1, index1, value2, index2, True)


@jit
def _argmin_combine_tie_break_fast(value1, index1, value2, index2):
    return _argmin_combine(value1, index1, value2, index2, False)


@jit
def _elementwise_min(a, b):
    return core.minimum(a, b)


@core._tensor_member_fn
@jit
def min(input, axis=None, return_indices=False, return_indices_tie_break_left=True, keep_dims=False):
    """Minimum along an axis, of all elements by default; with its index where return_indices."""
    input = core._promote_bfloat16_to_float32(input)
    if return_indices:
        if return_indices_tie_break_left:
            return core._reduce_with_indices(input, axis, _argmin_combine_tie_break_left, keep_dims=keep_dims)
        else:
            return core._reduce_with_indices(input, axis, _argmin_combine_tie_break_fast, keep_dims=keep_dims)
    else:
        return core.reduce(_at_least_32_bits(input), axis, _elementwise_min, keep_dims=keep_dims)


@core._tensor_member_fn
@jit
def argmin(input, axis, tie_break_left=True, keep_dims=False):
    """Index of the minimum along an axis."""
    _, ret = min(input, axis, return_indices=True, return_indices_tie_break_left=tie_break_left, keep_dims=keep_dims)
    return ret


# ---------------------------------------------------------------------------------------------------------------------
# Sums and scans
# ---------------------------------------------------------------------------------------------------------------------


@jit
def _sum_combine(a, b):
    return a + b


@constexpr_function
def _pick_sum_dtype(in_dtype, dtype):
    if dtype is not None:
        return dtype
    # Integers narrower than 32 bits are summed in 32 bits of the same sign.
    if in_dtype.is_int_signed():
        return core.int32 if in_dtype.int_bitwidth < 32 else None
    if in_dtype.is_int_unsigned():
        return core.uint32 if in_dtype.int_bitwidth < 32 else None
    return None


@core._tensor_member_fn
@jit
def sum(input, axis=None, keep_dims=False, dtype: core.constexpr = None):
    """Sum along an axis, of all elements by default."""
    out_dtype: core.constexpr = _pick_sum_dtype(input.dtype, dtype)
    if out_dtype is not None:
        input = input.to(out_dtype)
    return core.reduce(input, axis, _sum_combine, keep_dims=keep_dims)


@jit
def _xor_combine(a, b):
    return a ^ b


@core._tensor_member_fn
@jit
def xor_sum(input, axis=None, keep_dims=False):
    """Exclusive or along an axis, of all elements by default."""
    core.static_assert(input.type.scalar.is_int(), "xor_sum only supported for integers")
    return core.reduce(input, axis, _xor_combine, keep_dims=keep_dims)


@jit
def _or_combine(x, y):
    return x | y


@core._tensor_member_fn
@jit
def reduce_or(input, axis=None, keep_dims=False):
    """Bitwise or along an axis, of all elements by default."""
    core.static_assert(input.type.scalar.is_int(), "reduce_or only supported for integers")
    return core.reduce(input, axis, _or_combine, keep_dims=keep_dims)


@core._tensor_member_fn
@jit
def cumsum(input, axis=0, reverse=False, dtype: core.constexpr = None):
    """Sums of all elements up to each, along an axis."""
    input = core._promote_bfloat16_to_float32(input)
    out_dtype: core.constexpr = _pick_sum_dtype(input.dtype, dtype)
    if out_dtype is not None:
        input = input.to(out_dtype)
    return core.associative_scan(input, axis, _sum_combine, reverse)


@jit
def _prod_combine(a, b):
    return a * b


@core._tensor_member_fn
@jit
def cumprod(input, axis=0, reverse=False, dtype: core.constexpr = None):
    """Products of all elements up to each, along an axis."""
    input = core._promote_bfloat16_to_float32(input)
    if dtype is not None:
        input = input.to(dtype)
    return core.associative_scan(input, axis, _prod_combine, reverse)


# ---------------------------------------------------------------------------------------------------------------------
# Sorting: a bitonic network on a hypercube of dimensions of size 2
# ---------------------------------------------------------------------------------------------------------------------


@jit
def _indicator(n_dims: core.constexpr, j: core.constexpr):
    ar = core.arange(0, 2)
    return core.reshape(ar, [1] * (n_dims - j - 1) + [2] + [1] * j)


@jit
def _compare_and_swap(x, flip, i: core.constexpr):
    # The partner along the i-th dimension from the right: x ^ (x ^ partner), by bits.
    n_dims: core.constexpr = _log2(x.numel)
    idtype: core.constexpr = _get_int_dtype(bitwidth=x.dtype.primitive_bitwidth, signed=True)
    ix = x.to(idtype, bitcast=True)
    iy = ix ^ xor_sum(ix, n_dims - 1 - i, True)
    y = iy.to(x.dtype, bitcast=True)
    is_right = _indicator(n_dims, i)
    return core.where((x > y) != (flip ^ is_right), y, x)


@jit
def _bitonic_merge_hypercube(x, stage: core.constexpr, order: core.constexpr):
    # order: 0 ascending, 1 descending, 2 alternating.
    if order == 2:
        flip = _indicator(_log2(x.numel), stage)
    else:
        flip = order
    for i in core.static_range(stage):
        x = _compare_and_swap(x, flip, stage - 1 - i)
    return x


@jit
def _bitonic_merge(x, stage: core.constexpr, order: core.constexpr, n_dims: core.constexpr):
    h = core.reshape(x, [2] * _log2(x.numel))
    h = _bitonic_merge_hypercube(h, stage, order)
    return core.reshape(h, x.shape)


@jit
def sort_impl(x, k: core.constexpr = None, dim: core.constexpr = None, descending: core.constexpr = core.CONSTEXPR_0):
    """Sort along the last dimension and keep the first k elements."""
    _dim: core.constexpr = len(x.shape) - 1 if dim is None else dim
    core.static_assert(_dim == len(x.shape) - 1, "only minor dimension is currently supported")
    log_n: core.constexpr = _log2(x.shape[_dim])
    log_k: core.constexpr = log_n if k is None else _log2(k)
    n_dims: core.constexpr = _log2(x.numel)
    h = core.reshape(x, [2] * n_dims if n_dims else [1])

    for i in core.static_range(1, log_k + 1):
        h = _bitonic_merge_hypercube(h, i, 2 if i < log_n else descending)

    # https://www.doc.ic.ac.uk/~hlgr/pdfs/MassivelyParallelTopK.pdf
    for i in core.static_range(log_k + 1, log_n + 1):
        h = _halve(h, _log2(h.numel) - 1 - log_k, descending)
        h = _bitonic_merge_hypercube(h, log_k, 2 if i < log_n else descending)

    return core.reshape(h, x.shape[:-1] + [2**log_k])


@jit
def _halve(h, axis: core.constexpr, descending: core.constexpr):
    r = max(h, axis=axis) if descending else min(h, axis=axis)
    # Of one element only a scalar is left.
    return core.reshape(r, [1]) if len(h.shape) == 1 else r


@core._tensor_member_fn
@jit
def sort(x, dim: core.constexpr = None, descending: core.constexpr = core.CONSTEXPR_0):
    """Sort along the last dimension."""
    return sort_impl(x, dim=dim, descending=descending)


@jit
def topk(x, k: core.constexpr, dim: core.constexpr = None, descending: core.constexpr = True):
    """The k largest elements (smallest, if not descending) along the last dimension, in order."""
    core.static_assert(k > 0, "topk needs k > 0")
    core.static_assert(_is_power_of_two(k), "topk needs a k that is a power of two")
    core.static_assert(k <= x.shape[-1], "topk needs a k that is not larger than the dimension")
    return sort_impl(x, k=k, dim=dim, descending=descending)


@jit
def bitonic_merge(x, dim: core.constexpr = None, descending: core.constexpr = core.CONSTEXPR_0):
    """Sort a bitonic sequence along the last dimension."""
    _dim: core.constexpr = len(x.shape) - 1 if dim is None else dim
    core.static_assert(_dim == len(x.shape) - 1, "only minor dimension is currently supported")
    n_dims: core.constexpr = _log2(x.shape[-1])
    return _bitonic_merge(x, n_dims, descending, n_dims)


@constexpr_function
def _get_flip_dim(dim, shape):
    dim = len(shape) - 1 if dim is None else dim
    return dim + len(shape) if dim < 0 else dim


@core._tensor_member_fn
@jit
def flip(x, dim=None):
    """The elements in reverse order along a dimension, by default the last."""
    core.static_assert(dim is None or (-len(x.shape) <= dim and dim < len(x.shape)), "flip: the dimension is out of range")
    _dim: core.constexpr = _get_flip_dim(dim, x.shape)
    steps: core.constexpr = _log2(x.shape[_dim])
    # Each dimension of size 2 is swapped by x ^ (x ^ partner), by bits.
    idtype: core.constexpr = _get_int_dtype(bitwidth=x.dtype.primitive_bitwidth, signed=True)
    y = core.reshape(x.to(idtype, bitcast=True), x.shape[:_dim] + [2] * steps + x.shape[_dim + 1:])
    for i in core.static_range(steps):
        y = y ^ xor_sum(y, _dim + i, True)
    return core.reshape(y, x.shape).to(x.dtype, bitcast=True)


@jit
def interleave(a, b):
    """The elements of two tensors alternating along the last dimension."""
    c = core.join(a, b)
    if len(c.shape) == 1:
        return c
    else:
        return core.reshape(c, c.shape[:-2] + [2 * c.shape[-2]])


@constexpr_function
def _wrap_dim(dim, rank):
    if not -rank <= dim < rank:
        raise ValueError(f"invalid dimension {dim}, expected {-rank} <= dim < {rank}")
    return dim + rank if dim < 0 else dim


@jit
def squeeze(x, dim: core.constexpr):
    """The tensor without a dimension of size 1."""
    _dim: core.constexpr = _wrap_dim(dim, len(x.shape))
    core.static_assert(x.shape[_dim] == 1)
    return x.reshape(x.shape[:_dim] + x.shape[_dim + 1:])


@jit
def unsqueeze(x, dim: core.constexpr):
    """The tensor with a new dimension of size 1."""
    _dim: core.constexpr = _wrap_dim(dim, len(x.shape) + 1)
    return x.reshape(x.shape[:_dim] + (1, ) + x.shape[_dim:])
