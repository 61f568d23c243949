"""How far leaves are from each other in the affinity tree: steps 6 and 7.

Arrays in, arrays out. Step numbers are those of the section of the documentation on this tree;
TOLERANCE marks where rounding would decide otherwise. Letters:

K      leaves
L      (K, K) likeness of leaves
C      (K, K) lines of likeness, centred
"""

from hashlib import blake2b
from math import inf

import numpy as np
from scipy.spatial.distance import squareform

__all__ = ["ROUNDING", "distances_of", "squares_of_pairs"]

# Below this, relative to what was subtracted, a difference is rounding.
ROUNDING = 1e-9

# Squared distances of unit vectors below this are not taken from their products, which lose
# digits, but from the vectors. So many numbers of them are held at a time.
CLOSE = 1e-2
CLOSE_ENTRIES = 2**20


def distances_of(L):
    """Distances of all pairs, condensed, from L, which is overwritten: steps 6 and 7."""
    first = squareform(L, checks=False)
    largest = first.max()
    np.subtract(largest, first, out=first)
    _scale(first, largest)
    second = _second_order(L, largest)
    _scale(second, 1.0)
    first += second
    return first


def _scale(distances, size):
    """Divide by the standard deviation, in place; if it is 0, there is nothing to tell apart."""
    deviation = distances.std()
    # TOLERANCE: equal distances differ by what was rounded.
    if deviation > ROUNDING * size:
        distances /= deviation
    else:
        distances[:] = 0.0


def _second_order(C, largest):
    """Distances between the lines of likeness, centred and of unit length, condensed."""
    n_leaves = len(C)
    C -= C.sum(axis=1, keepdims=True) / (n_leaves - 1)
    np.fill_diagonal(C, 0.0)
    C -= C.sum(axis=0) / (n_leaves - 1)
    np.fill_diagonal(C, -inf)
    np.fill_diagonal(C, C.max(axis=1))
    length = np.sqrt(np.einsum("ij,ij->i", C, C))
    # TOLERANCE: as above.
    length[length <= ROUNDING * largest] = inf
    C /= length[:, np.newaxis]
    # Lines of length 0 are equal, and so are those of leaves without rows that nothing goes to:
    # there may be thousands, of which all pairs are close.
    numbers, first = _different_lines(C)
    for number, line in enumerate(first):
        C[number] = C[line]
    between = _squares_between(C[: len(first)])
    if len(first) < n_leaves:
        between = squareform(between, checks=False)
        np.take(between[numbers], numbers, axis=1, out=C, mode="clip")
        between = squareform(C, checks=False)
    return np.sqrt(between, out=between)


def _different_lines(C):
    """Number of each line, (K,), the same for equal ones, and the first line of each number."""
    C += 0.0  # -0 is 0 in other bytes
    numbers, known = np.arange(len(C)), {}
    # The largest value of a line, which stands on the diagonal, tells most lines apart.
    _, place, count = np.unique(C.diagonal(), return_inverse=True, return_counts=True)
    for line in np.flatnonzero(count[place] > 1):
        numbers[line] = known.setdefault(blake2b(C[line]).digest(), line)
    first, numbers = np.unique(numbers, return_inverse=True)
    return numbers, first


def _squares_between(lines):
    """Squared distances of lines of unit length, or of length 0, condensed."""
    n_lines = len(lines)
    squares = np.einsum("ij,ij->i", lines, lines)
    between = lines @ lines.T
    between *= -2
    between += squares[:, np.newaxis]
    between += squares
    between = squareform(between, checks=False)
    close = np.flatnonzero(between < CLOSE)
    first_of_line = np.arange(n_lines) * (2 * n_lines - 1 - np.arange(n_lines)) // 2
    step = max(CLOSE_ENTRIES // lines.shape[1], 1)
    for start in range(0, len(close), step):
        some = close[start : start + step]
        i = np.searchsorted(first_of_line, some, side="right") - 1
        # The last line has no pairs of its own, and starts where there are none any more.
        between[some] = squares_of_pairs(lines, i, some - first_of_line[i] + i + 1)
    return between


def squares_of_pairs(lines, i, j):
    """Squared distances of the lines i and j, (n_pairs,) each, from their differences."""
    apart = lines[i] - lines[j]
    return np.einsum("ij,ij->i", apart, apart)
