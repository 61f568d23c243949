"""Weights of rows, added up without any rounding."""

from fractions import Fraction

import numpy as np

__all__ = ["digits_of", "exact_totals", "sum_digits", "unit_of"]

# Exponents of float64, as `frexp` has them, lie between this and this plus so many.
LOWEST = -1100
N_EXPONENTS = 2200


def unit_of(heaviest):
    """Logarithm to the base 2 of a unit for weights of which the largest is `heaviest`.

    In this unit, products of tiny weights do not underflow.
    """
    return min(int(np.frexp(heaviest)[1]), 0)


def exact_totals(h, weights, n_leaves):
    """Weight of the rows of each leaf, as an int or a Fraction without any rounding.

    With "sum" two groups may weigh the same and differ in a doubt of 1e-12: a weight that
    depended on the order of additions would decide.
    """
    if weights is None:
        return np.bincount(h, minlength=n_leaves).tolist()
    if weights.sum() < 2**53 and np.array_equal(weights, np.floor(weights)):
        return [int(total) for total in np.bincount(h, weights=weights, minlength=n_leaves)]
    keys, sums = digits_of(h, weights)
    return sum_digits(keys, sums, n_leaves)


def digits_of(h, weights):
    """Weight of the rows of each leaf without any rounding: keys (m,) and sums (m, 2), whole.

    Sums of equal keys may be added. Rows are at most 2**26, so that float64 holds their sums.
    """
    # Whole mantissas are added in two halves, apart for each leaf and exponent: exact in float64.
    mantissas, exponents = np.frexp(weights)
    high = np.floor(mantissas * 2**27)
    low = (mantissas * 2**27 - high) * 2**26
    keys, inverse = np.unique(h * N_EXPONENTS + (exponents - LOWEST), return_inverse=True)
    sums = [np.bincount(inverse, weights=half) for half in (high, low)]
    return keys, np.stack(sums, axis=1).astype(np.int64)


def sum_digits(keys, sums, n_leaves):
    """Weight of the rows of each leaf as a Fraction, from the sums of `digits_of`."""
    totals = [Fraction(0)] * n_leaves
    for key, (high, low) in zip(keys.tolist(), sums.tolist()):
        leaf, exponent = divmod(key, N_EXPONENTS)
        totals[leaf] += Fraction((high << 26) + low) * Fraction(2) ** (exponent + LOWEST - 53)
    return totals
