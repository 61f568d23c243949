"""Greedy merging of leaves: logits in, merges out.

Letters:

n        rows
K        leaves, the columns of the logits
slot     where a group lives while it exists: one of 0..K-1, from its leaves' slots
node     the group's number in the tree: leaves first, then merges in order

Step numbers are those of "From Logits to Hierarchies" (Palumbo et al., ICML 2025,
arXiv:2410.07858); DEPARTURE marks ours.
"""

from array import array
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from heapq import heappop, heappush
from math import fsum
from typing import NamedTuple

import numpy as np
from joblib import cpu_count, effective_n_jobs
from sklearn import get_config

from .logits import SparseLogits
from .rows import Part, leave_out, read_rows, soft_probabilities
from .sparse import soft_profiles

__all__ = ["AGGREGATIONS", "N_REPORTS", "Merges", "leaf_profiles", "merge_leaves"]

AGGREGATIONS = ("sum_of_means", "sum", "mean")

# Numbers this close are equal, so that the order of additions never decides.
TOLERANCE = 1e-9

# Progress is reported at each hundredth of the merges.
N_REPORTS = 100

# A profile this many times shorter than the number of leaves is added up by sorting.
FEW = 64

# Entries of the table that holds profiles of leaves without rows while it is filled.
SOFT_ENTRIES = 2**22

# Groups are read ahead of being selected, so that many small ones are read at once: those
# whose score is no more than this many times the least, and of these at most one task's rows,
# or one in so many of all.
AHEAD = 1.25
BATCHES = 6

# Entries of the rows that one task brings up to date.
TASK_ENTRIES = 2**22


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


def merge_leaves(logits, weights=None, *, aggregation="sum_of_means", n_jobs=None, on_merge=None):
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
    """
    n_leaves = logits.shape[1]
    state = read_rows(logits, n_jobs)
    scale = 0
    if weights is not None:
        # The weights' unit does not matter, so that products of tiny ones need not underflow.
        scale = min(int(np.frexp(weights.max())[1]), 0)
        weights = np.ldexp(weights, -scale)
    totals = _exact_totals(state.leaf, weights, n_leaves)
    doubt = state.doubt if weights is None else state.doubt * weights
    doubts = np.bincount(state.leaf, weights=doubt, minlength=n_leaves)
    n_rows = np.bincount(state.leaf, minlength=n_leaves)
    groups = _Groups(n_rows, totals, doubts, aggregation)
    profiles = _Profiles(logits, weights, state, groups, n_jobs)

    children = np.empty((n_leaves - 1, 2), dtype=np.intp)
    scores = np.empty(n_leaves - 1)
    stranded = []
    with profiles.pool:
        for t in range(n_leaves - 1):
            if on_merge and t * N_REPORTS // (n_leaves - 1) > (t - 1) * N_REPORTS // (n_leaves - 1):
                on_merge(t, n_leaves - 1, 1 + profiles.n_rows_read / len(state.leaf))
            selected = groups.pop_least_sure()  # steps 1 and 2
            partner = groups.best(selected, *profiles.of(selected))  # steps 3 and 4
            if partner is None:
                stranded.append(int(groups.node[selected]))
                partner = groups.earliest_other()
            children[t] = groups.node[selected], groups.node[partner]
            scores[t] = groups.score(selected)
            groups.merge(selected, partner, n_leaves + t)  # step 5
    counts = np.array(totals, dtype=np.int64 if weights is None else np.float64)
    if weights is not None:
        counts = np.ldexp(counts, scale)
        scores = np.ldexp(scores, scale if aggregation == "sum" else 0)
    n_passes = 1 + profiles.n_rows_read / len(state.leaf)
    if on_merge:
        on_merge(n_leaves - 1, n_leaves - 1, n_passes)
    return Merges(children, scores, state.leaf, counts, stranded, n_passes)


def leaf_profiles(logits, weights=None, *, n_jobs=None):
    """Where the rows of each leaf would go if it did not exist, (K, K): step 3 for every leaf.

    Line i is the profile r of leaf i: the sum, over its rows, of the largest softmax outside
    it, at the leaf that has it. The diagonal is 0.
    """
    n_leaves = logits.shape[1]
    state = read_rows(logits, n_jobs)
    totals = _exact_totals(state.leaf, weights, n_leaves)
    n_rows = np.bincount(state.leaf, minlength=n_leaves)
    groups = _Groups(n_rows, totals, np.zeros(n_leaves), "sum")
    profiles = _Profiles(logits, weights, state, groups, n_jobs)
    table = np.zeros((n_leaves, n_leaves))
    for leaf in range(n_leaves):
        leaves, mass = profiles.of(leaf)
        table[leaf] = np.bincount(leaves, weights=mass, minlength=n_leaves)
    np.fill_diagonal(table, 0.0)
    return table


class _Groups:
    """The current grouping, by slot: who is in it, how sure the model is of it.

    A score is a mass less a doubt, kept apart: of a confident model the scores are all equal
    in float64, the doubts are not. Both add up when groups merge, except with "mean".
    """

    def __init__(self, n_rows, totals, doubts, aggregation):
        n_leaves = len(totals)
        self.n_rows = n_rows.tolist()
        self.aggregation = aggregation
        self.total = list(totals)  # weight of the rows, an int or a Fraction: exact
        self.sum_of_doubts = doubts.tolist()
        self.node = list(range(n_leaves))
        self.size = np.ones(n_leaves)  # 1 also where no group lives any more: it divides
        self.slots = np.arange(n_leaves)
        self.slot_of_leaf = np.arange(n_leaves)
        self.members = [array("q", [leaf]) for leaf in range(n_leaves)]
        # Lengths of the stretches of `members` that were a group when last looked at.
        self.parts = [[1] for _ in range(n_leaves)]
        self.mass, self.doubt = [0] * n_leaves, [0.0] * n_leaves
        self.grown = []  # those with more than one part, least sure first
        self.queue = _Queue()
        for slot in range(n_leaves):
            self._weigh(slot)

    def score(self, slot):
        return float(self.mass[slot]) - self.doubt[slot]

    def pop_least_sure(self):
        """Slot with the smallest score; of equal ones, the group formed earliest."""
        return self.queue.pop()

    def best(self, selected, leaves, mass):
        """Slot with the largest mean of the profile over its leaves, None if all are 0."""
        slots = self.slot_of_leaf[leaves]
        if len(slots) * FEW < len(self.size):
            used, slots = np.unique(slots, return_inverse=True)
            means = np.bincount(slots, weights=mass) / self.size[used]
            means[used == selected] = 0.0
        else:
            used = self.slots
            means = np.bincount(slots, weights=mass, minlength=len(used))
            means /= self.size
            means[selected] = 0.0
        best = means.max(initial=0.0)
        if not best > 0:
            return None
        equal = used[means >= best * (1 - TOLERANCE)].tolist()
        return min(equal, key=self.node.__getitem__)

    def is_last_but_one(self):
        """Whether one group is left besides the one that was popped last."""
        return len(self.queue.alive) == 1

    def earliest_other(self):
        """Slot of the group formed earliest, but for the one that was popped last."""
        return self.queue.earliest()

    def next_grown(self, slot, most_rows):
        """A group that has grown, and others that may be selected soon after."""
        chosen, n_rows = [slot], self.n_rows[slot]
        limit = AHEAD * self.score(slot)
        while self.grown:
            score, node, other = self.grown[0]
            if self.node[other] == node and other != slot:
                n_rows += self.n_rows[other]
                if score > limit or n_rows > most_rows:
                    break
                chosen.append(other)
            heappop(self.grown)
        return chosen

    def merge(self, selected, partner, node):
        """Join two groups in the slot of the larger one, so that few leaves are renamed."""
        kept, left = selected, partner
        if self.size[partner] > self.size[selected]:
            kept, left = partner, selected
        self.queue.remove(self.node[partner])
        self.slot_of_leaf[self.members[left]] = kept
        self.members[kept] += self.members[left]
        self.parts[kept] += self.parts[left]
        self.members[left], self.parts[left] = array("q"), []
        self.node[kept], self.node[left] = node, -1
        self.size[kept] += self.size[left]
        self.size[left] = 1
        self.n_rows[kept] += self.n_rows[left]
        self.total[kept] += self.total[left]
        self.sum_of_doubts[kept] += self.sum_of_doubts[left]
        if self.aggregation == "sum_of_means":
            self.mass[kept] += self.mass[left]
            self.doubt[kept] += self.doubt[left]
            self.queue.push(self.mass[kept], self.doubt[kept], node, kept)
        else:
            self._weigh(kept)
        heappush(self.grown, (self.score(kept), node, kept))

    def _weigh(self, slot):
        """Mass and doubt of a group from its rows; both are 0 where it has none."""
        total = self.total[slot]
        if total and self.aggregation == "sum":
            self.mass[slot], self.doubt[slot] = total, self.sum_of_doubts[slot]
        elif total:
            self.mass[slot], self.doubt[slot] = 1, self.sum_of_doubts[slot] / float(total)
        self.queue.push(self.mass[slot], self.doubt[slot], self.node[slot], slot)


class _Queue:
    """Groups by score, where scores within the tolerance are equal.

    A group of mass m and doubt d equals the least sure one, of mass n and doubt e, if
    m - d <= n - e + T (d + e), with T the tolerance, that is m - d (1 + T) <= n - e (1 - T): two
    orders of the groups, by each side of this, tell who is equal without comparing all.
    """

    def __init__(self):
        self.by_score = []
        self.by_lower = []
        self.equal = []  # by node, those that were equal to the least sure one
        self.alive = {}

    def push(self, mass, doubt, node, slot):
        self.alive[node] = slot
        heappush(self.by_score, (_digits(mass, doubt), node, mass, doubt))
        heappush(self.by_lower, (_digits(mass, doubt * (1 + TOLERANCE)), node))

    def remove(self, node):
        del self.alive[node]

    def earliest(self):
        """Slot of the earliest node that is left."""
        # Nodes are pushed in order and a dict keeps the order: the first is the earliest.
        return next(iter(self.alive.values()))

    def pop(self):
        """Slot of the earliest node among the least sure."""
        while self.by_score[0][1] not in self.alive:
            heappop(self.by_score)
        _, _, mass, doubt = self.by_score[0]
        limit = _digits(mass, doubt * (1 - TOLERANCE))
        while self.by_lower and self.by_lower[0][0] <= limit:
            lower, node = heappop(self.by_lower)
            heappush(self.equal, (node, lower))
        while True:
            node, lower = heappop(self.equal)
            if node not in self.alive:
                continue
            if lower <= limit:
                return self.alive.pop(node)
            heappush(self.by_lower, (lower, node))


def _digits(mass, doubt):
    """``mass - doubt`` as floats, each what the ones before rounded off: they compare as it does.

    Of two floats the difference has two such parts, by Knuth's sum; a fraction has more digits.
    """
    high = float(mass)
    if not isinstance(mass, Fraction):
        first = high - doubt
        back = first - high
        return first, (high - (first - back)) - (doubt + back), 0.0
    terms = high, float(mass - Fraction(high)), -doubt
    first = fsum(terms)
    second = fsum((*terms, -first))
    return first, second, fsum((*terms, -first, -second))


class _Profiles:
    """Where the rows of a group would go if its leaves did not exist."""

    def __init__(self, logits, weights, state, groups, n_jobs):
        self.logits = logits
        self.weights = weights
        self.state = state
        self.groups = groups
        self.n_threads = min(effective_n_jobs(n_jobs), cpu_count())
        self.pool = ThreadPoolExecutor(max(self.n_threads - 1, 1))  # starts threads when used
        self.n_rows_read = 0
        n_leaves = logits.shape[1]
        # Narrow integers are sorted by radix.
        leaf = state.leaf.astype(np.uint16) if n_leaves <= 2**16 else state.leaf
        self.order = np.argsort(leaf, kind="stable")
        self.starts = np.searchsorted(state.leaf[self.order], np.arange(n_leaves + 1)).tolist()
        self.empty = [leaf for leaf, total in enumerate(groups.total) if not total]
        self.soft = {}  # profiles of some of them
        if isinstance(logits, SparseLogits):
            self.rows_per_task = logits.rows_per_block()
        else:
            # About three arrays of float64 for the entries that are read.
            most = min(TASK_ENTRIES, get_config()["working_memory"] * 2**20 / 24)
            self.rows_per_task = max(int(most // logits.entries_per_row), 1)
        self.most_rows = max(len(leaf) // BATCHES, self.rows_per_task)

    def of(self, slot):
        """Leaves outside a group, and the mass that goes there; leaves may repeat."""
        members = self.groups.members[slot]
        if not self.groups.total[slot]:
            # DEPARTURE: without rows, a profile is the sum of the leaves' soft ones.
            with np.errstate(all="ignore"):
                return tuple(map(np.concatenate, zip(*map(self._soft_profile, members))))
        rows = self._rows(members)
        if len(self.groups.parts[slot]) > 1:
            if self.groups.is_last_but_one():
                # There is one way to go: any row that still can go there tells enough.
                can = self.groups.slot_of_leaf[self.state.second[rows]] != slot
                can &= self.state.share[rows] > 0
                if self.weights is not None:
                    can &= self.weights[rows] > 0
                if can.any():
                    return self.state.second[rows[can][:1]], np.ones(1)
            self._leave_out(self.groups.next_grown(slot, self.most_rows))
        mass = self.state.share[rows]
        if self.weights is not None:
            mass = mass * self.weights[rows]
        return self.state.second[rows], mass

    def _leave_out(self, slots):
        """Bring the rows of some groups up to date."""
        tasks, room, n_rows = [], 0, 0
        for slot in slots:
            members = np.array(self.groups.members[slot])
            stop = 0
            for length in self.groups.parts[slot]:
                start, stop = stop, stop + length
                rows = self._rows(members[start:stop].tolist())
                n_rows += len(rows)
                while len(rows):
                    if not room:
                        tasks.append([])
                        room = self.rows_per_task
                    tasks[-1].append(Part(rows[:room], slot, members, slice(start, stop)))
                    room, rows = max(room - len(rows), 0), rows[room:]
            self.groups.parts[slot] = [len(members)]
        self.n_rows_read += n_rows
        self._run(deque(tasks))

    def _run(self, tasks):
        """Share tasks among the threads, of which this is one."""
        # They take milliseconds: joblib would wait for them in steps of ten.
        n_others = min(self.n_threads, len(tasks)) - 1
        others = [self.pool.submit(self._work, tasks) for _ in range(n_others)]
        try:
            self._work(tasks)
            for other in others:
                other.result()
        finally:
            tasks.clear()  # after an interrupt, nobody takes another

    def _work(self, tasks):
        with np.errstate(all="ignore"):  # exp(-1000) is 0, and meant to be
            while True:
                try:
                    task = tasks.popleft()
                except IndexError:
                    return
                leave_out(self.logits, self.state, task, self.groups.slot_of_leaf)

    def _rows(self, leaves):
        starts, order = self.starts, self.order
        if len(leaves) == 1:
            return order[starts[leaves[0]] : starts[leaves[0] + 1]]
        return np.concatenate([order[starts[leaf] : starts[leaf + 1]] for leaf in leaves])

    def _soft_profile(self, leaf):
        """Profile of a leaf that has no rows: whose rows find it most plausible."""
        if isinstance(self.logits, SparseLogits) and not self.soft:
            table = soft_profiles(self.logits, self.state, self.weights, self.empty)
            for one in self.empty:
                column = slice(table.indptr[one], table.indptr[one + 1])
                self.soft[one] = table.indices[column], table.data[column]
        elif leaf not in self.soft:
            n_leaves = self.logits.shape[1]
            some = self.empty[self.empty.index(leaf) :][: max(SOFT_ENTRIES // n_leaves, 1)]
            mass = np.zeros((n_leaves, len(some)))
            step = self.logits.rows_per_block()
            for start in range(0, len(self.order), step):
                # In the order of leaves, the rows of a leaf are a stretch of the block.
                rows = self.order[start : start + step]
                present, first = np.unique(self.state.leaf[rows], return_index=True)
                p = soft_probabilities(self.logits, self.state, rows, np.array(some))
                if self.weights is not None:
                    p *= self.weights[rows, np.newaxis]
                mass[present] += np.add.reduceat(p, first, axis=0)
            self.soft = {
                one: (np.flatnonzero(column), column[column > 0])
                for one, column in zip(some, mass.T)
            }
        return self.soft[leaf]


def _exact_totals(h, weights, n_leaves):
    """Weight of the rows of each leaf, as an int or a Fraction without any rounding.

    With "sum" two groups may weigh the same and differ in a doubt of 1e-12: a weight that
    depended on the order of additions would decide.
    """
    if weights is None:
        return np.bincount(h, minlength=n_leaves).tolist()
    # Whole mantissas are added in two halves, apart for each leaf and exponent: exact in float64.
    mantissas, exponents = np.frexp(weights)
    high = np.floor(mantissas * 2**27)
    low = (mantissas * 2**27 - high) * 2**26
    lowest = int(exponents.min())
    keys = h * (int(exponents.max()) - lowest + 1) + (exponents - lowest)
    keys, inverse = np.unique(keys, return_inverse=True)
    sums = zip(np.bincount(inverse, weights=high), np.bincount(inverse, weights=low))
    totals = [Fraction(0)] * n_leaves
    for key, (high, low) in zip(keys.tolist(), sums):
        leaf, exponent = divmod(key, int(exponents.max()) - lowest + 1)
        total = (int(high) << 26) + int(low)
        totals[leaf] += Fraction(total) * Fraction(2) ** (exponent + lowest - 53)
    return totals
