"""The groups in the order of how sure the model is of them.

slot     where a group lives while it exists
node     the group's number in the tree: leaves first, then merges in order
score    a mass less a doubt
"""

from fractions import Fraction
from heapq import heappop, heappush
from math import fsum

__all__ = ["TOLERANCE", "Queue"]

# Numbers this close are equal, so that the order of additions never decides.
TOLERANCE = 1e-9


class Queue:
    """Groups by score, where scores within the tolerance are equal.

    A group of mass m and doubt d equals the least sure one, of mass n and doubt e, if
    m - d <= n - e + T (d + e), with T the tolerance. That is m - d (1 + T) <= n - e (1 - T). With
    two orders of the groups, one by each side, the equal ones are found without comparing all.
    """

    def __init__(self):
        self._by_score = []
        self._by_lower = []
        self._equal = []  # by node, those that were equal to the least sure one
        self._slots = {}  # by node, of the groups that are in the queue

    def push(self, mass, doubt, node, slot):
        """Add a group, which is the latest."""
        self._slots[node] = slot
        heappush(self._by_score, (_expand(mass, doubt), node, mass, doubt))
        heappush(self._by_lower, (_expand(mass, doubt * (1 + TOLERANCE)), node))

    def remove(self, node):
        """Take a group out, wherever it is."""
        del self._slots[node]

    def earliest(self):
        """Slot of the group that was formed earliest."""
        # They are added in order and a dict keeps the order: the first is the earliest.
        return next(iter(self._slots.values()))

    def pop(self):
        """Take out the group with the smallest score, of equal ones the earliest: its slot."""
        while self._by_score[0][1] not in self._slots:
            heappop(self._by_score)
        _, _, mass, doubt = self._by_score[0]
        limit = _expand(mass, doubt * (1 - TOLERANCE))
        while self._by_lower and self._by_lower[0][0] <= limit:
            lower, node = heappop(self._by_lower)
            heappush(self._equal, (node, lower))
        while True:
            node, lower = heappop(self._equal)
            if node not in self._slots:
                continue
            if lower <= limit:
                return self._slots.pop(node)
            heappush(self._by_lower, (lower, node))


def _expand(mass, doubt):
    """``mass - doubt`` without rounding, as floats that add up to it; they compare as it does.

    Each of them is what the ones before it rounded off. The difference of two floats has two such
    parts, by Knuth's sum; a fraction has more digits.
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
