"""Greedy merging of leaves: logits in, merges out.

Letters:

n        rows
K        leaves, the columns of the logits
slot     where a group lives while it exists: one of 0..K-1, from its leaves' slots
node     the group's number in the tree: leaves first, then merges in order

Step numbers are those of "From Logits to Hierarchies" (Palumbo et al., ICML 2025,
arXiv:2410.07858); DEPARTURE marks ours.
"""

from typing import NamedTuple

import numpy as np

from .groups import Groups, exact_totals
from .profiles import Profiles
from .rows import read_rows

__all__ = [
    "AGGREGATIONS",
    "N_REPORTS",
    "Merges",
    "leaf_profiles",
    "merge_groups",
    "merge_leaves",
    "replay_merges",
    "unit_of",
]

AGGREGATIONS = ("sum_of_means", "sum", "mean")

# Progress is reported at each hundredth of the merges.
N_REPORTS = 100


class Merges(NamedTuple):
    """What merging gives.

    Attributes
    ----------
    children : ndarray of shape (K - 1, 2), dtype=intp
        The selected group, then its partner.
    scores : ndarray of shape (K - 1,), dtype=float64
        Score of the selected group.
    leaves : ndarray of shape (n,), dtype=intp
        Leaf of each row.
    counts : ndarray of shape (K,)
        Rows of each leaf, or their total weight.
    stranded : list of int
        Selected nodes whose rows could go nowhere.
    n_passes : float
        How often a row was looked at, on average; not counting soft profiles.
    """

    children: np.ndarray
    scores: np.ndarray
    leaves: np.ndarray
    counts: np.ndarray
    stranded: list
    n_passes: float


def merge_leaves(
    logits, weights=None, *, aggregation="sum_of_means", n_jobs=None, on_merge=None, state=None
):
    """Merge the K leaves of (n, K) `Logits`, least sure group first, into one tree.

    The profile of a group depends on its own leaves alone, so a row is looked at again only
    when its group has grown and is about to be the least sure: its score s is at most AHEAD
    times the smallest. With a sum aggregation it scores at least s + s / AHEAD when it has grown
    again, so no row is looked at more often than 1 + log(sum of scores / smallest score), the
    logarithm to the base 1 + 1 / AHEAD. (The smallest among groups with rows: for leaves without
    any, all rows are looked at once more, which does not count here.)

    `on_merge` is called with the merges made, the merges in all, and how often each row was
    read so far: when the rows have been read, at each hundredth of the merges, and at the end;
    that is min(K, N_REPORTS + 1) times.

    `state` is what `read_rows` gives, which does not depend on weights; it is changed. None
    reads the rows.
    """
    state = read_rows(logits, n_jobs) if state is None else state
    scale = None
    if weights is not None:
        scale = unit_of(weights.max())
        weights = np.ldexp(weights, -scale)
    groups, profiles = _begin(logits, weights, state, aggregation, n_jobs)
    with profiles.pool:
        return merge_groups(groups, profiles, state.leaf, scale, on_merge)


def merge_groups(groups, profiles, leaves, scale=None, on_merge=None):
    """Merge groups of one leaf each, as their profiles say.

    `profiles` tells ``of(slot)``, leaves outside a group and the mass that goes there, and
    `n_reads`; `scale` is the logarithm of the weights' unit to the base 2, None if there are no
    weights; `leaves` are given back.
    """
    n_leaves = len(groups.node)
    counts = np.array(groups.total, dtype=np.int64 if scale is None else np.float64)
    children = np.empty((n_leaves - 1, 2), dtype=np.intp)
    scores = np.empty(n_leaves - 1)
    stranded = []
    for t in range(n_leaves - 1):
        if on_merge and t * N_REPORTS // (n_leaves - 1) > (t - 1) * N_REPORTS // (n_leaves - 1):
            on_merge(t, n_leaves - 1, profiles.n_reads)
        selected = groups.pop_least_sure()  # steps 1 and 2
        # Steps 3 and 4.
        partner = groups.best(*groups.means(selected, *profiles.of(selected)))
        if partner is None:
            stranded.append(int(groups.node[selected]))
            partner = groups.earliest_other()
        children[t] = groups.node[selected], groups.node[partner]
        scores[t] = groups.score(selected)
        groups.merge(selected, partner, n_leaves + t)  # step 5
    if scale is not None:
        counts = np.ldexp(counts, scale)
        scores = np.ldexp(scores, scale if groups.aggregation == "sum" else 0)
    n_reads = profiles.n_reads
    if on_merge:
        on_merge(n_leaves - 1, n_leaves - 1, n_reads)
    return Merges(children, scores, leaves, counts, stranded, n_reads)


def replay_merges(logits, children, weights=None, *, n_jobs=None):
    """Make given merges, whatever the rows say of them, and stop before each.

    Yields the groups and profiles of that moment, and the slots of the selected group and of its
    partner.
    """
    n_leaves = logits.shape[1]
    state = read_rows(logits, n_jobs)
    groups, profiles = _begin(logits, weights, state, "sum_of_means", n_jobs)
    some_leaf = list(range(n_leaves))  # of each node
    with profiles.pool:
        for t, pair in enumerate(children.tolist()):
            selected, partner = (int(groups.slot_of_leaf[some_leaf[node]]) for node in pair)
            groups.queue.remove(pair[0])
            yield groups, profiles, selected, partner
            groups.merge(selected, partner, n_leaves + t)
            some_leaf.append(some_leaf[pair[0]])


def unit_of(heaviest):
    """Logarithm to the base 2 of a unit for weights, of which one is the heaviest.

    In it products of tiny ones need not underflow.
    """
    return min(int(np.frexp(heaviest)[1]), 0)


def leaf_profiles(logits, weights=None, *, n_jobs=None):
    """Where the rows of each leaf would go if it did not exist, (K, K): step 3 for every leaf.

    Line i is the profile r of leaf i: the sum, over its rows, of the largest softmax outside
    it, at the leaf that has it. The diagonal is 0.
    """
    n_leaves = logits.shape[1]
    state = read_rows(logits, n_jobs)
    _, profiles = _begin(logits, weights, state, "sum_of_means", n_jobs)
    table = np.zeros((n_leaves, n_leaves))
    for leaf in range(n_leaves):
        leaves, mass = profiles.of(leaf)
        table[leaf] = np.bincount(leaves, weights=mass, minlength=n_leaves)
    np.fill_diagonal(table, 0.0)
    return table


def _begin(logits, weights, state, aggregation, n_jobs):
    """Groups of one leaf each, and their profiles."""
    n_leaves = logits.shape[1]
    doubt = state.doubt if weights is None else state.doubt * weights
    doubts = np.bincount(state.leaf, weights=doubt, minlength=n_leaves)
    totals = exact_totals(state.leaf, weights, n_leaves)
    weighing = state.leaf if weights is None else state.leaf[weights > 0]
    groups = Groups(np.bincount(weighing, minlength=n_leaves), totals, doubts, aggregation)
    return groups, Profiles(logits, weights, state, groups, n_jobs)
