"""Purity across leaves, of a tree, by chance and at best: of pairs of rows of one class.

Only pairs in different leaves count here. All results are sums over pairs. `counts` is the CSR
matrix of shape (K, C) with the number of rows of each class in each leaf. It does not depend on the
tree, and so neither do chance and best.

n_ic     rows of class c in leaf i; n_i in all
S        a set of leaves, N(S) its rows, N_c(S) those of class c
T(S)     sum over c, and over pairs of leaves i < j of S, of n_ic n_jc N_c(S)
"""

from operator import add

import numpy as np
from scipy.sparse import csr_matrix

from ..tree.merge_tree import MergeTree
from ..tree.places import Places
from ..tree.subtrees import values_below

__all__ = ["best_across", "expected_across", "purity_across"]

# All trees are compared for up to this many leaves: there are 3 ** 12 / 2 ways to split a set.
MOST_LEAVES = 12
# Up to this many leaves are joined two by two, which takes their square in memory.
MOST_JOINED = 1000

CLASSES_PER_BLOCK = 256
GROUPS_PER_BLOCK = 256

# Steps of the two quadratures; relative errors are 1e-11 or less.
STEP_T, STEP_S = 0.08, 0.2


def purity_across(tree, counts):
    """Sum, over pairs of rows, of the share of their class below the node where they meet."""
    entries = counts.tocoo()
    places = Places(tree, entries.row.astype(np.intp), entries.col.astype(np.intp), entries.data)
    nodes, _, left, right = places.meetings()
    rows = values_below(tree, np.asarray(counts.sum(axis=1)).ravel(), add)
    left, right = left.astype(np.float64), right.astype(np.float64)  # their product overflows
    return float((left * right * ((left + right) / rows[nodes])).sum())


def expected_across(counts):
    """Mean of `purity_across` over all orders of merging, each equally likely.

    Below a random merge of m of the K leaves is a random set S of that size, and its two sides
    are random too, so the mean is a sum over m of weights times the mean of T(S) / N(S). For
    merges of two groups drawn at random the weights are 2 K / (3 m (m - 1)) for m < K, those of
    the integral of Binomial(m; K, t) / t^2 over t in (0, 1), and more for m = K:

        mean = 2/3 * integral of E_t[T(S) / N(S)] / t^2 dt + 1/3 * T(all) / N(all),

    where E_t takes each leaf into S with probability t, on its own. Then 1 / N is the integral
    of exp(-s N) over s > 0, and what is left is a product over leaves and power sums over them.
    Both integrands are analytic and are summed by double exponential rules (Takahasi and Mori,
    1974).
    """
    rows = np.asarray(counts.sum(axis=1)).ravel()
    sizes, size_of_leaf, n_leaves = np.unique(rows, return_inverse=True, return_counts=True)
    entries = counts[:, counts.getnnz(axis=0) > 1].tocoo()
    x = entries.data.astype(np.float64)
    # Leaves with as many rows are taken together: their inclusion is equally likely.
    place = entries.col, size_of_leaf[entries.row]
    powers = [csr_matrix((x**p, place), (entries.shape[1], len(sizes))) for p in (1, 2, 3)]

    total, smallest = float(rows.sum()), max(1, rows[rows > 0].min())
    v = np.arange(-3.6, np.log(20 * total / smallest), STEP_S)
    s = np.exp(v - np.exp(-v)) / total
    weight_s = STEP_S * s * (1 + np.exp(-v))
    kept = np.exp(-np.outer(sizes, s))
    w = np.arange(-3.2, 3.2, STEP_T)
    odds = np.exp(np.pi * np.sinh(w))
    inside, outside = odds / (1 + odds), 1 / (1 + odds)  # t and 1 - t, both to all digits
    weight_t = STEP_T * np.pi * np.cosh(w) * inside * outside
    integral = 0.0
    for t, not_t, weight in zip(inside, outside, weight_t):
        factor = not_t + t * kept
        product = np.exp(n_leaves @ np.log(factor))
        integral += weight * (product * _sum_of_sets(powers, kept / factor, t)) @ weight_s
    whole = float(_sum_of_sets(powers, np.ones((len(sizes), 1)), 1.0)[0]) / total
    return 2 / 3 * integral + whole / 3


def _sum_of_sets(powers, u, t):
    """Mean of T(S) / t^2 where a leaf is in S with probability t u, for each column of u."""
    first, second, third = powers
    p1, p2, p3 = first @ u, second @ u**2, third @ u**3
    pairs = (second @ u) * p1 - third @ u**2
    triples = (p1**3 - 3 * p1 * p2 + 2 * p3) / 2
    return (pairs + t * triples).sum(axis=0)


def best_across(counts):
    """Largest `purity_across` of all trees; for many leaves, the largest that is known."""
    counts = counts[np.flatnonzero(counts.getnnz(axis=1))]
    if counts.shape[0] <= MOST_LEAVES:
        return _best_of_all_trees(counts)
    return _best_known(counts)


def _best_known(counts):
    """Purity across of the better of two trees that know the classes."""
    counts = _in_canonical_order(counts)
    trees = [_joined_by_main_class(counts)]
    if counts.shape[0] <= MOST_JOINED:
        trees.append(_joined(list(range(counts.shape[0])), counts.toarray(), []))
    return max(purity_across(MergeTree(merges), counts) for merges in trees)


def _in_canonical_order(counts):
    """The same table with its lines and columns in an order that does not depend on the given one.

    They are sorted by colour refinement (Weisfeiler and Leman, 1968). The colour of a line is a
    hash of its entries and the colours of their columns, and the other way round. This is repeated
    until there are no new colours. Lines or columns of the same colour can usually be exchanged.
    """
    by_line, by_column = counts.tocsr(), counts.tocsc()
    lines, columns = (np.zeros(n, dtype=np.uint64) for n in counts.shape)
    n_before, n_colours = 0, 2
    while n_colours > n_before:
        n_before = n_colours
        lines, columns = (
            _recoloured(lines, by_line, columns),
            _recoloured(columns, by_column, lines),
        )
        n_colours = len(np.unique(lines)) + len(np.unique(columns))
    return counts[lines.argsort(kind="stable")][:, columns.argsort(kind="stable")]


def _recoloured(colours, table, others):
    """New colours of the lines of a CSR table, or of the columns of a CSC one; none is empty."""
    entries = _hashed(_hashed(table.data.astype(np.uint64)) + others[table.indices])
    return _hashed(colours + np.add.reduceat(entries, table.indptr[:-1]))


def _hashed(numbers):
    """Hash of uint64: the finaliser of SplitMix64 (Steele, Lea, Flood, 2014), which wraps."""
    numbers = numbers + np.uint64(0x9E3779B97F4A7C15)
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


def _best_of_all_trees(counts):
    """Largest purity across, from the best split of every set of leaves, small sets first.

    Bit k of the number of a set is leaf k.
    """
    n_leaves = counts.shape[0]
    rows = _sums_of_sets(np.asarray(counts.sum(axis=1), dtype=np.float64))[:, 0]
    # What a merge adds is the sum of ab(a + b) over classes, by rows: 3ab(a + b) is
    # (a + b)^3 - a^3 - b^3.
    cubes = np.zeros(2**n_leaves)
    for start in range(0, counts.shape[1], CLASSES_PER_BLOCK):
        block = counts[:, start : start + CLASSES_PER_BLOCK].toarray().astype(np.float64)
        cubes += (_sums_of_sets(block) ** 3).sum(axis=1)
    best = np.zeros(2**n_leaves)
    for union in range(1, 2**n_leaves):
        lowest = union & -union
        parts = np.array([lowest])  # all subsets with the lowest leaf; the whole union is the last
        for leaf in range(lowest.bit_length(), union.bit_length()):
            if union >> leaf & 1:
                parts = np.concatenate([parts, parts | 1 << leaf])
        if len(parts) > 1:
            parts = parts[:-1]
            rest = union ^ parts
            gain = (cubes[union] - cubes[parts] - cubes[rest]) / (3 * rows[union])
            best[union] = (gain + best[parts] + best[rest]).max()
    return float(best[-1])


def _sums_of_sets(values):
    sums = np.zeros((1, values.shape[1]))
    for line in values:
        sums = np.concatenate([sums, sums + line])
    return sums


def _joined_by_main_class(counts):
    """Merges that join leaves with the same largest class first, and then what is purest."""
    n_leaves = counts.shape[0]
    main = np.asarray(counts.argmax(axis=1)).ravel()
    share = counts.max(axis=1).toarray().ravel() / np.asarray(counts.sum(axis=1)).ravel()
    order = np.lexsort((-share, main))  # the purest first
    merges, tops = [], []
    for leaf, starts in zip(order.tolist(), np.diff(main[order], prepend=-1).tolist()):
        if starts:
            tops.append(leaf)
        else:
            merges.append((tops[-1], leaf))
            tops[-1] = n_leaves + len(merges) - 1
    groups = np.unique(main, return_inverse=True)[1]
    member = csr_matrix((np.ones(n_leaves), (groups, np.arange(n_leaves))))
    return _joined(tops, (member @ counts).toarray(), merges)


def _joined(tops, counts, merges):
    """The merges so far, and those that join what is purest together until one group is left."""
    n_leaves = len(tops) + len(merges)
    for kept, left in _greedy_joins(counts.astype(np.float64)):
        merges.append((tops[kept], tops[left]))
        tops[kept] = n_leaves + len(merges) - 1
    return merges


def _greedy_joins(counts):
    """Yield pairs (kept, left) of groups to join: those whose pairs of one class are purest."""
    rows = counts.sum(axis=1)
    joint = counts**2 @ counts.T  # the sum of ab(a + b) over classes, of any two groups
    joint += joint.T

    def gains(groups):
        mass = rows[groups, np.newaxis]
        gains = joint[groups] / ((mass + rows) * (mass * rows))
        gains[:, gone] = gains[np.arange(len(groups)), groups] = -np.inf
        return gains

    here, gone = np.arange(len(rows)), np.zeros(len(rows), dtype=bool)
    gain, near = np.empty(len(rows)), np.empty(len(rows), dtype=np.intp)
    stale = here
    while gone.sum() < len(rows) - 1:
        for start in range(0, len(stale), GROUPS_PER_BLOCK):
            block = stale[start : start + GROUPS_PER_BLOCK]
            table = gains(block)
            near[block] = table.argmax(axis=1)
            gain[block] = table[np.arange(len(block)), near[block]]
        kept = int(gain.argmax())
        if gain[kept] == 0:  # no two groups share a class
            first, *others = np.flatnonzero(~gone).tolist()
            yield from ((first, other) for other in others)
            return
        left = int(near[kept])
        yield kept, left
        both = counts[kept] * counts[left]
        shared = np.flatnonzero(both)
        joint[kept] += joint[left] + 2 * (counts[:, shared] @ both[shared])
        joint[:, kept] = joint[kept]
        counts[kept] += counts[left]
        rows[kept] += rows[left]
        gone[left], gain[left] = True, -np.inf
        new = gains(np.array([kept]))[0]
        worse = (near == left) | (near == kept) & (new < gain)
        better = new >= gain
        gain[better], near[better] = new[better], kept
        stale = np.flatnonzero((worse & ~better | (here == kept)) & ~gone)
