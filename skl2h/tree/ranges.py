"""Maxima of stretches of an array, each found in constant time."""

import numpy as np

__all__ = ["RangeMaximum"]


class RangeMaximum:
    """Array of n integers, of which the largest between any two places can be asked for.

    Parameters
    ----------
    values : ndarray of shape (n,), dtype=intp
    """

    def __init__(self, values):
        # Line p: the largest of the 2**p values from each place on.
        table = [values]
        for power in range(len(values).bit_length() - 1):
            ahead = np.roll(table[-1], -(1 << power))  # past the end, where nobody looks
            table.append(np.maximum(table[-1], ahead))
        self.table = np.array(table)

    def between(self, first, last):
        """Largest of the values from `first` up to, not including, a larger `last`."""
        # Two stretches of a power of two, which may overlap, hold them all.
        power = np.frexp(np.maximum(last - first, 1))[1] - 1
        return np.maximum(self.table[power, first], self.table[power, last - (1 << power)])
