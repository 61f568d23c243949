"""What the rows of each group know, and which groups have grown since.

stretch  neighbours among a group's leaves: the state of their rows knows of all of them
grown    a group of several stretches, whose rows are to be read before their state is right
"""

from heapq import heappop, heappush

import numpy as np

__all__ = ["Growth"]


class Growth:
    """Book of the stretches that groups are made of.

    Leaves that join a group come after those that it has, so a stretch stays together.
    """

    def __init__(self, groups):
        self._groups = groups
        self._stretch = np.arange(groups.n_leaves)  # of each leaf, by a leaf of it
        self._grown = []  # score, node and slot, least sure first

    def add(self, slot):
        """Take note of a group that has grown."""
        heappush(self._grown, (self._groups.score(slot), self._groups.node[slot], slot))

    def has_grown(self, slot):
        """Whether a group has leaves that some of its rows do not know of."""
        members = self._groups.members[slot]
        return self._stretch[members[0]] != self._stretch[members[-1]]

    def lengths(self, slot):
        """Lengths of the stretches of a group, in the order of its members."""
        stretch = self._stretch[self._groups.members[slot]]
        starts = np.flatnonzero(np.concatenate([[True], stretch[1:] != stretch[:-1], [True]]))
        return np.diff(starts).tolist()

    def ahead_of(self, slot, within):
        """Yield the others that have grown, the least sure first.

        Their scores are no more than `within` times that of the group. Groups whose rows weigh
        nothing are left out, as these are never read.
        """
        groups = self._groups
        limit = within * groups.score(slot)
        while self._grown and self._grown[0][0] <= limit:
            _, node, other = self._grown[0]
            is_there = groups.node[other] == node and other != slot
            if is_there and groups.total[other] and self.has_grown(other):
                yield other  # stays if nothing more is asked for
            heappop(self._grown)

    def know(self, slots):
        """Take note that the rows of some groups have been brought up to date."""
        for slot in slots:
            members = self._groups.members[slot]
            self._stretch[members] = members[0]
