"""An (n, K) matrix of scores, as logits that are read in blocks of rows.

scores    logits, probabilities or distances, in any dtype, dense or sparse
logits    float64, made from a block of scores when the block is read, and then dropped
leaf      the column with the largest logit of a row, the lowest one on ties

What a sparse row does not store is impossible for it: probability 0, logit -inf.
"""

import numpy as np
from scipy.sparse import csr_matrix, issparse
from scipy.special import softmax
from sklearn import get_config

from ..exceptions.categories import LogitsWarning, warn
from .memory_maps import place_of, rows_at
from .scratch import Memory

__all__ = [
    "KINDS_OF_INPUT",
    "Logits",
    "SparseLogits",
    "as_logits",
    "best_entries",
    "first_not_finite",
    "share_of",
    "warn_if_probabilities",
]

# What a matrix of scores can be that is given by a user.
KINDS_OF_INPUT = ("logits", "probabilities")

# A block and what is computed from it stay in the processor's cache.
CACHE_BYTES = 12 * 2**20

# How far from 1 a sum of probabilities may be: those of float16 add up to 1 within 0.001, those of
# bfloat16 within 0.004, and those that were written with three decimals mostly within 0.01.
SUM_TOLERANCE = 0.01


class Logits:
    """View of an (n, K) matrix of scores as logits; slicing gives another view.

    Parameters
    ----------
    scores : ndarray of shape (n, K)
        Never copied or changed.
    kind : {"logits", "probabilities", "distances"}
        The logits are the scores, their logarithms, or minus their squares...
    divisor : float
        ... divided by this.

    Attributes
    ----------
    first : int, default=0
        Number of the first row, in errors.
    names : list of str, default=None
        What the columns are called, where the model or its scores say so.
    """

    first = 0
    names = None

    def __init__(self, scores, kind="logits", divisor=1.0):
        # A memory map as a plain array: its own class costs time at every slice.
        self.scores = np.asarray(scores)
        self.kind = kind
        self.divisor = divisor

    def __reduce__(self):
        # A worker that is sent rows of a memory map opens the file itself.
        place = place_of(self.scores)
        scores = self.scores if place is None else place
        return _unpickle, (place is not None, scores, self.kind, self.divisor)

    @property
    def shape(self):
        """Rows and leaves."""
        return self.scores.shape

    def __getitem__(self, rows):
        return Logits(self.scores[rows], self.kind, self.divisor)

    @property
    def dtype(self):
        """The narrowest of float32 and float64 that holds the logits as they are."""
        return self.scores.dtype if self._as_stored else np.dtype(np.float64)

    @property
    def _as_stored(self):
        """Whether the scores are the logits, digit by digit."""
        is_float = self.scores.dtype in (np.float32, np.float64)
        return is_float and self.kind == "logits" and self.divisor == 1

    def values(self, out=None):
        """All logits at once, in float64; in `out`, or in a new array."""
        out = np.empty(self.shape) if out is None else out
        np.copyto(out, self.scores)
        return self._convert(out)

    def at(self, rows, columns=None, memory=None):
        """Logits at an index of rows, and one of columns, in an array of `dtype`.

        The array is a new one, or lies in some `Memory`.
        """
        if columns is not None:
            return self.at_places(rows * self.shape[1] + columns)
        if not self._in_order:
            return self._convert(self._of_dtype(self.scores[rows]))
        return self._convert(self._take(self.scores, rows, memory))

    def at_places(self, places, memory=None):
        """Logits at an index of row * K + column, in an array as of `at`."""
        if not self._in_order:
            return self._convert(self._of_dtype(self.scores[np.divmod(places, self.shape[1])]))
        return self._convert(self._take(self.scores.reshape(-1), places, memory))

    def _take(self, scores, index, memory):
        if memory is None or not self._as_stored:
            return self._of_dtype(scores.take(index, axis=0))
        out = memory.array("logits", index.shape + scores.shape[1:], self.dtype)
        return scores.take(index, axis=0, out=out, mode="clip")  # "raise" would copy

    def _of_dtype(self, scores):
        return scores.astype(self.dtype, copy=False)

    @property
    def _in_order(self):
        """Whether `take` is the faster, as it is not where it copies the whole array first."""
        # One that comes from elsewhere may begin amid a number.
        flags = self.scores.flags
        return flags.c_contiguous and flags.aligned

    def _convert(self, values):
        # log 0 is -inf, which is meant; what else is not finite is told by `check_rows`.
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

    @property
    def entries_per_row(self):
        """Logits of a row that have to be read."""
        return self.shape[1]

    def rows_per_block(self):
        """Rows that fit the cache, together with what is computed from them."""
        # Three arrays of the block's size are alive at once: logits, a mask, an exponential.
        budget = min(CACHE_BYTES, get_config()["working_memory"] * 2**20)
        return max(int(budget // (3 * 8 * self.entries_per_row)), 1)

    def blocks(self):
        """Slices of rows, the same for every number of workers."""
        n_rows, step = self.shape[0], self.rows_per_block()
        return [slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step)]

    def leaves(self):
        """Column of the largest logit of each row, (n,).

        Raises
        ------
        ValueError
            If a row has no leaf; the first one is named.
        """
        leaves = np.empty(self.shape[0], dtype=np.intp)
        for rows in self.blocks():
            leaves[rows], largest = self[rows].best()
            self.check_rows(first_not_finite(largest), rows.start)
        return leaves

    def best(self, values=None):
        """Column of the largest logit of each row, and a number that is finite if the logit is.

        The scores tell it, as they are in the order of the logits or the other way round; but only
        a logarithm tells of a negative probability. `values` are the logits in float64, if they
        have been made.
        """
        scores = self.scores
        if self.kind == "probabilities":
            scores = self.values() if values is None else values
        elif values is not None and self._as_stored and scores.dtype == values.dtype:
            scores = values  # they are in the cache
        best = scores.argmin(axis=1) if self.kind == "distances" else scores.argmax(axis=1)
        return best, scores[np.arange(len(best)), best]

    def check_rows(self, bad, start=0):
        """Raise the error of row ``start + bad``, unless `bad` is None."""
        if bad is not None:
            row = start + bad
            raise ValueError(f"Row {self.first + row} {self.fault_of(row)}")

    def fault_of(self, row):
        """Why a row has no leaf, as the rest of a sentence about it."""
        scores = np.asarray(self._row(row), dtype=np.float64)
        values = self._convert(scores.copy())
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

        The first block that does not look so is the last that is looked at. One leaf has nothing
        else than a probability of 1, and nothing depends on it.
        """
        if self.kind != "logits" or self.shape[1] == 1:
            return False
        return all(self[rows]._sums_to_one() for rows in self.blocks())

    def _sums_to_one(self):
        if not self.scores.min() >= 0:  # NaN as well
            return False
        with np.errstate(over="ignore"):
            sums = self.scores.sum(axis=1, dtype=np.float64)
        return bool((np.abs(sums - 1) <= SUM_TOLERANCE).all())

    def group_probabilities(self, groups, n_groups):
        """Softmax, summed over the leaves of each group, (n, n_groups)."""
        order = np.argsort(groups, kind="stable")
        starts = np.searchsorted(groups[order], np.arange(n_groups))
        probabilities = np.empty((self.shape[0], n_groups))
        memory = Memory()
        for rows in self.blocks():
            block = self[rows]
            values = block.values(memory.array("logits", block.shape, np.float64))
            self.check_rows(first_not_finite(values.max(axis=1)), rows.start)
            with np.errstate(all="ignore"):  # exp(-1000) is 0, and meant to be
                of_leaves = softmax(values, axis=1)
            probabilities[rows] = np.add.reduceat(of_leaves[:, order], starts, axis=1)
        return probabilities

    def _row(self, row):
        return self.scores[row]


class SparseLogits(Logits):
    """View of an (n, K) CSR matrix of scores as logits."""

    def __init__(self, scores, kind="logits", divisor=1.0):
        self.scores = scores
        self.kind = kind
        self.divisor = divisor

    def __reduce__(self):
        return SparseLogits, (self.scores, self.kind, self.divisor)

    def __getitem__(self, rows):
        return SparseLogits(self.scores[rows], self.kind, self.divisor)

    @property
    def entries_per_row(self):
        """Logits of a row that have to be read, on average."""
        return max(self.scores.nnz / self.shape[0], 1)

    def entries(self, rows):
        """Logits (E,), leaves (E,) and first entry (len(rows) + 1,) of an index of rows."""
        indptr = self.scores.indptr
        if isinstance(rows, slice):
            some = slice(indptr[rows.start], indptr[rows.stop])
            starts = indptr[rows.start : rows.stop + 1].astype(np.intp) - indptr[rows.start]
        else:
            first = indptr[rows].astype(np.intp)
            starts = np.concatenate([[0], np.cumsum(indptr[rows + 1] - first)])
            some = np.repeat(first - starts[:-1], np.diff(starts)) + np.arange(starts[-1])
        values = np.array(self.scores.data[some], dtype=np.float64)
        return self._convert(values), self.scores.indices[some], starts

    def leaves(self):
        """Column of the largest logit of each row, (n,); see `Logits.leaves`."""
        leaves = np.empty(self.shape[0], dtype=np.intp)
        for rows in self.blocks():
            leaves[rows], peak, _ = best_entries(*self.entries(rows))
            self.check_rows(first_not_finite(peak), rows.start)
        return leaves

    def _sums_to_one(self):
        if not np.diff(self.scores.indptr).all():
            return False  # a row in which nothing is stored sums to 0
        if not self.scores.data.min() >= 0:
            return False
        with np.errstate(over="ignore"):
            sums = np.add.reduceat(self.scores.data, self.scores.indptr[:-1], dtype=np.float64)
        return bool((np.abs(sums - 1) <= SUM_TOLERANCE).all())

    def group_probabilities(self, groups, n_groups):
        """Softmax, summed over the leaves of each group, (n, n_groups)."""
        member = csr_matrix(
            (np.ones(len(groups)), (np.arange(len(groups)), groups)), (len(groups), n_groups)
        )
        probabilities = np.empty((self.shape[0], n_groups))
        for rows in self.blocks():
            values, leaves, starts = self.entries(rows)
            _, peak, rest = best_entries(values, leaves, starts)
            self.check_rows(first_not_finite(peak), rows.start)
            lengths = np.diff(starts)
            p = np.exp(values - np.repeat(peak, lengths)) / np.repeat(rest, lengths)
            block = csr_matrix((p, leaves, starts), (len(peak), self.shape[1]))
            probabilities[rows] = (block @ member).toarray()
        return probabilities

    def _row(self, row):
        stored = slice(self.scores.indptr[row], self.scores.indptr[row + 1])
        scores = np.full(self.shape[1], 0.0 if self.kind == "probabilities" else -np.inf)
        scores[self.scores.indices[stored]] = self.scores.data[stored]
        return scores


def as_logits(scores, kind="logits", divisor=1.0):
    """View of an array or a sparse matrix of scores as logits."""
    if not issparse(scores):
        return Logits(scores, kind, divisor)
    scores = scores.tocsr()
    if not scores.has_canonical_format:
        scores = scores.copy()
        scores.sum_duplicates()
    return SparseLogits(scores, kind, divisor)


def _unpickle(is_place, scores, kind, divisor):
    return Logits(rows_at(*scores) if is_place else scores, kind, divisor)


def warn_if_probabilities(look_so, n_rows):
    """Warn of logits that look like probabilities; one row alone may do so by chance."""
    if look_so and n_rows > 1:
        warn(
            "What is given as logits looks like probabilities: nothing is negative, and every row "
            'sums to about 1. If they are, give input="probabilities" (--probabilities on the '
            "command line), or their logarithms.",
            LogitsWarning,
        )


def best_entries(values, leaves, starts):
    """Leaf of the largest entry of each row, the lowest on ties, its logit and sum of exp."""
    n_rows = len(starts) - 1
    leaf = np.zeros(n_rows, dtype=np.intp)
    peak = np.full(n_rows, -np.inf)
    rest = np.zeros(n_rows)
    stored = np.flatnonzero(np.diff(starts))  # reduceat knows no empty stretches
    if not len(stored):
        return leaf, peak, rest
    peak[stored] = np.maximum.reduceat(values, starts[stored])
    row = np.repeat(np.arange(n_rows), np.diff(starts))
    largest = np.flatnonzero(values == peak[row])[::-1]
    leaf[row[largest]] = leaves[largest]  # backwards: the lowest leaf is written last
    with np.errstate(all="ignore"):
        values = np.exp(values - np.where(np.isneginf(peak), 0, peak)[row])
    rest[stored] = np.add.reduceat(values, starts[stored])
    return leaf, peak, rest


def share_of(rest):
    """Softmax of the largest logit, from the sum of exp(logit - largest); 0 if there is none."""
    return np.where(rest > 0, 1 / rest, 0.0)


def first_not_finite(largest):
    """Row whose largest logit is not finite, or None: NaN, +inf and rows of -inf alike."""
    finite = np.isfinite(largest)
    return None if finite.all() else int(finite.argmin())
