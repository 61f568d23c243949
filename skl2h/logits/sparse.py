"""An (n, K) CSR matrix of scores as logits, and what is computed from its entries, row after row.

values   (E,) logits of the entries
leaves   (E,) their columns
starts   (n + 1,) where the entries of each row start, and where the last ones end
"""

from functools import partial
from itertools import chain

import numpy as np
from scipy.sparse import csr_matrix, vstack

from .blocks import SUM_TOLERANCE, ScoreMatrix, first_not_finite, share_of, weights_of

__all__ = ["SparseLogits", "best_entries", "rows_of_entries", "softmax_of_entries"]


class SparseLogits(ScoreMatrix):
    """View of an (n, K) CSR matrix of scores as logits."""

    is_sparse = True

    def followed_by(self, others, n_rows):
        """View of these rows and then those of `others`, `n_rows` in all, as one matrix."""
        scores = vstack([logits.scores for logits in chain([self], others)], format="csr")
        return SparseLogits(scores, self.kind, self.divisor)

    @property
    def entries_per_row(self):
        """Logits of a row that have to be read, on average."""
        return max(self.scores.nnz / self.shape[0], 1)

    def entries(self, rows):
        """Logits (E,), leaves (E,) and first entry (len(rows) + 1,) of an index of rows."""
        indptr = self.scores.indptr
        if isinstance(rows, slice):
            stored = slice(indptr[rows.start], indptr[rows.stop])
            starts = indptr[rows.start : rows.stop + 1].astype(np.intp) - indptr[rows.start]
        else:
            first = indptr[rows].astype(np.intp)
            starts = np.concatenate([[0], np.cumsum(indptr[rows + 1] - first)])
            stored = np.repeat(first - starts[:-1], np.diff(starts)) + np.arange(starts[-1])
        values = np.array(self.scores.data[stored], dtype=np.float64)
        return self.convert(values), self.scores.indices[stored], starts

    def leaves(self):
        """Column of the largest logit of each row, (n,); see `Logits.leaves`."""
        leaves = np.empty(self.shape[0], dtype=np.intp)
        for rows in self.blocks():
            leaves[rows], peak, _ = best_entries(*self.entries(rows))
            self.check_rows(first_not_finite(peak), rows.start)
        return leaves

    def sum_to_one(self):
        """Whether no score is negative and each row sums to about 1."""
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
            p, peak = softmax_of_entries(values, leaves, starts)
            self.check_rows(first_not_finite(peak), rows.start)
            block = csr_matrix((p, leaves, starts), (len(peak), self.shape[1]))
            probabilities[rows] = (block @ member).toarray()
        return probabilities

    def outside_stretches(self, order):
        """What is outside of stretches of the leaves; see `Logits.outside_stretches`."""
        n_leaves = self.shape[1]
        places = np.empty(n_leaves, dtype=np.int64)
        places[order] = np.arange(n_leaves)
        for rows in self.blocks():
            values, leaves, starts = self.entries(rows)
            leaf, peak, _ = best_entries(values, leaves, starts)
            self.check_rows(first_not_finite(peak), rows.start)
            row = rows_of_entries(starts)
            keys = row * n_leaves + places[leaves]
            by_place = np.argsort(keys, kind="stable")
            with np.errstate(all="ignore"):  # exp(-1000) is 0, and meant to be
                V = np.exp(values - peak[row])[by_place]
            before = _sums_so_far(V, starts)
            after = _sums_so_far(V[::-1], len(V) - starts[::-1])[::-1]
            first_keys = np.arange(len(leaf)) * n_leaves
            yield (
                rows,
                leaf,
                partial(_outside_entries, before, after, keys[by_place], starts, first_keys),
            )

    def leaving(self, leaves, weights=None):
        """Where the rows would go without their leaves; see `Logits.leaving`."""
        for rows in self.blocks():
            values, columns, starts = self.entries(rows)
            row = rows_of_entries(starts)
            own = leaves[rows][row]
            values[columns == own] = -np.inf
            _, peak, rest = best_entries(values, columns, starts)
            with np.errstate(all="ignore"):
                p = np.exp(values - np.where(np.isneginf(peak), 0.0, peak)[row])
                p *= (share_of(rest) * weights_of(rows, weights))[row]
            yield own[:, np.newaxis], columns[:, np.newaxis], p[:, np.newaxis]

    def row(self, row):
        """Scores of a row, (K,)."""
        stored = slice(self.scores.indptr[row], self.scores.indptr[row + 1])
        scores = np.full(self.shape[1], 0.0 if self.kind == "probabilities" else -np.inf)
        scores[self.scores.indices[stored]] = self.scores.data[stored]
        return scores


def _outside_entries(before, after, keys, starts, first_keys, start, stop):
    start = np.searchsorted(keys, first_keys + start)  # the first entry that is inside
    stop = np.searchsorted(keys, first_keys + stop)  # the first entry after it
    last = len(keys) - 1
    left = np.where(start > starts[:-1], before[start - 1], 0.0)
    return left + np.where(stop < starts[1:], after[np.minimum(stop, last)], 0.0)


def rows_of_entries(starts):
    """Row of each entry, (E,)."""
    return np.repeat(np.arange(len(starts) - 1), np.diff(starts))


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
    row = rows_of_entries(starts)
    largest = np.flatnonzero(values == peak[row])[::-1]
    leaf[row[largest]] = leaves[largest]  # backwards: the lowest leaf is written last
    with np.errstate(all="ignore"):
        values = np.exp(values - np.where(np.isneginf(peak), 0, peak)[row])
    rest[stored] = np.add.reduceat(values, starts[stored])
    return leaf, peak, rest


def softmax_of_entries(values, leaves, starts):
    """Softmax of each row's entries, (E,), and the largest logit of each row, (n,)."""
    _, peak, rest = best_entries(values, leaves, starts)
    row = rows_of_entries(starts)
    with np.errstate(all="ignore"):  # exp(-1000) is 0, and meant to be
        return np.exp(values - peak[row]) / rest[row], peak


def _sums_so_far(values, starts):
    """Sums of each row's values up to each of them, without any subtraction."""
    sums = values.copy()
    left = np.arange(len(values)) - np.repeat(starts[:-1], np.diff(starts))  # values before it
    step = 1
    while (some := np.flatnonzero(left >= step)).size:
        sums[some] += sums[some - step]  # the right side is read before anything is written
        step *= 2
    return sums
