"""Merging leaves of rows that are read in passes: each is a map over chunks of rows and a sum.

A pass brings rows up to date whose group has grown, so that with a sum aggregation no group needs
another before the smallest score has doubled: there are no more than
``1.5 + log2(sum of scores / smallest score)``, where leaves without rows do not count, and one more
for each lot of those leaves, or for all of them if rows are sparse. The proof is in the
documentation, with the algorithm.
Where the chunks are, and who reads them, is the matter of a `merge.source` that has, for this:

scale           logarithm of the unit of the weights to the base 2, or None
read()          -> `Reading`, of all rows
leaf_labels()   -> leaf of each row, once they have been read, or None
update(grown)   -> `Table` of the profiles of `Grown` groups, and the number of their rows
soft(leaves)    -> `Table` of the profiles of leaves without rows
"""

from itertools import islice

import numpy as np

from ...logits.matrix import warn_if_probabilities
from ..aggregations import AGGREGATIONS
from ..groups import Groups
from ..loop import merge_groups
from ..profiles import GroupProfiles
from ..weights import sum_digits
from .chunks import Grown, Table, add_tables

__all__ = ["ChunkSource"]

# Groups take part in a pass whose score is no more than this many times the least. When the least
# is as large, another pass is due anyway: with a sum aggregation, what merges scores as much.
WITHIN = 2


class ChunkSource:
    """What sources have in common that are read in passes."""

    names = labels = scale = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def merge(self, aggregation="sum_of_means", on_merge=None):
        """Merge the leaves of the rows; see `loop.merge_groups`.

        Raises
        ------
        ValueError
            If a row or a chunk is at fault: the first one is named.
        """
        reading = self.read()
        warn_if_probabilities(reading.look_like_probabilities, sum(reading.lengths))
        n_leaves = reading.n_leaves
        columns = np.zeros((n_leaves, 3))
        columns[reading.rows.keys] = reading.rows.values
        n_rows, n_weighing, doubts = columns.T
        if reading.digits is None:
            totals = n_rows.astype(np.int64).tolist()
        else:
            totals = sum_digits(*reading.digits, n_leaves)
            if sum(totals) < 2**53 and all(total.denominator == 1 for total in totals):
                totals = list(map(int, totals))
        groups = Groups(n_weighing.astype(np.int64), totals, doubts, AGGREGATIONS[aggregation])
        profiles = _ChunkProfiles(self, reading, groups)
        return merge_groups(groups, profiles, self.leaf_labels(), self.scale, on_merge)

    def leaf_labels(self):
        """Leaf of each row, where they are kept."""
        return None


class _ChunkProfiles(GroupProfiles):
    """Where the rows of a group would go if its leaves did not exist, from passes over chunks."""

    def __init__(self, source, reading, groups):
        super().__init__(groups, sum(reading.lengths), reading.is_sparse)
        self.source = source
        self.table = reading.profiles  # by slot * K + leaf, of groups as they were at some time

    def of(self, slot):
        """Leaves outside a group, and the mass that goes there; leaves may repeat."""
        groups = self.groups
        if not groups.total[slot]:
            return self.of_empty(slot)
        if self.growth.has_grown(slot):
            if groups.n_groups == 2:
                # There is one way to go: a profile of any of the group's stretches is enough.
                leaves, mass = self._of_stretches(slot)
                if len(leaves):
                    return leaves, mass
            self._update(slot)
        keys, mass = self.table
        first = slot * groups.n_leaves
        some = slice(*np.searchsorted(keys, [first, first + groups.n_leaves]))
        return keys[some] - first, mass[some]

    def _of_stretches(self, slot):
        """Ways out of a group, from all that is known of its stretches."""
        slots, leaves = np.divmod(self.table.keys, self.groups.n_leaves)
        ours = self.groups.slot_of_leaf[slots] == slot
        ours &= self.groups.slot_of_leaf[leaves] != slot
        return leaves[ours], self.table.values[ours]

    def _update(self, slot):
        """Make a pass over the rows of the groups that have grown and may be selected soon."""
        groups = self.groups
        # A merge takes away two groups at most, and the last merge needs no profile.
        n_others = max(2 * (groups.n_groups - 3), 0)
        slots = [slot, *islice(self.growth.ahead_of(slot, WITHIN), n_others)]
        members = [np.array(groups.members[s], dtype=np.int32) for s in slots]
        grown = Grown(
            groups.slot_of_leaf.astype(np.int32),
            np.array(slots),
            members,
            list(map(self.growth.lengths, slots)),
        )
        table, n_rows = self.source.update(grown)
        self.growth.know(slots)
        self.n_rows_read += n_rows
        is_new = np.zeros(groups.n_leaves, dtype=bool)
        is_new[slots] = True
        keys, values = self.table
        old = ~is_new[groups.slot_of_leaf[keys // groups.n_leaves]]
        self.table = add_tables([Table(keys[old], values[old]), table])

    def read_soft(self, leaves):
        """Profiles of leaves without rows, in a pass; see `rows.soft_profiles`."""
        keys, mass = self.source.soft(leaves)
        return *np.divmod(keys, self.groups.n_leaves), mass
