"""libdevice's functions of classes, rounding, integers and bits, and the checks that all of its functions share."""

from __future__ import annotations

from ...runtime.jit import constexpr_function, jit
from .. import core, math


@constexpr_function
def _check_floats(*dtypes):
    if any(dtype not in (core.float32, core.float64) for dtype in dtypes) or len(set(dtypes)) != 1:
        given = ", ".join(str(dtype) for dtype in dtypes)
        raise ValueError(f"input arg type does not match. Expect fp32 or fp64, all of one type, got ({given})")
    return True


@constexpr_function
def _check_ints(dtype, *widths):
    if not dtype.is_int() or dtype.primitive_bitwidth not in widths:
        raise ValueError(f"input arg type does not match. Expect an integer of {' or '.join(map(str, widths))} bits, got {dtype}")
    return True


@constexpr_function
def _bits_type(dtype):
    return core.int32 if dtype.primitive_bitwidth == 32 else core.int64


@constexpr_function
def _sign_bit(dtype):
    return -(2 ** (dtype.primitive_bitwidth - 1))


@constexpr_function
def _mantissa_bits(dtype):
    return 23 if dtype.primitive_bitwidth == 32 else 52


@constexpr_function
def _pick(dtype, single, double):
    return single if dtype.primitive_bitwidth == 32 else double


@jit
def _float(x):
    y = core.to_tensor(x)
    core.static_assert(_check_floats(y.dtype))
    return y


@jit
def _constant(value: core.constexpr, dtype: core.constexpr):
    """A number as a scalar of this type; where numbers stand alone or are strong, they would be fp32."""
    return core.full((), value, dtype)


@jit
def _bits(x):
    return x.to(_bits_type(x.dtype), bitcast=True)


# ---------------------------------------------------------------------------------------------------------------------
# Classes, signs, rounding
# ---------------------------------------------------------------------------------------------------------------------


@jit
def isnan(x):
    """Whether x is not a number."""
    x = _float(x)
    return x != x


@jit
def isinf(x):
    """Whether x is infinite."""
    return math.abs(_float(x)) == float("inf")


@jit
def finitef(x):
    """Whether x is neither infinite nor NaN."""
    return math.abs(_float(x)) < float("inf")


@jit
def isfinited(x):
    """Whether x is neither infinite nor NaN."""
    return math.abs(_float(x)) < float("inf")


@jit
def signbit(x):
    """Whether the sign bit is set, also that of -0.0 and NaN."""
    return _bits(_float(x)) < 0


@jit
def copysign(x, y):
    """The magnitude of x with the sign of y."""
    x = _float(x)
    y = _float(y)
    core.static_assert(_check_floats(x.dtype, y.dtype))
    sign: core.constexpr = _sign_bit(x.dtype)
    return ((_bits(x) & ~sign) | (_bits(y) & sign)).to(x.dtype, bitcast=True)


@jit
def abs(x):
    """Absolute value."""
    return math.abs(core.to_tensor(x))


@jit
def floor(x):
    """The largest integer that is not greater."""
    return math.floor(_float(x))


@jit
def ceil(x):
    """The smallest integer that is not less."""
    return math.ceil(_float(x))


@jit
def trunc(x):
    """x without its fraction."""
    x = _float(x)
    return copysign(math.floor(math.abs(x)), x)


@jit
def rint(x):
    """The nearest integer, the even one of two."""
    x = _float(x)
    a = math.abs(x)
    f = math.floor(a)
    d = a - f
    odd = f - 2.0 * math.floor(f * 0.5) == 1.0
    up = (d > 0.5) | ((d == 0.5) & odd)
    return copysign(core.where(up, f + 1.0, f), x)


@jit
def nearbyint(x):
    """The nearest integer, the even one of two."""
    return rint(x)


@jit
def round(x):
    """The nearest integer, of two the one farther from zero."""
    x = _float(x)
    a = math.abs(x)
    f = math.floor(a)
    return copysign(core.where(a - f >= 0.5, f + 1.0, f), x)


@jit
def llrint(x):
    """The nearest integer, the even one of two, as int64."""
    return rint(x).to(core.int64)


@jit
def llround(x):
    """The nearest integer, of two the one farther from zero, as int64."""
    return round(x).to(core.int64)


@jit
def saturatef(x):
    """x limited to 0 .. 1; 0 for NaN."""
    x = _float(x)
    return core.where(x > 0.0, core.where(x < 1.0, x, 1.0), 0.0)


@jit
def fdim(x, y):
    """x - y where that is positive, else 0."""
    x = _float(x)
    y = _float(y)
    return core.where(x > y, x - y, core.where((x != x) | (y != y), x + y, 0.0))


@jit
def fmod(x, y):
    """Remainder of x / y with the sign of x, exact."""
    x = _float(x)
    y = _float(y)
    core.static_assert(_check_floats(x.dtype, y.dtype))
    return x % y


# ---------------------------------------------------------------------------------------------------------------------
# Integers and bits
# ---------------------------------------------------------------------------------------------------------------------


@jit
def popc(x):
    """Number of bits set in a 32-bit or 64-bit integer, as int32."""
    x = core.to_tensor(x)
    core.static_assert(_check_ints(x.dtype, 32, 64))
    if x.dtype.primitive_bitwidth == 64:
        u = x.to(core.uint64, bitcast=True)
        return popc(u.to(core.uint32)) + popc((u >> 32).to(core.uint32))
    else:
        u = x.to(core.uint32, bitcast=True)
        u = u - ((u >> 1) & 0x55555555)
        u = (u & 0x33333333) + ((u >> 2) & 0x33333333)
        u = (u + (u >> 4)) & 0x0F0F0F0F
        return ((u * 0x01010101) >> 24).to(core.int32)


@jit
def clz(x):
    """Number of zeros before the first bit set, as int32."""
    x = core.to_tensor(x)
    core.static_assert(_check_ints(x.dtype, 32, 64))
    width: core.constexpr = x.dtype.primitive_bitwidth
    unsigned: core.constexpr = core.uint32 if width == 32 else core.uint64
    u = x.to(unsigned, bitcast=True)
    u |= u >> 1
    u |= u >> 2
    u |= u >> 4
    u |= u >> 8
    u |= u >> 16
    if width == 64:
        u |= u >> 32
    return width - popc(u)


@jit
def ffs(x):
    """Position of the least bit set, counted from 1; 0 for 0; as int32."""
    x = core.to_tensor(x)
    core.static_assert(_check_ints(x.dtype, 32, 64))
    return core.where(x == 0, 0, popc(x ^ (x - 1)))


@jit
def brev(x):
    """The bits of a 32-bit integer in reverse order."""
    x = core.to_tensor(x)
    core.static_assert(_check_ints(x.dtype, 32))
    u = x.to(core.uint32, bitcast=True)
    u = ((u >> 1) & 0x55555555) | ((u & 0x55555555) << 1)
    u = ((u >> 2) & 0x33333333) | ((u & 0x33333333) << 2)
    u = ((u >> 4) & 0x0F0F0F0F) | ((u & 0x0F0F0F0F) << 4)
    u = ((u >> 8) & 0x00FF00FF) | ((u & 0x00FF00FF) << 8)
    return ((u >> 16) | (u << 16)).to(x.dtype, bitcast=True)


@jit
def float_as_int(x):
    """The bits of an fp32."""
    return core.to_tensor(x).to(core.int32, bitcast=True)


@jit
def int_as_float(x):
    """The fp32 with these bits."""
    return core.to_tensor(x).to(core.float32, bitcast=True)


@jit
def float_as_uint(x):
    """The bits of an fp32."""
    return core.to_tensor(x).to(core.uint32, bitcast=True)


@jit
def uint_as_float(x):
    """The fp32 with these bits."""
    return core.to_tensor(x).to(core.float32, bitcast=True)


@jit
def double_as_longlong(x):
    """The bits of an fp64."""
    return core.to_tensor(x).to(core.int64, bitcast=True)


@jit
def longlong_as_double(x):
    """The fp64 with these bits."""
    return core.to_tensor(x).to(core.float64, bitcast=True)


@jit
def float2int_rz(x):
    """fp32 to int32, toward zero."""
    return _float(x).to(core.int32)


@jit
def float2int_rn(x):
    """fp32 to int32, to the nearest."""
    return rint(x).to(core.int32)


@jit
def float2int_rd(x):
    """fp32 to int32, down."""
    return math.floor(_float(x)).to(core.int32)


@jit
def float2int_ru(x):
    """fp32 to int32, up."""
    return math.ceil(_float(x)).to(core.int32)


@jit
def int2float_rn(x):
    """int32 to fp32, to the nearest."""
    return core.to_tensor(x).to(core.float32)
