"""Math functions. fp32 and fp64 only, as upstream; cast first where other types are meant."""

from . import core
from .builtin import builtin


@builtin
def umulhi(x, y, _semantic=None):
    """High half of the unsigned product of two integers of 32 or 64 bits."""


@core._tensor_member_fn
@builtin
def exp(x, _semantic=None):
    """e to the power of x."""


@core._tensor_member_fn
@builtin
def exp2(x, _semantic=None):
    """2 to the power of x."""


@core._tensor_member_fn
@builtin
def log(x, _semantic=None):
    """Natural logarithm."""


@core._tensor_member_fn
@builtin
def log2(x, _semantic=None):
    """Logarithm to base 2."""


@core._tensor_member_fn
@builtin
def cos(x, _semantic=None):
    """Cosine."""


@core._tensor_member_fn
@builtin
def sin(x, _semantic=None):
    """Sine."""


@core._tensor_member_fn
@builtin
def sqrt(x, _semantic=None):
    """Square root."""


@core._tensor_member_fn
@builtin
def sqrt_rn(x, _semantic=None):
    """Square root, correctly rounded."""


@core._tensor_member_fn
@builtin
def rsqrt(x, _semantic=None):
    """1 / sqrt(x)."""


@core._tensor_member_fn
@builtin
def abs(x, _semantic=None):
    """Absolute value."""


@builtin
def fdiv(x, y, ieee_rounding=False, approx=False, _semantic=None):
    """x / y of floats; correctly rounded with ieee_rounding."""


@builtin
def div_rn(x, y, _semantic=None):
    """x / y, correctly rounded."""


@core._tensor_member_fn
@builtin
def erf(x, _semantic=None):
    """Error function."""


@core._tensor_member_fn
@builtin
def floor(x, _semantic=None):
    """The largest integer that is not greater."""


@core._tensor_member_fn
@builtin
def ceil(x, _semantic=None):
    """The smallest integer that is not less."""


@builtin
def fma(x, y, z, _semantic=None):
    """x * y + z, rounded once."""
