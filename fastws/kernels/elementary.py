"""The functions that Eqs 1 to 3 need, by additions and multiplications: the same bits on every processor."""

from fastws.kernels.jit import inline
from fastws.kernels.lanes import float_bits, float_from_bits, to_double, to_float, where
from fastws.kernels.types import Lanes

LOG_2 = 0.6931471805599453
BITS_OF_SQRT_HALF = 0x3FE6A09E667F3BCD


@inline
def log_of_quotient(a: Lanes, b: Lanes) -> Lanes:
    """Return log(a / b) of positive normal float32 lanes, to 2e-7 of it, or of 1 where that is more; one division."""
    # a / b = 2^n m / b with |s| <= 0.2, and log(m / b) = 2 artanh(s) by the nearest odd polynomial, to 6.1e-8.
    n = (float_bits(a) - float_bits(b) + 0x400000) >> 23
    m = float_from_bits(float_bits(a) - (n << 23))
    s = (m - b) / (m + b)
    z = s * s
    return to_float(n) * 0.69314718 + s * ((z * 0.4208555 + 0.66624318) * z + 2.0000021)


@inline
def logistic(a: Lanes) -> Lanes:
    """Return 1 / (1 + exp(-a)) of float32 lanes, to 2e-7; |a| is cut at 87, within e-38 of 0 or 1."""
    a = where(a > -87.0, a, -87.0)
    a = where(a < 87.0, a, 87.0)
    # exp(-a) = 2^n 2^f; adding 1.5 * 2^23 rounds to the whole number n and leaves it in the low bits.
    y = a * -1.44269504
    n = y + 12582912.0
    f = y - (n - 12582912.0)
    # 2^f = (q + f) / (q - f) with q = f coth(f log(2) / 2), which is nearly even and quadratic: to 4.3e-7 of 2^f.
    q = f * f * 0.11523607 + 2.8854081
    off = q - f
    return off / (off + float_from_bits(float_bits(q + f) + (float_bits(n) << 23)))


@inline
def log_of_doubles(x: Lanes) -> Lanes:
    """Return the logarithm of positive normal float64 lanes, to 1 unit in the last place (as log of fdlibm)."""
    exponent = (float_bits(x) - BITS_OF_SQRT_HALF) >> 52
    n = to_double(exponent)
    f = float_from_bits(float_bits(x) - (exponent << 52)) - 1.0
    s = f / (f + 2.0)
    z = s * s
    p = z * 1.479819860511658591e-01 + 1.531383769920937332e-01
    p = p * z + 1.818357216161805012e-01
    p = p * z + 2.222219843214978396e-01
    p = p * z + 2.857142874366239149e-01
    p = p * z + 3.999999999940941908e-01
    p = p * z + 6.666666666666735130e-01
    half = f * f * 0.5
    return n * 0.6931471803691238 - ((half - (s * (half + p * z) + n * 1.9082149292705877e-10)) - f)


@inline
def exp_of_minus_magnitude(a: Lanes) -> Lanes:
    """Return exp(-|a|) of float64 lanes, to 1e-15 of its value; |a| is cut at 708."""
    x = where(a < 0.0, a, a * -1.0)
    x = where(x > -708.0, x, -708.0)
    # exp(x) = 2^n exp(f); adding 1.5 * 2^52 rounds to the whole number n and leaves it in the low bits.
    n = x * 1.4426950408889634 + 6755399441055744.0
    whole = n - 6755399441055744.0
    f = (x - whole * 0.6931471803691238) - whole * 1.9082149292705877e-10
    p = f * (1 / 479001600) + (1 / 39916800)
    p = p * f + (1 / 3628800)
    p = p * f + (1 / 362880)
    p = p * f + (1 / 40320)
    p = p * f + (1 / 5040)
    p = p * f + (1 / 720)
    p = p * f + (1 / 120)
    p = p * f + (1 / 24)
    p = p * f + (1 / 6)
    p = p * f + 0.5
    p = p * f + 1.0
    p = p * f + 1.0
    return float_from_bits(float_bits(p) + (float_bits(n) << 52))
