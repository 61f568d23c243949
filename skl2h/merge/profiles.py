"""Where the rows of each group would go if its leaves did not exist: step 3, when it is asked for.

Rows are brought up to date with a group that has grown, many small groups at once.
"""

from bisect import bisect_left
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

import numpy as np
from joblib import cpu_count, effective_n_jobs

from ..logits.memory import Memory
from . import dense_rows
from .growth import Growth
from .rows import leave_out, soft_probabilities, soft_profiles
from .rows_by_leaf import RowsByLeaf, rows_per_task, tasks_of_stretches

__all__ = ["AHEAD", "GroupProfiles", "Profiles"]

# Groups are read ahead of being selected, so that many small ones are read at once: those
# whose score is no more than this many times the least.
AHEAD = 1.25

# Entries of the table that holds profiles of leaves without rows while it is filled.
SOFT_ENTRIES = 2**22

# When groups are read ahead of being selected, at most the rows of one task are read, or, if that
# is more, all rows over this number.
BATCHES = 6


class GroupProfiles:
    """What the profiles of groups have in common, wherever the rows are.

    `loop.merge_groups` asks for `of`, `growth` and `n_reads`. A subclass has `of`, and `read_soft`,
    which gives the profiles of leaves without rows.
    """

    def __init__(self, groups, n_rows, is_sparse):
        self.groups = groups
        self.growth = Growth(groups)
        self.n_rows = n_rows
        self.n_rows_read = 0
        self.is_sparse = is_sparse
        self.empty = [leaf for leaf, total in enumerate(groups.total) if not total]
        self.soft = {}  # their profiles, as far as they are needed

    @property
    def n_reads(self):
        """How often a row was read, on average; not counting soft profiles."""
        return 1 + self.n_rows_read / self.n_rows

    def of_empty(self, slot):
        """Leaves and mass of a group without rows, of the rows of other groups."""
        # DEPARTURE: without rows, a profile is the sum of the leaves' soft ones.
        soft = map(self._soft_profile, self.groups.members[slot])
        return tuple(map(np.concatenate, zip(*soft)))

    def _soft_profile(self, leaf):
        """Profile of a leaf that has no rows: whose rows find it most plausible."""
        if leaf not in self.soft:
            leaves = self.empty
            if not self.is_sparse:  # else they are short, and are made at once
                first = bisect_left(leaves, leaf)
                leaves = leaves[first : first + max(SOFT_ENTRIES // self.groups.n_leaves, 1)]
            found, own, mass = self.read_soft(np.array(leaves))
            bounds = np.searchsorted(found, [*leaves, leaves[-1] + 1])
            # A leaf that has joined rows is not asked for again.
            slots, total = self.groups.slot_of_leaf, self.groups.total
            self.soft = {key: soft for key, soft in self.soft.items() if not total[slots[key]]}
            for key, start, stop in zip(leaves, bounds, bounds[1:]):
                self.soft[key] = own[start:stop], mass[start:stop]
        return self.soft[leaf]


class Profiles(GroupProfiles):
    """Where the rows of a group would go if its leaves did not exist."""

    def __init__(self, logits, weights, state, groups, n_jobs):
        super().__init__(groups, len(state.leaf), logits.is_sparse)
        self.logits = logits
        self.weights = weights
        self.state = state
        self.n_threads = min(effective_n_jobs(n_jobs), cpu_count())
        self.pool = ThreadPoolExecutor(max(self.n_threads - 1, 1))  # starts threads when used
        self.memory = Memory()
        self.by_leaf = RowsByLeaf.of(state.leaf, weights, groups.n_leaves)
        self.rows_per_task = rows_per_task(logits)
        self.most_rows = max(self.n_rows // BATCHES, self.rows_per_task)

    def of(self, slot, exact=False):
        """Leaves outside a group, and the mass that goes there; leaves may repeat.

        A group with rows has one entry for each of `rows_of`. Only where two groups are left there
        may be one entry in all, as there is one way to go, unless it is to be `exact`. The mass has
        eleven digits then, and otherwise if it takes them to tell which group gets most.
        """
        if not self.groups.total[slot]:
            return self.of_empty(slot)
        has_grown = self.growth.has_grown(slot)
        if has_grown and not exact and self.groups.n_groups == 2:
            # There is one way to go: any row that still can go there is enough.
            rows = self.rows_of(slot)
            can = self.groups.slot_of_leaf[self.state.second[rows]] != slot
            can &= self.can_go(rows)
            if can.any():
                return self.state.second[rows[can][:1]], np.ones(1)
        if has_grown:
            self._leave_out(self._due(slot))
        rows = self.rows_of(slot)
        second, mass = self.state.second[rows], self._mass_of(rows)
        error = self.state.error[rows]
        is_sure = (most := error.max()) <= dense_rows.MAX_ERROR
        if not is_sure and (exact or not self.groups.is_clear(slot, second, mass, most)):
            self._add_afresh(slot, rows[error > dense_rows.MAX_ERROR])
            mass = self._mass_of(rows)
        return second, mass

    def _mass_of(self, rows):
        share = self.state.share[rows]
        return share if self.weights is None else share * self.weights[rows]

    def _add_afresh(self, slot, rows):
        outside = np.flatnonzero(self.groups.slot_of_leaf != slot)
        with np.errstate(all="ignore"):  # exp(-1000) is 0, and meant to be
            dense_rows.add_afresh(self.logits, self.state, rows, outside, self.memory)

    def rows_of(self, slot):
        """Rows of a group."""
        return self.by_leaf.rows_of(self.groups.members[slot])

    def can_go(self, rows):
        """Whether any leaf outside their group is possible for each of some rows."""
        return self.state.share[rows] > 0

    def weights_of(self, rows):
        """Weights of some rows."""
        return np.ones(len(rows)) if self.weights is None else self.weights[rows]

    def soft_rows(self, leaves, slot):
        """Rows of a group, and what each adds to the soft profile of leaves without rows."""
        leaves = np.array(leaves)
        if self.is_sparse:
            # Those for which none of the leaves is stored add nothing.
            columns = self._soft_columns[:, np.searchsorted(self.empty, leaves)]
            rows = np.unique(columns.indices)
            rows = rows[self.groups.slot_of_leaf[self.state.leaf[rows]] == slot]
            rows = rows[self.weights_of(rows) > 0]
        else:
            rows = self.rows_of(slot)
        p = soft_probabilities(self.logits, self.state, rows, leaves).sum(axis=1)
        return rows, p * self.weights_of(rows)

    @cached_property
    def _soft_columns(self):
        return self.logits.scores[:, self.empty].tocsc()

    def _due(self, slot):
        """A group that has grown, and others that may be selected soon after."""
        slots, n_rows = [slot], self.groups.n_rows[slot]
        for other in self.growth.ahead_of(slot, AHEAD):
            n_rows += self.groups.n_rows[other]
            if n_rows > self.most_rows:
                break
            slots.append(other)
        return slots

    def _leave_out(self, slots):
        """Bring the rows of some groups up to date."""
        stretches = [(s, self.groups.members[s], self.growth.lengths(s)) for s in slots]
        tasks, n_rows = tasks_of_stretches(stretches, self.by_leaf, self.rows_per_task)
        self.growth.know(slots)
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
                slot_of_leaf, limit = self.groups.slot_of_leaf, dense_rows.LOOSE_ERROR
                leave_out(self.logits, self.state, task, slot_of_leaf, limit, self.memory)

    def read_soft(self, leaves):
        """Profiles of leaves without rows; see `rows.soft_profiles`."""
        with np.errstate(all="ignore"):  # exp(-1000) is 0, and meant to be
            return soft_profiles(self.logits, self.state, self.weights, self.by_leaf.order, leaves)
