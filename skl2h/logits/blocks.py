"""Scores that are read as logits in blocks of rows: what dense and sparse ones have in common."""

import numpy as np
from sklearn import get_config

__all__ = ["SUM_TOLERANCE", "ScoreMatrix", "first_not_finite", "share_of", "weights_of"]

# A block and what is computed from it stay in the processor's cache.
CACHE_BYTES = 12 * 2**20

# How far from 1 a sum of probabilities may be: those of float16 add up to 1 within 0.001, those of
# bfloat16 within 0.004, and those that were written with three decimals mostly within 0.01.
SUM_TOLERANCE = 0.01


class ScoreMatrix:
    """View of an (n, K) matrix of scores as logits, either dense or sparse.

    Parameters
    ----------
    scores : ndarray or CSR matrix of shape (n, K)
        Never copied or changed.
    kind : {"logits", "probabilities", "distances"}
        Before the division, the logits are the scores, their logarithms, or minus their squares.
    divisor : float
        Number by which the logits are divided.

    Attributes
    ----------
    first : int, default=0
        Number of the first row, in errors.
    names : list of str, default=None
        What the columns are called, where the model or its scores say so.
    labels : list, default=None
        Labels of the columns as they are, where scikit-learn can tell them of a table.
    is_sparse : bool
        Whether only some entries of a row are stored.
    """

    first = 0
    names = labels = None
    is_sparse = False

    def __init__(self, scores, kind="logits", divisor=1.0):
        self.scores = scores
        self.kind = kind
        self.divisor = divisor

    @property
    def shape(self):
        """Rows and leaves."""
        return self.scores.shape

    def __getitem__(self, rows):
        return type(self)(self.scores[rows], self.kind, self.divisor)

    def convert(self, values):
        """Logits of scores in floating point, in their place."""
        # log 0 is -inf, which is meant; `check_rows` refuses what else is not finite.
        with np.errstate(all="ignore"):
            if self.kind == "probabilities":
                np.log(values, out=values)
            divisor = self.divisor
            if self.kind == "distances":
                np.square(values, out=values)
                divisor = -divisor
            if divisor != 1:
                values /= divisor
        return values

    def rows_per_block(self):
        """Rows that fit the cache, together with what is computed from them."""
        # Three arrays of the block's size are alive at once: logits, a mask, an exponential.
        budget = min(CACHE_BYTES, get_config()["working_memory"] * 2**20)
        return max(int(budget // (3 * 8 * self.entries_per_row)), 1)

    def blocks(self):
        """Slices of rows, the same for every number of workers."""
        n_rows, step = self.shape[0], self.rows_per_block()
        return [slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step)]

    def check_rows(self, bad, start):
        """Raise the error of row ``start + bad``, unless `bad` is None."""
        if bad is not None:
            row = start + bad
            raise ValueError(f"Row {self.first + row} {self.fault_of(row)}")

    def fault_of(self, row):
        """Why a row has no leaf, as the rest of a sentence about it."""
        scores = np.asarray(self.row(row), dtype=np.float64)
        values = self.convert(scores.copy())
        if np.isnan(scores).any():
            fault = f"NaN in column {np.isnan(scores).argmax()}"
        elif self.kind == "probabilities" and (scores < 0).any():
            fault = f"a negative probability in column {(scores < 0).argmax()}"
        elif np.isposinf(values).any():
            fault = f"inf in column {np.isposinf(values).argmax()}"
        elif self.kind == "probabilities":
            fault = "no probability above 0"
        elif np.isfinite(scores).any():
            fault = f"numbers too large to be divided by {self.divisor:g}"
        else:
            fault = "nothing but inf" if self.kind == "distances" else "nothing but -inf"
        return (
            f"of the {self.kind} has {fault}, so it belongs to no leaf: remove or repair such rows."
        )

    def look_like_probabilities(self):
        """Whether scores that are given as logits are not negative and each row sums to about 1.

        It stops at the first block that does not look so. A single leaf can have nothing but a
        probability of 1, and nothing depends on it.
        """
        if self.kind != "logits" or self.shape[1] == 1:
            return False
        return all(self[rows].sum_to_one() for rows in self.blocks())


def first_not_finite(largest):
    """Row whose largest logit is not finite, or None: NaN, +inf and rows of -inf alike."""
    finite = np.isfinite(largest)
    return None if finite.all() else int(finite.argmin())


def weights_of(rows, weights):
    """Weights of some rows, or 1 where rows have none."""
    return 1.0 if weights is None else weights[rows]


def share_of(rest):
    """Softmax of the largest logit, from the sum of exp(logit - largest); 0 if there is none."""
    return np.where(rest > 0, 1 / rest, 0.0)
