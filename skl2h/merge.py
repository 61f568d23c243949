"""Greedy merging of leaves: logits in, merges out.

Pure functions: rows are read in blocks, a block becomes sums, the sums become merges. Letters:

n, b     rows, rows of one block
K        leaves, the columns of the logits
V        (b, K) float64 logits of a block
h        (n,) leaf of each row
w        (n,) row weights, or None for 1 each
slot     where a group lives while it exists: one of 0..K-1, from its leaves' slots
node     the group's number in the tree: leaves first, then merges in order

Step numbers are those of "From Logits to Hierarchies" (Palumbo et al., ICML 2025,
arXiv:2410.07858); DEPARTURE marks ours.
"""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import softmax
from sklearn.utils.parallel import Parallel, delayed

from .logits import first_bad_row

__all__ = ["AGGREGATIONS", "Merges", "merge_leaves"]

AGGREGATIONS = ("sum_of_means", "sum", "mean")

# Numbers this close are equal, so that the order of additions never decides.
TOLERANCE = 1e-9

# Blocks whose sums are held until they are added up.
BLOCKS_AT_ONCE = 256


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
    n_passes : int
        How often the rows were read.
    """

    children: np.ndarray
    scores: np.ndarray
    leaves: np.ndarray
    counts: np.ndarray
    stranded: list
    n_passes: int


def merge_leaves(logits, weights=None, *, aggregation="sum_of_means", n_jobs=None, verbose=0):
    """Merge the K leaves of (n, K) `Logits`, least sure group first, into one tree.

    The profile of a group depends on its own leaves alone, so one pass over the rows makes
    those of all groups that have none, and merging needs no rows until such a group is the
    least sure. With a sum aggregation a merged group scores at least twice what was merged,
    so there are at most 1 + log2(sum of scores / smallest score) passes.
    """
    n_leaves = logits.shape[1]
    passes = _Passes(logits, weights, n_jobs)
    h, totals, doubts, profiles = passes.read_leaves()
    counts = np.bincount(h, minlength=n_leaves) if weights is None else np.array(totals, float)
    groups = _Groups(totals, doubts, aggregation)
    empty = [leaf for leaf in range(n_leaves) if not totals[leaf]]
    if empty and n_leaves > 1:
        profiles |= passes.read_soft_profiles(h, empty)

    children = np.empty((n_leaves - 1, 2), dtype=np.intp)
    scores = np.empty(n_leaves - 1)
    stranded = []
    for t in range(n_leaves - 1):
        selected = groups.least_sure()  # steps 1 and 2
        if selected not in profiles:  # step 3, for all groups that wait for it
            pending = np.setdiff1d(groups.alive(), list(profiles))
            if verbose:
                print(f"[l2h] pass {passes.count + 1}: {t} of {n_leaves - 1} merges made")
            profiles |= passes.read_profiles(h, groups.slot_of_leaf, pending)
        partner = groups.partner(selected, *profiles[selected])  # step 4
        if partner is None:
            stranded.append(int(groups.node[selected]))
            partner = groups.earliest_other(selected)
        children[t] = groups.node[[selected, partner]]
        scores[t] = groups.score(selected)
        of_both = profiles.pop(selected), profiles.pop(partner, None)
        merged = groups.merge(selected, partner, n_leaves + t)  # step 5
        if not groups.total[merged]:
            # DEPARTURE: without rows, a profile is the sum of the leaves' soft ones.
            profiles[merged] = tuple(map(np.concatenate, zip(*of_both)))
    if verbose:
        print(f"[l2h] {n_leaves} leaves merged in {passes.count} passes over the rows")
    return Merges(children, scores, h, counts, stranded, passes.count)


class _Groups:
    """The current grouping, by slot: who is in it, how sure the model is of it.

    A score is a mass less a doubt, kept apart: of a confident model the scores are all equal
    in float64, the doubts are not. Both add up when groups merge, except with "mean".
    """

    def __init__(self, totals, doubts, aggregation):
        n_leaves = len(totals)
        self.aggregation = aggregation
        self.total = list(totals)  # weight of the rows, an int or a Fraction: exact
        self.sum_of_doubts = doubts
        self.node = np.arange(n_leaves)
        self.size = np.ones(n_leaves, dtype=np.intp)
        self.slot_of_leaf = np.arange(n_leaves)
        self.members = [[leaf] for leaf in range(n_leaves)]
        rows = np.array(totals, dtype=np.float64)
        mean_doubts = np.divide(doubts, rows, out=np.ones(n_leaves), where=rows > 0)
        if aggregation == "sum":
            self.mass, self.doubt = rows, doubts.copy()
        else:
            self.mass, self.doubt = np.ones(n_leaves), mean_doubts

    def alive(self):
        """Slots in use."""
        return np.flatnonzero(self.size)

    def score(self, slot):
        return self.mass[slot] - self.doubt[slot]

    def least_sure(self):
        """Slot with the smallest score; of equal ones, the group formed earliest."""
        score = np.where(self.size > 0, self.mass - self.doubt, np.inf)
        # What the subtraction rounded off: with it, (score, error) has all digits.
        error = (self.mass - score) - self.doubt
        error[self.size == 0] = 0.0
        smallest = np.flatnonzero(score == score.min())
        smallest = smallest[error[smallest] == error[smallest].min()]
        first = smallest[self.node[smallest].argmin()]
        gap = (score - score[first]) + (error - error[first])
        equal = np.flatnonzero(gap <= TOLERANCE * (self.doubt + self.doubt[first]))
        return int(equal[self.node[equal].argmin()])

    def partner(self, selected, leaves, mass):
        """Slot with the largest mean of the profile over its leaves, None if all are 0."""
        slots, inverse = np.unique(self.slot_of_leaf[leaves], return_inverse=True)
        means = np.bincount(inverse, weights=mass) / self.size[slots]
        means[slots == selected] = 0.0
        if not (len(means) and means.max() > 0):
            return None
        equal = slots[means >= means.max() * (1 - TOLERANCE)]
        return int(equal[self.node[equal].argmin()])

    def earliest_other(self, selected):
        others = np.setdiff1d(self.alive(), [selected])
        return int(others[self.node[others].argmin()])

    def merge(self, selected, partner, node):
        """Join two groups in the slot of the larger one, so that few leaves are renamed."""
        kept, left = (selected, partner)
        if self.size[partner] > self.size[selected]:
            kept, left = partner, selected
        self.slot_of_leaf[self.members[left]] = kept
        self.members[kept] += self.members[left]
        self.members[left] = []
        self.node[kept] = node
        self.size[kept] += self.size[left]
        self.size[left] = 0
        self.total[kept] += self.total[left]
        self.sum_of_doubts[kept] += self.sum_of_doubts[left]
        if self.aggregation == "sum_of_means":
            self.mass[kept] += self.mass[left]
            self.doubt[kept] += self.doubt[left]
        elif self.aggregation == "sum":
            self.mass[kept] = float(self.total[kept])
            self.doubt[kept] = self.sum_of_doubts[kept]
        elif self.total[kept]:
            self.doubt[kept] = self.sum_of_doubts[kept] / float(self.total[kept])
        return kept


class _Passes:
    """Reads all rows, block by block, and adds the blocks' sums in the order of the rows."""

    def __init__(self, logits, weights, n_jobs):
        self.logits = logits
        self.weights = weights
        self.n_jobs = n_jobs
        self.count = 0

    def read_leaves(self):
        """Leaf of each row; exact weight, sum of doubts and profile of each leaf."""
        n_rows, n_leaves = self.logits.shape
        h = np.empty(n_rows, dtype=np.intp)
        doubts, profiles = [], []
        for rows, sums in self._map(leaf_sums):
            self.logits.check_rows(sums.bad_row, rows.start)
            h[rows] = sums.leaves
            doubts.append(sums.doubts)
            profiles.append(sums.profile)
        doubt = np.zeros(n_leaves)
        leaves, sums = _add_up(doubts)
        doubt[leaves] = sums
        totals = _exact_totals(h, self.weights, n_leaves)
        return h, totals, doubt, self._by_slot(profiles, range(n_leaves))

    def read_profiles(self, h, slot_of_leaf, pending):
        """Profile of each pending slot: leaves outside it, and the mass that goes there."""
        wanted = np.zeros(len(slot_of_leaf), dtype=bool)
        wanted[pending] = True
        blocks = self._map(group_sums, h, slot_of_leaf=slot_of_leaf, wanted=wanted)
        return self._by_slot([sums for _, sums in blocks], pending.tolist())

    def read_soft_profiles(self, h, empty):
        """Profile of each leaf that has no rows: who would miss it least."""
        blocks = self._map(soft_sums, h, empty=empty)
        mass = sum(sums for _, sums in blocks)
        return {
            leaf: (np.flatnonzero(column), column[column > 0])
            for leaf, column in zip(empty, mass.T)
        }

    def _map(self, function, *by_row, **shared):
        """Yield (rows, sums) of every block, in the order of the rows."""
        self.count += 1
        slices = self.logits.blocks()
        with Parallel(n_jobs=self.n_jobs, prefer="threads") as parallel:
            # Some blocks at a time: what waits to be added up stays small.
            for start in range(0, len(slices), BLOCKS_AT_ONCE):
                some = slices[start : start + BLOCKS_AT_ONCE]
                tasks = (
                    delayed(function)(
                        self.logits[rows],
                        None if self.weights is None else self.weights[rows],
                        *(values[rows] for values in by_row),
                        **shared,
                    )
                    for rows in some
                )
                yield from zip(some, parallel(tasks))

    def _by_slot(self, profiles, wanted):
        """Split sums over keys ``slot * K + leaf`` into (leaves, mass) for each wanted slot."""
        n_leaves = self.logits.shape[1]
        keys, mass = _add_up(profiles)
        slots, leaves = np.divmod(keys, n_leaves)
        slots, starts = np.unique(slots, return_index=True)
        parts = zip(np.split(leaves, starts[1:]), np.split(mass, starts[1:]))
        nowhere = np.empty(0, dtype=np.intp), np.empty(0)
        return dict.fromkeys(wanted, nowhere) | dict(zip(slots.tolist(), parts))


class LeafSums(NamedTuple):
    """What a block adds in the first pass; sums are (keys, values)."""

    bad_row: int | None
    leaves: np.ndarray
    doubts: tuple
    profile: tuple


def leaf_sums(block, w):
    """Leaves of the rows of a block, its share of their doubts and of their profiles."""
    V = block.values()
    h = V.argmax(axis=1)
    bad_row = first_bad_row(V, h)
    if bad_row is not None:
        return LeafSums(bad_row, h, None, None)
    rows = np.arange(len(V))
    top = V[rows, h]
    V[rows, h] = -np.inf
    second, outside = _largest(V)
    # Doubt comes from what is outside, never as 1 minus a rounded 1.
    rest = outside * np.exp(V[rows, second] - top)
    doubt = rest / (1 + rest)
    if w is not None:
        doubt *= w
    return LeafSums(None, h, _sums(h, doubt), _profile_sums(h, second, outside, w, V.shape[1]))


def group_sums(block, w, h, slot_of_leaf, wanted):
    """Share of a block in the profiles of the wanted slots."""
    slots = slot_of_leaf[h]
    some = np.flatnonzero(wanted[slots])
    slots = slots[some]
    V = block[some].values()
    V[slot_of_leaf == slots[:, np.newaxis]] = -np.inf
    second, outside = _largest(V)
    return _profile_sums(slots, second, outside, None if w is None else w[some], V.shape[1])


def soft_sums(block, w, h, empty):
    """Share of a block in the (K, len(empty)) soft profiles of leaves without rows."""
    V = block.values()
    w = np.ones(len(V)) if w is None else w
    by_leaf = csr_matrix((w, (h, np.arange(len(V)))), shape=(V.shape[1], len(V)))
    return by_leaf @ softmax(V, axis=1)[:, empty]


def _largest(V):
    """Column of the largest logit of each row, and the sum of exp(logit - largest).

    The sum is at least 1, and 0 for a row of -inf.
    """
    rows = np.arange(len(V))
    column = V.argmax(axis=1)
    largest = V[rows, column]
    return column, np.exp(V - np.where(np.isneginf(largest), 0, largest)[:, np.newaxis]).sum(axis=1)


def _profile_sums(slots, second, outside, w, n_leaves):
    # Largest softmax over the leaves outside: 1 / outside. Rows with nothing outside count 0.
    mass = np.divide(1.0 if w is None else w, outside, out=np.zeros(len(slots)), where=outside > 0)
    return _sums(slots * n_leaves + second, mass)


def _sums(keys, values):
    """Distinct keys in increasing order, and the sum of their values, where not 0."""
    keys, inverse = np.unique(keys, return_inverse=True)
    sums = np.bincount(inverse, weights=values, minlength=len(keys))
    return keys[sums > 0], sums[sums > 0]


def _add_up(parts):
    """Add (keys, values) of several blocks, in their order."""
    keys, values = zip(*parts)
    return _sums(np.concatenate(keys), np.concatenate(values))


def _exact_totals(h, weights, n_leaves):
    """Weight of the rows of each leaf, as ints or Fractions.

    With "sum" two groups may weigh the same and differ in a doubt of 1e-12: a weight that
    depended on the order of additions would decide. So each weight is cut into three whole
    numbers, in units of 2^-72 of the largest: their sums have no rounding.
    """
    if weights is None:
        return np.bincount(h, minlength=n_leaves).tolist()
    exponent = int(np.frexp(weights.max(initial=0.0))[1])
    rest = np.ldexp(weights, 72 - exponent)
    totals = [0] * n_leaves
    for bits in (48, 24, 0):
        part = np.rint(np.ldexp(rest, -bits))
        rest = rest - np.ldexp(part, bits)
        sums = np.bincount(h, weights=part, minlength=n_leaves)
        totals = [total + (int(some) << bits) for total, some in zip(totals, sums)]
    return [total * Fraction(2) ** (exponent - 72) for total in totals]
