"""Greedy merging of leaves: logits in, merges out.

Letters:

n        rows
K        leaves, the columns of the logits
slot     where a group lives while it exists: one of 0..K-1, from its leaves' slots
profile  of a group, where its rows would go without its leaves: leaves, and mass for each
node     the group's number in the tree: leaves first, then merges in order

Step numbers are those of "From Logits to Hierarchies" (Palumbo et al., ICML 2025,
arXiv:2410.07858); DEPARTURE marks ours.
"""

from typing import NamedTuple

import numpy as np

from .aggregations import AGGREGATIONS
from .groups import Groups
from .profiles import Profiles
from .queue import Queue
from .rows import read_rows
from .weights import exact_totals, unit_of

__all__ = [
    "N_REPORTS",
    "Merges",
    "in_own_unit",
    "leaf_profiles",
    "merge_groups",
    "merge_leaves",
    "replay_merges",
]

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
    n_reads : float
        How often a row was read, on average; not counting soft profiles.
    """

    children: np.ndarray
    scores: np.ndarray
    leaves: np.ndarray
    counts: np.ndarray
    stranded: list
    n_reads: float


def merge_leaves(
    logits, weights=None, *, aggregation="sum_of_means", n_jobs=None, on_merge=None, state=None
):
    """Merge the K leaves of (n, K) `Logits`, least sure group first, into one tree.

    The profile of a group depends on its own leaves alone. So a row is read again only when its
    group has grown and is about to be the least sure: its score s is at most AHEAD times the
    smallest. With a sum aggregation it scores at least s + s / AHEAD when it has grown again.
    So no row is read more often than 1 + log(sum of scores / smallest score), where the logarithm
    has the base 1 + 1 / AHEAD, and the smallest is that of the groups with rows. For leaves
    without any, all rows are read once more, which does not count here.

    `on_merge` is called with the merges made, the merges in all, and how often each row was
    read so far: when the rows have been read, at each hundredth of the merges, and at the end.
    That is min(K, N_REPORTS + 1) times.

    `state` is what `read_rows` gives, which does not depend on weights; it is changed. None
    reads the rows.
    """
    state = read_rows(logits, n_jobs) if state is None else state
    scale = None
    if weights is not None:
        weights, scale = in_own_unit(weights)
    groups, profiles = _begin(logits, weights, state, aggregation, n_jobs)
    with profiles.pool:
        return merge_groups(groups, profiles, state.leaf, scale, on_merge)


def merge_groups(groups, profiles, leaves, scale=None, on_merge=None):
    """Merge groups of one leaf each, as their profiles say.

    `profiles` have three things: ``of(slot)``, leaves outside a group and the mass that goes
    there; ``grow(slot)``, which is called with each group that has been merged; and `n_reads`.
    `scale` is the logarithm of the weights' unit to the base 2, None if there are no weights.
    `leaves` are given back.
    """
    n_leaves, n_merges = groups.n_leaves, groups.n_leaves - 1
    counts = np.array(groups.total, dtype=np.int64 if scale is None else np.float64)
    children = np.empty((n_merges, 2), dtype=np.intp)
    scores = np.empty(n_merges)
    stranded = []
    # Step 1: score each group by how sure the model is of it.
    queue = Queue()
    for leaf in range(n_leaves):
        queue.push(groups.mass[leaf], groups.doubt[leaf], leaf, leaf)
    for t in range(n_merges):
        if on_merge and t * N_REPORTS // n_merges > (t - 1) * N_REPORTS // n_merges:
            on_merge(t, n_merges, profiles.n_reads)
        # Step 2: select the group with the smallest score; of equal ones, formed earliest.
        selected = queue.pop()
        # Step 3: for each of its rows take the softmax over the leaves outside the group only;
        # the profile sums the maxima by the leaf where they are.
        leaves_outside, mass = profiles.of(selected)
        # Step 4: the partner is the group with the largest mean of the profile over its leaves;
        # of equal ones, formed earliest.
        partner = groups.best(*groups.means(selected, leaves_outside, mass))
        if partner is None:
            # DEPARTURE: where no row gives a way out, the group formed earliest is the partner.
            stranded.append(groups.node[selected])
            partner = queue.earliest()
        # Step 5: merge them, selected group first, and begin again.
        children[t] = groups.node[selected], groups.node[partner]
        scores[t] = groups.score(selected)
        queue.remove(groups.node[partner])
        merged = groups.merge(selected, partner, n_leaves + t)
        profiles.growth.add(merged)
        queue.push(groups.mass[merged], groups.doubt[merged], n_leaves + t, merged)
    if scale is not None:
        counts = np.ldexp(counts, scale)
        scores = np.ldexp(scores, scale * groups.aggregation.unit)
    n_reads = profiles.n_reads
    if on_merge:
        on_merge(n_merges, n_merges, n_reads)
    return Merges(children, scores, leaves, counts, stranded, n_reads)


def replay_merges(logits, children, weights=None, *, n_jobs=None):
    """Make given merges, whether the rows ask for them or not, and stop before each.

    Yields the groups and profiles at that moment, and the slots of the selected group and of its
    partner.
    """
    n_leaves = logits.shape[1]
    state = read_rows(logits, n_jobs)
    groups, profiles = _begin(logits, weights, state, "sum_of_means", n_jobs)
    leaf_of_node = list(range(n_leaves))  # any leaf below it
    with profiles.pool:
        for t, pair in enumerate(children.tolist()):
            selected, partner = (int(groups.slot_of_leaf[leaf_of_node[node]]) for node in pair)
            yield groups, profiles, selected, partner
            profiles.growth.add(groups.merge(selected, partner, n_leaves + t))
            leaf_of_node.append(leaf_of_node[pair[0]])


def in_own_unit(weights):
    """Weights in a unit of their own, and the logarithm of the unit to the base 2."""
    scale = unit_of(weights.max())
    return np.ldexp(weights, -scale), scale


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
    n_rows = np.bincount(weighing, minlength=n_leaves)
    groups = Groups(n_rows, totals, doubts, AGGREGATIONS[aggregation])
    return groups, Profiles(logits, weights, state, groups, n_jobs)
