"""An (n, K) matrix of scores, as logits that are read in blocks of rows.

scores    logits, probabilities or distances, in any dtype, dense or sparse
logits    float64, made from a block of scores when the block is read, and then dropped
leaf      the column with the largest logit of a row, the lowest one on ties

What a sparse row does not store is impossible for it: probability 0, logit -inf.
"""

from functools import partial
from itertools import chain

import numpy as np
from scipy.sparse import issparse
from scipy.special import softmax

from ..exceptions.arguments import as_choice
from ..exceptions.categories import LogitsWarning, warn
from .blocks import SUM_TOLERANCE, ScoreMatrix, first_not_finite, share_of, weights_of
from .memory import Memory
from .memory_maps import place_of, rows_at
from .sparse import SparseLogits

__all__ = ["Logits", "as_logits", "check_input", "warn_if_probabilities"]


class Logits(ScoreMatrix):
    """View of an (n, K) array of scores as logits; slicing gives another view."""

    def __init__(self, scores, kind="logits", divisor=1.0):
        # A memory map as a plain array: its own class costs time at every slice.
        super().__init__(np.asarray(scores), kind, divisor)

    def __reduce__(self):
        # A worker that is sent rows of a memory map opens the file itself.
        place = place_of(self.scores)
        scores = self.scores if place is None else place
        return _unpickle, (place is not None, scores, self.kind, self.divisor)

    def followed_by(self, others, n_rows):
        """View of these rows and then those of `others`, `n_rows` in all, as one matrix."""
        scores = np.empty((n_rows, self.shape[1]), dtype=self.scores.dtype)
        stop = 0
        for logits in chain([self], others):
            start, stop = stop, stop + logits.shape[0]
            scores[start:stop] = logits.scores
        return Logits(scores, self.kind, self.divisor)

    @property
    def dtype(self):
        """The narrowest of float32 and float64 that holds the logits as they are."""
        return self.scores.dtype if self._as_stored else np.dtype(np.float64)

    @property
    def is_plain(self):
        """Whether the scores are the logits, digit by digit, one row after another."""
        return self._as_stored and self._in_order

    @property
    def _as_stored(self):
        """Whether the scores are the logits, digit by digit."""
        is_float = self.scores.dtype in (np.float32, np.float64)
        return is_float and self.kind == "logits" and self.divisor == 1

    def values(self, out=None):
        """All logits at once, in float64; in `out`, or in a new array."""
        out = np.empty(self.shape) if out is None else out
        np.copyto(out, self.scores)
        return self.convert(out)

    def at(self, rows, columns=None, memory=None):
        """Logits at an index of rows, and one of columns, in an array of `dtype`.

        The array is a new one, or lies in a `Memory`.
        """
        if columns is not None:
            return self.at_places(rows * self.shape[1] + columns)
        if not self._in_order:
            return self.convert(self._of_dtype(self.scores[rows]))
        return self.convert(self._take(self.scores, rows, memory))

    def at_places(self, places, memory=None):
        """Logits at an index of row * K + column, in an array as of `at`."""
        if not self._in_order:
            return self.convert(self._of_dtype(self.scores[np.divmod(places, self.shape[1])]))
        return self.convert(self._take(self.scores.reshape(-1), places, memory))

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

    @property
    def entries_per_row(self):
        """Logits of a row that have to be read."""
        return self.shape[1]

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

        The scores are enough for this, as they are in the order of the logits or in reverse.
        Probabilities are not: that one is negative shows only in its logarithm. `values` are the
        logits in float64, if they have been made.
        """
        scores = self.scores
        if self.kind == "probabilities":
            scores = self.values() if values is None else values
        elif values is not None and self._as_stored and scores.dtype == values.dtype:
            scores = values  # they are in the cache
        best = scores.argmin(axis=1) if self.kind == "distances" else scores.argmax(axis=1)
        return best, scores[np.arange(len(best)), best]

    def sum_to_one(self):
        """Whether no score is negative and each row sums to about 1."""
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

    def outside_stretches(self, order):
        """Yield blocks of rows, and what is outside of stretches of the leaves in an order.

        Each is a slice of rows, their leaves (b,), and a function of where a stretch of `order`
        starts and where it stops, for each row or for all. It gives the sum of
        exp(logit - largest logit) over the leaves that are not in the stretch, (b,): never as a
        difference, so that the smallest sums are as exact as the largest.
        """
        n_leaves = self.shape[1]
        blocks = self.blocks()
        # Fresh memory is dear to touch: one block's worth is used again and again.
        memory = np.zeros((3, blocks[0].stop, n_leaves + 1))
        for rows in blocks:
            values, before, after = memory[:, : rows.stop - rows.start]
            block = self[rows]
            V = block.values(values[:, 1:])
            leaf, _ = block.best(V)
            peak = np.take_along_axis(V, leaf[:, np.newaxis], axis=1)
            self.check_rows(first_not_finite(peak[:, 0]), rows.start)
            with np.errstate(all="ignore"):  # exp(-1000) is 0, and meant to be
                V -= peak
                np.exp(V, out=V)
            V = V[:, order]
            # Column i is the sum over the first i leaves of the order, and over the last i.
            np.cumsum(V, axis=1, out=before[:, 1:])
            np.cumsum(V[:, ::-1], axis=1, out=after[:, 1:])
            yield rows, leaf, partial(_outside_columns, before, after)

    def leaving(self, leaves, weights=None):
        """Yield where the rows would go without their `leaves`, (n,), and how much of them.

        Each is three arrays that broadcast: leaves, columns, and the mass that goes from the ones
        to the others, which is the sum of the softmax over the other leaves, times the weight. A
        row that can go nowhere has no mass.
        """
        columns = np.arange(self.shape[1])[np.newaxis]
        # In the order of leaves, the rows of a leaf are neighbours in the block.
        order = np.argsort(leaves, kind="stable")
        step = self.rows_per_block()
        for start in range(0, len(order), step):
            rows = order[start : start + step]
            own = leaves[rows]
            V = self.at(rows).astype(np.float64)
            V[np.arange(len(rows)), own] = -np.inf
            with np.errstate(all="ignore"):  # exp(-1000) is 0, and meant to be
                peak = V.max(axis=1, keepdims=True)
                V -= np.where(np.isneginf(peak), 0.0, peak)
                np.exp(V, out=V)
                total = V.sum(axis=1)
                V *= (share_of(total) * weights_of(rows, weights))[:, np.newaxis]
            leaf, first = np.unique(own, return_index=True)
            yield leaf[:, np.newaxis], columns, np.add.reduceat(V, first, axis=0)

    def row(self, row):
        """Scores of a row, (K,)."""
        return self.scores[row]


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


def check_input(input):
    """Refuse what a matrix of scores that is given by a user cannot be."""
    as_choice("input", input, ("logits", "probabilities"))


def warn_if_probabilities(look_so, n_rows):
    """Warn of logits that look like probabilities; one row alone may do so by chance."""
    if look_so and n_rows > 1:
        warn(
            "What is given as logits looks like probabilities: nothing is negative, and every row "
            'sums to about 1. If they are, give input="probabilities" (--probabilities on the '
            "command line), or their logarithms.",
            LogitsWarning,
        )


def _outside_columns(before, after, start, stop):
    rows = np.arange(len(before))
    return before[rows, start] + after[rows, after.shape[1] - 1 - stop]
