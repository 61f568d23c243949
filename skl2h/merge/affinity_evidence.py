"""What speaks for the merges of an affinity tree: distances, what is sent, and which rows send it.

side      one of the two groups that a merge joins
stretch   leaves of a group, side by side in the order of the tree
way up    of a leaf: the merges above it, from the first to the root. What each of them joins to the
          side of the leaf is a stretch; these stretches and the leaf itself are all leaves

n, b, K   rows, rows of one block, leaves
d         merges on the way up of a leaf
"""

from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import squareform

from .affinity import in_order

__all__ = ["moments_of", "rows_that_carry"]

# Entries of a block of rows.
BLOCK_ENTRIES = 2**19

# Below this, relative to the smaller, distances are equal.
TIE = 1e-9

# Masses that agree in so many binary digits count the same, so that the last ones do not decide.
DIGITS = 20


class Moments(NamedTuple):
    """What is known right before each of m merges.

    Attributes
    ----------
    heights : ndarray of shape (m,)
        Mean distance between the leaves of the two sides.
    runners_up : ndarray of shape (m,), dtype=intp
        Node, of all others, that is closest to one of the sides; -1 if there is none.
    runner_up_heights : ndarray of shape (m,)
        How close; NaN if there is none.
    sent, lifts : ndarray of shape (m, 2)
        What the first side sends to the second, and the second to the first; and that over what
        all leaves send there on average, 0 if that is 0.
    """

    heights: np.ndarray
    runners_up: np.ndarray
    runner_up_heights: np.ndarray
    sent: np.ndarray
    lifts: np.ndarray


def moments_of(children, distances, shares):
    """`Moments` of merges, made one by one of leaves at condensed distances.

    `shares` are R, which is overwritten: the shares of groups are sums over its columns, and means
    over its lines, so that leaves count the same.
    """
    n_leaves, n_merges = len(shares), len(children)
    between = squareform(distances) if n_leaves > 1 else np.zeros((1, 1))
    attracted = shares.mean(axis=0)
    sizes, nodes = np.ones(n_leaves), np.arange(n_leaves)
    slots = list(range(n_leaves))  # of each node
    heights, others = np.empty(n_merges), np.full(n_merges, np.nan)
    runners_up = np.full(n_merges, -1, dtype=np.intp)
    sent, lifts = np.empty((n_merges, 2)), np.zeros((n_merges, 2))
    for t, (a, b) in enumerate(children.tolist()):
        i, j = slots[a], slots[b]
        heights[t] = between[i, j] / (sizes[i] * sizes[j])
        nearest = np.minimum(between[i] / sizes[i], between[j] / sizes[j]) / sizes
        nearest[[i, j]] = np.inf
        least = nearest.min()
        if least < np.inf:
            others[t] = least
            runners_up[t] = nodes[nearest <= least * (1 + TIE)].min()
        for side, (here, there) in enumerate(((i, j), (j, i))):
            sent[t, side] = shares[here, there] / sizes[here]
            if attracted[there] > 0:
                lifts[t, side] = sent[t, side] / attracted[there]
        # The second is added to the first, and is at a distance from then on.
        between[i] += between[j]
        between[:, i] = between[i]
        between[:, j] = np.inf
        shares[i] += shares[j]
        shares[:, i] += shares[:, j]
        attracted[i] += attracted[j]
        sizes[i] += sizes[j]
        nodes[i] = n_leaves + t
        slots.append(i)
    return Moments(heights, runners_up, others, sent, lifts)


class Way(NamedTuple):
    """Way up of a leaf.

    Attributes
    ----------
    merges : ndarray of shape (d,)
        Numbered from 0.
    is_first : ndarray of shape (d,), dtype=bool
        Whether the side of the leaf is the first one.
    starts : ndarray of shape (d + 1,)
        First places of the stretches, the leaf among them, in the order of places.
    columns : ndarray of shape (d,)
        Which of these stretches is joined at each merge.
    """

    merges: np.ndarray
    is_first: np.ndarray
    starts: np.ndarray
    columns: np.ndarray

    @classmethod
    def of(cls, leaf, tree):
        """Of a leaf of a `MergeTree`."""
        path = tree.path(leaf)
        merges = path[1:] - tree.n_leaves
        sides = tree.children[merges]
        is_first = sides[:, 0] == path[:-1]
        joined = np.where(is_first, sides[:, 1], sides[:, 0])
        starts = np.append(tree.starts[joined], tree.starts[leaf])
        order = np.argsort(starts)
        return cls(merges, is_first, starts[order], np.argsort(order)[:-1])


def rows_that_carry(logits, leaves, by_leaf, weights, tree, temperature, n_rows, n_jobs=None):
    """Weight of rows of the first side whose best leaf outside is in the second, and some rows.

    Parameters
    ----------
    logits : Logits of shape (n, K)
    leaves : ndarray of shape (n,)
        Leaf of each row.
    by_leaf : RowsByLeaf
        The rows to look at.
    weights : ndarray of shape (n,) or None
    tree : MergeTree
    temperature : float
    n_rows : int
        Rows of each merge.
    n_jobs : int, default=None
        Threads; any number gives the same.

    Returns
    -------
    going : ndarray of shape (K - 1,)
    merges, rows : ndarray of shape (m,)
        Of each merge the rows of either side that would go to the other one most, the most first,
        by weight times q; equal ones in their order.
    """
    n_leaves = logits.shape[1]
    step = max(min(logits.rows_per_block(), BLOCK_ENTRIES // n_leaves), 1)

    def read(rows):
        going, found = np.zeros(n_leaves - 1), []
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            own = leaves[some]
            V = _in_order_of_places(logits, some, tree)
            V[np.arange(len(some)), tree.starts[own]] = -np.inf
            with np.errstate(all="ignore"):  # exp(-1000) is 0, and meant to be
                peak = V.max(axis=1)
                e = V - np.where(np.isneginf(peak), 0.0, peak)[:, np.newaxis]
                e /= temperature
                np.exp(e, out=e)
                total = e.sum(axis=1)
            weigh = np.ones(len(some)) if weights is None else weights[some]
            scale = np.where(total > 0, weigh / np.where(total > 0, total, 1.0), 0.0)
            present, first = np.unique(own, return_index=True)
            stops = np.append(first[1:], len(own))
            for leaf, a, b in zip(present.tolist(), first.tolist(), stops.tolist()):
                way = Way.of(leaf, tree)
                goes = _goes_there(V[a:b], way, tree.leaf_order)
                going[way.merges] += np.where(way.is_first, weigh[a:b] @ goes, 0.0)
                mass = np.add.reduceat(e[a:b], way.starts, axis=1)[:, way.columns]
                mass *= scale[a:b, np.newaxis]
                found.append(_largest_of_columns(mass, way.merges, some[a:b], n_rows))
        return going, _largest(found, n_rows)

    going, found = np.zeros(n_leaves - 1), []
    for of_lot, largest in in_order(read, by_leaf.in_lots(step), n_jobs):
        going += of_lot
        found.append(largest)
    merges, _, rows = _largest(found, n_rows)
    return going, merges, rows


def _in_order_of_places(logits, rows, tree):
    """Logits of some rows in float64, their columns in the order of the tree."""
    if not logits.is_sparse:
        return logits.at(rows)[:, tree.leaf_order].astype(np.float64)
    values, columns, starts = logits.entries(rows)
    V = np.full((len(rows), logits.shape[1]), -np.inf)
    V[np.repeat(np.arange(len(rows)), np.diff(starts)), tree.starts[columns]] = values
    return V


def _goes_there(V, way, leaf_order):
    """Whether the best leaf outside the side of rows, all of one leaf, is in the other, (b, d).

    Of equal logits, that of the leaf with the lowest number is the best.
    """
    largest = np.maximum.reduceat(V, way.starts, axis=1)
    of_merge = largest[:, way.columns]
    # Outside of the side are what is joined at this merge, and at all that follow.
    outside = np.maximum.accumulate(of_merge[:, ::-1], axis=1)[:, ::-1]
    goes = (of_merge == outside) & (of_merge > -np.inf)
    tied = np.flatnonzero((goes[:, :-1] & (of_merge[:, :-1] == outside[:, 1:])).any(axis=1))
    if len(tied):
        lengths = np.diff(np.append(way.starts, V.shape[1]))
        is_best = V[tied] == np.repeat(largest[tied], lengths, axis=1)
        numbers = np.where(is_best, leaf_order, V.shape[1])
        lowest = np.minimum.reduceat(numbers, way.starts, axis=1)[:, way.columns]
        best, number = np.full(len(tied), -np.inf), np.full(len(tied), V.shape[1])
        for at in range(len(way.merges) - 1, -1, -1):
            own, leaf = of_merge[tied, at], lowest[:, at]
            wins = (own > best) | ((own == best) & (leaf < number) & (own > -np.inf))
            goes[tied, at] = wins
            best, number = np.where(wins, own, best), np.where(wins, leaf, number)
    return goes


def _largest_of_columns(mass, merges, rows, n_rows):
    """The rows with the largest mass in each column: merges, masses in few digits, rows."""
    mantissa, exponent = np.frexp(mass)
    rough = np.ldexp(np.rint(np.ldexp(mantissa, DIGITS)), exponent - DIGITS)
    if len(rough) > n_rows:
        order = np.argsort(-rough, axis=0, kind="stable")[:n_rows]
        rough, rows = np.take_along_axis(rough, order, axis=0), rows[order]
    else:
        rows = np.broadcast_to(rows[:, np.newaxis], rough.shape)
    place, column = np.nonzero(rough)
    return merges[column], rough[place, column], rows[place, column]


def _largest(found, n_rows):
    """Of several such answers together, the rows with the largest mass of each merge."""
    if not found:
        return np.empty(0, dtype=np.intp), np.empty(0), np.empty(0, dtype=np.intp)
    merges, mass, rows = map(np.concatenate, zip(*found))
    order = np.lexsort([rows, -mass, merges])
    merges, mass, rows = merges[order], mass[order], rows[order]
    rank = np.arange(len(merges)) - np.searchsorted(merges, merges)
    kept = rank < n_rows
    return merges[kept], mass[kept], rows[kept]
