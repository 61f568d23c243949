"""The current grouping of the leaves: who is in which group, and how sure the model is of it.

slot     where a group lives while it exists: one of 0..K-1, from its leaves' slots
node     the group's number in the tree: leaves first, then merges in order
"""

from array import array

import numpy as np

from .queue import TOLERANCE

__all__ = ["Groups"]

# A profile this many times shorter than the number of leaves is added up by sorting.
FEW = 64


class Groups:
    """The current grouping, by slot: who is in it, how sure the model is of it.

    Parameters
    ----------
    n_rows : ndarray of shape (K,), dtype=int
        Rows of each leaf that weigh anything.
    totals : sequence of int or Fraction, of length K
        Their weight, exactly.
    doubts : ndarray of shape (K,)
        Sum of their doubts, each times its weight.
    aggregation : Aggregation
        How a group is scored.
    """

    def __init__(self, n_rows, totals, doubts, aggregation):
        self.n_leaves = self.n_groups = len(totals)
        self.aggregation = aggregation
        self.n_rows = n_rows.tolist()
        self.total = list(totals)
        self.sum_of_doubts = doubts.tolist()
        self.node = list(range(self.n_leaves))
        self.slot_of_leaf = np.arange(self.n_leaves)
        self.members = [array("q", [leaf]) for leaf in range(self.n_leaves)]
        scores = map(aggregation.of_rows, self.total, self.sum_of_doubts)
        self.mass, self.doubt = map(list, zip(*scores))
        self._size = np.ones(self.n_leaves)  # slots without a group keep 1, as it divides
        self._slots = np.arange(self.n_leaves)

    def score(self, slot):
        """How sure the model is of a group."""
        return float(self.mass[slot]) - self.doubt[slot]

    def means(self, selected, leaves, mass):
        """Slots, and the mean of the profile over the leaves of each; 0 for the selected."""
        slots = self.slot_of_leaf[leaves]
        if len(slots) * FEW < self.n_leaves:
            used, slots = np.unique(slots, return_inverse=True)
            means = np.bincount(slots, weights=mass) / self._size[used]
            means[used == selected] = 0.0
        else:
            used = self._slots
            means = np.bincount(slots, weights=mass, minlength=len(used))
            means /= self._size
            means[selected] = 0.0
        return used, means

    def best(self, slots, means):
        """Slot with the largest mean, None if all are 0; of equal ones, formed earliest."""
        best = means.max(initial=0.0)
        if not best > 0:
            return None
        equal = slots[means >= best * (1 - TOLERANCE)].tolist()
        return min(equal, key=self.node.__getitem__)

    def is_clear(self, selected, leaves, mass, error):
        """Whether `best` is the same whatever the relative errors of the mass, up to some error."""
        _, means = self.means(selected, leaves, mass)
        least = means.max(initial=0.0) * (1 - TOLERANCE) * (1 - error) / (1 + error)
        return not least > 0 or np.count_nonzero(means >= least) == 1

    def merge(self, selected, partner, node):
        """Join two groups in the slot of the larger, so that few leaves move; give that slot."""
        kept, left = selected, partner
        if self._size[partner] > self._size[selected]:
            kept, left = partner, selected
        self.slot_of_leaf[self.members[left]] = kept
        self.members[kept] += self.members[left]
        self.members[left] = array("q")
        self.node[kept], self.node[left] = node, -1
        self._size[kept] += self._size[left]
        self._size[left] = 1
        self.n_groups -= 1
        for numbers in (self.n_rows, self.total, self.sum_of_doubts):
            numbers[kept] += numbers[left]
        if self.aggregation.adds_up:
            self.mass[kept] += self.mass[left]
            self.doubt[kept] += self.doubt[left]
        else:
            score = self.aggregation.of_rows(self.total[kept], self.sum_of_doubts[kept])
            self.mass[kept], self.doubt[kept] = score
        return kept
