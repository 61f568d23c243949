"""The current grouping of the leaves: who is in which group, and how sure the model is of it.

slot     where a group lives while it exists: one of 0..K-1, from its leaves' slots
node     the group's number in the tree: leaves first, then merges in order
"""

from array import array
from fractions import Fraction
from heapq import heappop, heappush
from math import fsum

import numpy as np

__all__ = ["AHEAD", "TOLERANCE", "Groups", "digits_of", "exact_totals", "sum_digits"]

# Numbers this close are equal, so that the order of additions never decides.
TOLERANCE = 1e-9

# A profile this many times shorter than the number of leaves is added up by sorting.
FEW = 64

# Groups are read ahead of being selected, so that many small ones are read at once: those
# whose score is no more than this many times the least.
AHEAD = 1.25

# Exponents of float64, as `frexp` has them, lie between this and this plus so many.
LOWEST = -1100
N_EXPONENTS = 2200


class Groups:
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

    def means(self, selected, leaves, mass):
        """Slots, and the mean of the profile over the leaves of each; 0 for the selected."""
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
        return used, means

    def best(self, slots, means):
        """Slot with the largest mean, None if all are 0; of equal ones, formed earliest."""
        best = means.max(initial=0.0)
        if not best > 0:
            return None
        equal = slots[means >= best * (1 - TOLERANCE)].tolist()
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


def exact_totals(h, weights, n_leaves):
    """Weight of the rows of each leaf, as an int or a Fraction without any rounding.

    With "sum" two groups may weigh the same and differ in a doubt of 1e-12: a weight that
    depended on the order of additions would decide.
    """
    if weights is None:
        return np.bincount(h, minlength=n_leaves).tolist()
    if weights.sum() < 2**53 and np.array_equal(weights, np.floor(weights)):
        return [int(total) for total in np.bincount(h, weights=weights, minlength=n_leaves)]
    keys, sums = digits_of(h, weights)
    return sum_digits(keys, sums, n_leaves)


def digits_of(h, weights):
    """Weight of the rows of each leaf without any rounding: keys (m,) and sums (m, 2), whole.

    Sums of equal keys may be added. Rows are at most 2**26, so that float64 holds their sums.
    """
    # Whole mantissas are added in two halves, apart for each leaf and exponent: exact in float64.
    mantissas, exponents = np.frexp(weights)
    high = np.floor(mantissas * 2**27)
    low = (mantissas * 2**27 - high) * 2**26
    keys, inverse = np.unique(h * N_EXPONENTS + (exponents - LOWEST), return_inverse=True)
    sums = [np.bincount(inverse, weights=half) for half in (high, low)]
    return keys, np.stack(sums, axis=1).astype(np.int64)


def sum_digits(keys, sums, n_leaves):
    """Weight of the rows of each leaf as a Fraction, from the sums of `digits_of`."""
    totals = [Fraction(0)] * n_leaves
    for key, (high, low) in zip(keys.tolist(), sums.tolist()):
        leaf, exponent = divmod(key, N_EXPONENTS)
        totals[leaf] += Fraction((high << 26) + low) * Fraction(2) ** (exponent + LOWEST - 53)
    return totals
