"""The functions of NVIDIA's libdevice, written in the language, so that they mean the same on every device.

Arguments are fp32 or fp64 as there, and Python's numbers count as fp32. Errors are a few ulp unless the function says otherwise;
those that libdevice has and this file has not are refused by name where a kernel calls them.
"""

from __future__ import annotations

from ...runtime.jit import jit
from .. import core, math
from ..builtin import builtin
from ._bits import (abs, _bits, _bits_type, brev, ceil, _check_floats, _check_ints, clz, _constant, copysign,
                    double_as_longlong, fdim, ffs, finitef, _float, float2int_rd, float2int_rn, float2int_ru,
                    float2int_rz, float_as_int, float_as_uint, floor, fmod, int2float_rn, int_as_float, isfinited,
                    isinf, isnan, llrint, llround, longlong_as_double, _mantissa_bits, nearbyint, _pick, popc, rint,
                    round, saturatef, _sign_bit, signbit, trunc, uint_as_float)  # noqa: F401

# ---------------------------------------------------------------------------------------------------------------------
# Arithmetic
# ---------------------------------------------------------------------------------------------------------------------


@jit
def fma(x, y, z):
    """x * y + z, rounded once."""
    return math.fma(_float(x), _float(y), _float(z))


@jit
def sqrt(x):
    """Square root."""
    return math.sqrt(_float(x))


@jit
def rsqrt(x):
    """1 / sqrt(x)."""
    return math.rsqrt(_float(x))


@jit
def rsqrt_rn(x):
    """1 / sqrt(x)."""
    return math.rsqrt(_float(x))


@jit
def sqrt_rn(x):
    """Square root, correctly rounded."""
    return math.sqrt_rn(_float(x))


@jit
def div_rn(x, y):
    """x / y, correctly rounded."""
    return math.div_rn(_float(x), _float(y))


@jit
def div_rz(x, y):
    """x / y, rounded toward zero; fp32."""
    x = _float(x)
    y = _float(y)
    q = math.div_rn(x, y)
    rest = math.fma(-q, y, x)  # exact: its sign says on which side of the true quotient q lies
    beyond = (rest != 0.0) & ((rest < 0.0) != (x < 0.0)) & (math.abs(q) < float("inf"))
    finite = (math.abs(x) < float("inf")) & (y != 0.0) & (math.abs(q) == float("inf"))
    return (_bits(q) - (beyond | finite).to(core.int32)).to(x.dtype, bitcast=True)


@jit
def fast_dividef(x, y):
    """x / y."""
    return _float(x) / _float(y)


@jit
def rcp_rn(x):
    """1 / x, correctly rounded."""
    x = _float(x)
    return math.div_rn(core.full(x.shape, 1.0, x.dtype), x)


@jit
def hypot(x, y):
    """sqrt(x*x + y*y) without overflow in between."""
    x = math.abs(_float(x))
    y = math.abs(_float(y))
    high = core.maximum(x, y)
    low = core.minimum(x, y)
    ratio = core.where(high > 0.0, low / high, 0.0)
    h = high * math.sqrt(1.0 + ratio * ratio)
    h = core.where((x != x) | (y != y), x + y, h)
    return core.where((x == float("inf")) | (y == float("inf")), float("inf"), h)


# ---------------------------------------------------------------------------------------------------------------------
# Exponentials and logarithms
# ---------------------------------------------------------------------------------------------------------------------


@jit
def exp(x):
    """e to the power of x."""
    return math.exp(_float(x))


@jit
def exp2(x):
    """2 to the power of x."""
    return math.exp2(_float(x))


@jit
def exp10(x):
    """10 to the power of x."""
    x = _float(x)
    high = _constant(_pick(x.dtype, 3.321928024291992, 3.321928094887362), x.dtype)
    low = _constant(_pick(x.dtype, 7.059537093306e-08, 1.661617516973592e-16), x.dtype)
    whole = rint(x * high)
    y = math.exp2(math.fma(x, high, -whole) + x * low)
    y = core.where(math.abs(x) < 400.0, ldexp(y, core.clamp(whole, -3000.0, 3000.0).to(core.int32)), math.exp2(x * high))
    return y


@jit
def expm1(x):
    """exp(x) - 1, also near 0."""
    x = _float(x)
    u = math.exp(x)
    v = u - 1.0
    near = core.where(u == 1.0, x, v * (x / math.log(core.where(u == 1.0, 2.0, u))))
    return core.where(math.abs(x) < 1.0, near, v)


@jit
def log(x):
    """Natural logarithm."""
    return math.log(_float(x))


@jit
def log2(x):
    """Logarithm to base 2."""
    return math.log2(_float(x))


@jit
def log10(x):
    """Logarithm to base 10."""
    return math.log(_float(x)) * 0.4342944819032518


@jit
def log1p(x):
    """log(1 + x), also near 0."""
    x = _float(x)
    u = 1.0 + x
    near = math.log(u) * (x / core.where(u == 1.0, 1.0, u - 1.0))
    return core.where(u == 1.0, x, core.where(math.abs(x) < 1.0, near, math.log(u)))


@jit
def ilogb(x):
    """The exponent of x, as int32; of 0, infinity and NaN what C says."""
    x = _float(x)
    width: core.constexpr = _mantissa_bits(x.dtype)
    scale: core.constexpr = 2.0 ** width
    bias: core.constexpr = _pick(x.dtype, 127, 1023)
    mask: core.constexpr = 2 * bias + 1
    small = (_bits(x) >> width) & mask == 0
    y = core.where(small, x * scale, x)
    exponent = ((_bits(y) >> width) & mask).to(core.int32) - bias - core.where(small, width, 0)
    exponent = core.where(x == 0.0, -2147483648, exponent)
    return core.where(math.abs(x) < float("inf"), exponent, core.where(x != x, -2147483648, 2147483647))


@jit
def logb(x):
    """The exponent of x, as a float."""
    x = _float(x)
    e = ilogb(x).to(x.dtype)
    e = core.where(x == 0.0, -float("inf"), e)
    return core.where(math.abs(x) < float("inf"), e, x * x)


@jit
def _power_of_two(n, dtype: core.constexpr):
    width: core.constexpr = _mantissa_bits(dtype)
    bias: core.constexpr = _pick(dtype, 127, 1023)
    return ((n + bias).to(_bits_type(dtype)) << width).to(dtype, bitcast=True)


@jit
def ldexp(x, n):
    """x times 2 to the power of n, an int32."""
    x = _float(x)
    n = core.to_tensor(n)
    core.static_assert(_check_ints(n.dtype, 32))
    least: core.constexpr = _pick(x.dtype, -300, -2200)
    part: core.constexpr = _pick(x.dtype, 100, 1000)
    n = core.where(n < least, least, core.where(n > -least, -least, n))
    # In three steps, none of which leaves the range of normal powers; the least comes last, so that it rounds once.
    first = core.where(n > part, part, core.where(n < -part, -part, n))
    n = n - first
    second = core.where(n > part, part, core.where(n < -part, -part, n))
    return x * _power_of_two(first, x.dtype) * _power_of_two(second, x.dtype) * _power_of_two(n - second, x.dtype)


@jit
def scalbn(x, n):
    """x times 2 to the power of n, an int32."""
    return ldexp(x, n)


@jit
def pow(x, y):
    """x to the power of y, as C's pow; y may be an int32."""
    x = _float(x)
    y = core.to_tensor(y)
    if y.dtype.is_int():
        y = y.to(x.dtype)
    core.static_assert(_check_floats(x.dtype, y.dtype))
    width: core.constexpr = _mantissa_bits(x.dtype)
    terms: core.constexpr = _pick(x.dtype, 6, 12)
    # 2 / log(2) in two parts.
    inverse_high = _constant(_pick(x.dtype, 2.885390043258667, 2.8853900817779268), x.dtype)
    inverse_low = _constant(_pick(x.dtype, 3.851925967634e-08, 4.0710547481862066e-17), x.dtype)
    a = math.abs(x)
    e = ilogb(a)
    usable = (a > 0.0) & (a < float("inf"))
    m = ldexp(core.where(usable, a, 1.0), core.where(usable, -e, 0))
    half = m > 1.4142135
    m = core.where(half, m * 0.5, m)
    e = (core.where(usable, e, 0) + half.to(core.int32)).to(x.dtype)
    # log2(m) = 2/log(2) * (s + s^3/3 + ...), s = (m-1)/(m+1), where s is carried in two parts.
    top = m - 1.0
    bottom = m + 1.0
    lost = m - (bottom - 1.0)
    s = top / bottom
    rest = (math.fma(-s, bottom, top) - s * lost) / bottom
    z = s * s
    series = core.full(x.shape, 1.0 / (2 * terms + 1), x.dtype)
    for i in core.static_range(terms - 1, 0, -1):
        series = series * z + 1.0 / (2 * i + 1)
    tail = s * z * series + rest
    high = s * inverse_high
    low = math.fma(s, inverse_high, -high) + s * inverse_low + tail * inverse_high
    total = e + high
    low = (core.where(e == 0.0, 0.0, high - (total - e))) + low
    # y * (total + low), again in two parts, then 2 to that power.
    product = y * total
    error = math.fma(y, total, -product) + y * low
    whole = rint(product)
    limit: core.constexpr = _pick(x.dtype, 300.0, 2200.0)
    whole = core.where(whole > limit, limit, core.where(whole < -limit, -limit, whole))
    fraction = product - whole + error
    fraction = core.where(fraction > 2.0, 2.0, core.where(fraction < -2.0, -2.0, fraction))
    scale = core.where(whole == whole, whole, 0.0).to(core.int32)
    result = ldexp(math.exp2(core.where(fraction == fraction, fraction, 0.0)), scale)
    # Where x is 0 or infinite the power is one of these by the sign of y.
    zero = _constant(0.0, x.dtype)
    ends = core.where((a == 0.0) == (y > 0.0), zero, float("inf"))
    result = core.where(usable, result, ends)
    far = math.abs(y) == float("inf")
    result = core.where(far & usable, core.where(a == 1.0, 1.0, core.where((a > 1.0) == (y > 0.0), float("inf"), zero)), result)
    integral = math.floor(y) == y
    odd = integral & (y - 2.0 * math.floor(y * 0.5) == 1.0)
    negative = _bits(x) < 0
    result = core.where(negative & odd, -result, result)
    result = core.where((x < 0.0) & (a < float("inf")) & (integral == 0), float("nan"), result)
    result = core.where((x != x) | (y != y), float("nan"), result)
    return core.where((y == 0.0) | (x == 1.0), 1.0, result)


@jit
def cbrt(x):
    """Cube root."""
    x = _float(x)
    a = math.abs(x)
    plain = (a > 0.0) & (a < float("inf"))
    y = math.exp2(math.log2(core.where(plain, a, 1.0)) / 3.0)
    y = y - (y - a / (y * y)) / 3.0
    return copysign(core.where(plain, y, a), x)


# ---------------------------------------------------------------------------------------------------------------------
# Hyperbolic and trigonometric functions, erf
# ---------------------------------------------------------------------------------------------------------------------


@jit
def erf(x):
    """Error function."""
    return math.erf(_float(x))


@jit
def sin(x):
    """Sine."""
    return math.sin(_float(x))


@jit
def cos(x):
    """Cosine."""
    return math.cos(_float(x))


@jit
def tan(x):
    """Tangent."""
    x = _float(x)
    return math.sin(x) / math.cos(x)


@jit
def tanh(x):
    """Hyperbolic tangent."""
    x = _float(x)
    a = math.abs(x)
    t = expm1(-2.0 * a)
    return copysign(core.where(a != a, a, -t / (t + 2.0)), x)


@jit
def sinh(x):
    """Hyperbolic sine."""
    x = _float(x)
    a = math.abs(x)
    t = expm1(a)
    e = math.exp(a * 0.5)
    return copysign(core.where(a < 1.0, 0.5 * (t + t / (t + 1.0)), (0.5 * e) * e - 0.5 / (e * e)), x)


@jit
def cosh(x):
    """Hyperbolic cosine."""
    e = math.exp(math.abs(_float(x)) * 0.5)
    return (0.5 * e) * e + 0.5 / (e * e)


@jit
def asinh(x):
    """Inverse hyperbolic sine."""
    x = _float(x)
    a = math.abs(x)
    big: core.constexpr = _pick(x.dtype, 1e10, 1e150)
    s = core.where(a > big, 0.0, a)
    small = log1p(s + s * s / (1.0 + math.sqrt(s * s + 1.0)))
    return copysign(core.where(a > big, math.log(a) + 0.6931471805599453, small), x)


@jit
def acosh(x):
    """Inverse hyperbolic cosine; NaN below 1."""
    x = _float(x)
    t = x - 1.0
    big: core.constexpr = _pick(x.dtype, 1e10, 1e150)
    return core.where(x > big, math.log(x) + 0.6931471805599453, log1p(t + math.sqrt(2.0 * t + t * t)))


@jit
def atanh(x):
    """Inverse hyperbolic tangent."""
    x = _float(x)
    a = math.abs(x)
    return copysign(0.5 * log1p(2.0 * a / (1.0 - a)), x)


@jit
def _atan_series(x):
    """atan(x) for |x| <= 0.66 (fp64), 0.42 (fp32); coefficients of Cephes."""
    z = x * x
    if x.dtype == core.float32:
        return (((8.05374449538e-2 * z - 1.38776856032e-1) * z + 1.99777106478e-1) * z - 3.33329491539e-1) * z * x + x
    else:
        p = -8.750608600031904122785e-1 * z - 1.615753718733365076637e1
        p = (p * z - 7.500855792314704667340e1) * z - 1.228866684490136173410e2
        p = p * z - 6.485021904942025371773e1
        q = (z + 2.485846490142306297962e1) * z + 1.650270098316988542046e2
        q = (q * z + 4.328810604912902668951e2) * z + 4.853903996359136964868e2
        q = q * z + 1.945506571482613964425e2
        return x * (z * p / q) + x


@jit
def atan(x):
    """Inverse tangent."""
    x = _float(x)
    a = math.abs(x)
    middle: core.constexpr = _pick(x.dtype, 0.4142135623730950, 0.66)
    far = a > 2.414213562373095
    near = a <= middle
    reduced = core.where(far, -1.0 / core.where(far, a, 1.0), core.where(near, a, (a - 1.0) / (a + 1.0)))
    zero = _constant(0.0, x.dtype)
    half = _constant(1.5707963267948966, x.dtype)
    lost = core.where(far, zero + 6.123233995736766e-17, core.where(near, zero, zero + 3.061616997868383e-17))
    return copysign(core.where(far, half, core.where(near, zero, half * 0.5)) + (_atan_series(reduced) + lost), x)


@jit
def atan2(y, x):
    """Angle of the point (x, y)."""
    y = _float(y)
    x = _float(x)
    core.static_assert(_check_floats(y.dtype, x.dtype))
    a = math.abs(y)
    b = math.abs(x)
    swapped = a > b
    high = core.where(swapped, a, b)
    low = core.where(swapped, b, a)
    both = (a == float("inf")) & (b == float("inf"))
    ratio = core.where(both, 1.0, core.where(high > 0.0, low / core.where(high > 0.0, high, 1.0), 0.0))
    angle = atan(ratio)
    angle = core.where(swapped, 1.5707963267948966 - angle, angle)
    angle = core.where(_bits(x) < 0, 3.141592653589793 - angle, angle)
    angle = core.where((x != x) | (y != y), float("nan"), angle)
    return copysign(angle, y)


@jit
def asin(x):
    """Inverse sine; NaN beyond 1."""
    x = _float(x)
    return atan2(x, math.sqrt((1.0 - x) * (1.0 + x)))


@jit
def acos(x):
    """Inverse cosine; NaN beyond 1."""
    x = _float(x)
    return atan2(math.sqrt((1.0 - x) * (1.0 + x)), x)


@jit
def fast_expf(x):
    """exp(x)."""
    return math.exp(_float(x))


@jit
def fast_exp10f(x):
    """10 to the power of x."""
    return exp10(x)


@jit
def fast_logf(x):
    """log(x)."""
    return math.log(_float(x))


@jit
def fast_log2f(x):
    """log2(x)."""
    return math.log2(_float(x))


@jit
def fast_log10f(x):
    """log10(x)."""
    return log10(x)


@jit
def fast_powf(x, y):
    """x to the power of y."""
    return pow(x, y)


@jit
def fast_sinf(x):
    """sin(x)."""
    return math.sin(_float(x))


@jit
def fast_cosf(x):
    """cos(x)."""
    return math.cos(_float(x))


@jit
def fast_tanf(x):
    """tan(x)."""
    return tan(x)


@jit
def fast_tanhf(x):
    """tanh(x)."""
    return tanh(x)


@jit
def fast_erf(x):
    """erf(x)."""
    return math.erf(_float(x))


# ---------------------------------------------------------------------------------------------------------------------
# What there is no implementation of
# ---------------------------------------------------------------------------------------------------------------------

_ROUNDED = ("fma", "div", "rcp", "sqrt", "add", "mul", "sub")
_CONVERSIONS = [f"{a}2{b}" for a in ("double", "float") for b in ("int", "uint", "ll", "ull")] + ["double2float"] + [
    f"{a}2{b}" for a in ("int", "uint", "ll", "ull") for b in ("float", "double")]
_REFUSED = """byte_perm mulhi mul24 sad rcp64h hiloint2double double2loint double2hiint hadd rhadd nextafter sinpi cospi rhypot
norm3d rnorm3d norm4d rnorm4d rcbrt j0 j1 y0 y1 yn jn cyl_bessel_i0 cyl_bessel_i1 erfinv erfc erfcx erfcinv normcdfinv normcdf
lgamma tgamma remainder""".split() + [f"{name}_r{mode}" for name in [*_ROUNDED, *_CONVERSIONS] for mode in "nzdu"]


def _refuse(name: str):
    def function(*args, _semantic=None):
        pass

    function.__name__ = function.__qualname__ = f"libdevice.{name}"
    function.__doc__ = "Not implemented: a kernel that calls it is refused."
    return builtin(function)


for _name in _REFUSED:
    if _name not in globals():
        globals()[_name] = _refuse(_name)
del _name
