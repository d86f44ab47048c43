"""Makes lib/Conversion/TritonToCPU/VectorMathTables.h: the polynomials of the CPU device's math functions.

Each is a weighted least-squares fit in 50 digits, reweighted (Lawson) until the error is level, so that the largest relative error of
the function itself, not of the polynomial, is least. Run it with mpmath installed and redirect the output to the header.
"""
from mpmath import mp, mpf, matrix, lu_solve, exp, log, sin, cos, erf, erfc, atan, asin, pi, sqrt, cos as mpcos, floor, ldexp

mp.dps = 50


def fit(target, weight, low, high, degree, points=None, rounds=12):
    """Coefficients c[0..degree] with sum c[i] t**i near target(t); weight(t) is the relative error made per unit of error."""
    points = points or 6 * degree + 24
    low, high = mpf(low), mpf(high)
    nodes = [(low + high) / 2 + (high - low) / 2 * mpcos(pi * (2 * i + 1) / (2 * points)) for i in range(points)]
    values = [target(t) for t in nodes]
    scale = [abs(weight(t)) for t in nodes]
    powers = [[t**j for j in range(degree + 1)] for t in nodes]
    lawson = [mpf(1)] * points
    for _ in range(rounds):
        normal, right = matrix(degree + 1), matrix(degree + 1, 1)
        for p, v, s, l in zip(powers, values, scale, lawson):
            w = l * s * s
            for i in range(degree + 1):
                wp = w * p[i]
                right[i] += wp * v
                for j in range(i, degree + 1):
                    normal[i, j] += wp * p[j]
        for i in range(degree + 1):
            for j in range(i):
                normal[i, j] = normal[j, i]
        coefficients = lu_solve(normal, right)
        errors = [s * abs(sum(c * x for c, x in zip(coefficients, p)) - v) for p, v, s in zip(powers, values, scale)]
        worst = max(errors)
        lawson = [l * e / worst for l, e in zip(lawson, errors)]
        total = sum(lawson)
        lawson = [l * points / total for l in lawson]
    return list(coefficients), worst


def emit(name, comment, result):
    coefficients, worst = result
    print(f"/// {comment} Error of the fit: {mp.nstr(worst, 3)}.")
    print(f"inline constexpr double {name}[] = {{")
    line = "   "
    for c in coefficients:
        text = " " + mp.nstr(c, 20) + ","
        if len(line) + len(text) > 126:
            print(line)
            line = "   "
        line += text
    print(line.rstrip(",") + "};")
    print()


ln2 = log(mpf(2))
root = sqrt(mpf(2))
half = ln2 / 2 * mpf("1.0001")


def even(f):
    """The target as a function of z = x * x, for odd and even functions."""
    return lambda z: f(sqrt(z))


def series_free(f, small):
    """f, which divides 0 by 0 at 0, with its limit there."""
    return lambda t: f(t) if abs(t) > mpf(10) ** -12 else f(mpf(small))


print("""//===- VectorMathTables.h - polynomials of the vector math; made by tools/math-coefficients ---===//
#pragma once

namespace triton_metal::cpu::tables {
""")

mp.dps = 50
e2 = series_free(lambda r: (exp(r) - 1 - r) / r**2, "1e-12")
for bits, degree in (("32", 4), ("64", 9)):
    emit(f"exp{bits}", "exp(r) = 1 + r + r^2 p(r), |r| <= ln 2 / 2.", fit(e2, lambda r: r**2 / exp(r), -half, half, degree))
x2 = series_free(lambda r: (mpf(2) ** r - 1) / r, "1e-12")
for bits, degree in (("32", 5), ("64", 11)):
    emit(f"exp2_{bits}", "2^r = 1 + r p(r), |r| <= 1/2.", fit(x2, lambda r: r / mpf(2) ** r, mpf("-0.5001"), mpf("0.5001"), degree))
l3 = series_free(lambda f: (log(1 + f) - f + f * f / 2) / f**3, "1e-12")
emit("log32", "log(1 + f) = f - f^2 / 2 + f^3 p(f), 1 + f from sqrt(1/2) to sqrt(2).",
     fit(l3, lambda f: f**3 / log(1 + f) if abs(f) > mpf(10)**-12 else f * f, 1 / root - 1, root - 1, 8))
s_max = ((root - 1) / (root + 1)) ** 2 * mpf("1.001")
atanh_tail = lambda z: (log((1 + sqrt(z)) / (1 - sqrt(z))) / sqrt(z) - 2) / z
for name, degree in (("log64", 6), ("logPair64", 9)):
    emit(name, "log((1 + s) / (1 - s)) = 2 s + s^3 p(s^2), |s| <= 3 - 2 sqrt(2).",
         fit(series_free(atanh_tail, "1e-12"), lambda z: z, 0, s_max, degree))
quarter = (pi / 4 * mpf("1.001")) ** 2
for bits, degree in (("32", 3), ("64", 5)):
    emit(f"sin{bits}", "sin r = r + r^3 p(r^2), |r| <= pi / 4.",
         fit(series_free(even(lambda r: (sin(r) - r) / r**3), "1e-12"), lambda z: z, 0, quarter, degree))
for bits, degree in (("32", 2), ("64", 5)):
    emit(f"cos{bits}", "cos r = 1 - r^2 / 2 + r^4 p(r^2), |r| <= pi / 4.",
         fit(series_free(even(lambda r: (cos(r) - 1 + r * r / 2) / r**4), "1e-12"), lambda z: z * z, 0, quarter, degree))
for bits, degree in (("32", 7), ("64", 18)):
    emit(f"atan{bits}", "atan x = x + x^3 p(x^2), |x| <= 1.",
         fit(series_free(even(lambda x: (atan(x) - x) / x**3), "1e-12"), lambda z: z, 0, mpf("1.0001"), degree))
for bits, degree in (("32", 4), ("64", 11)):
    emit(f"asin{bits}", "asin x = x + x^3 p(x^2), |x| <= 1/2.",
         fit(series_free(even(lambda x: (asin(x) - x) / x**3), "1e-12"), lambda z: z, 0, mpf("0.2501"), degree))
for bits, bound, degree in (("32", "0.93", 5), ("64", "1.0", 12)):
    emit(f"erfSmall{bits}", f"erf x = x + x p(x^2), |x| <= {bound}.",
         fit(series_free(even(lambda x: erf(x) / x - 1), "1e-12"), lambda z: 1, 0, mpf(bound) ** 2 * mpf("1.001"), degree))
for bits, low, high, degree in (("32", "0.92", "3.95", 7), ("64", "0.99", "5.95", 20)):
    emit(f"erfLarge{bits}", f"erf x = 1 - exp(-x - x p(x)), {low} <= x <= {high}.",
         fit(lambda x: (-log(erfc(x)) - x) / x, lambda x: erfc(x) * x / erf(x), mpf(low), mpf(high), degree))

mp.dps = 450
bits = int(floor(ldexp(2 / pi, 64 * 20)))
print("/// 2 / pi as a fraction: the first 1280 bits, most significant word first.")
print("inline constexpr unsigned long long twoOverPi[20] = {")
words = [(bits >> (64 * (19 - i))) & (2**64 - 1) for i in range(20)]
for i in range(0, 20, 4):
    print("    " + ", ".join(f"0x{w:016x}" for w in words[i:i + 4]) + ("," if i < 16 else "};"))
print("""
} // namespace triton_metal::cpu::tables""")
