"""Where the rows of each group would go if its leaves did not exist: step 3, when it is asked for.

Rows are brought up to date with a group that has grown, many small groups at once.
"""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

import numpy as np
from joblib import cpu_count, effective_n_jobs
from sklearn import get_config

from .logits import SparseLogits
from .rows import Part, leave_out, soft_probabilities
from .sparse import soft_profiles

__all__ = ["Profiles"]

# Entries of the table that holds profiles of leaves without rows while it is filled.
SOFT_ENTRIES = 2**22

# Of the groups that are read ahead of being selected, at most one task's rows are read, or one
# in so many of all.
BATCHES = 6

# Entries of the rows that one task brings up to date.
TASK_ENTRIES = 2**22


class Profiles:
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
        if weights is None:
            self.order = np.argsort(leaf, kind="stable")
        else:
            # What weighs nothing is never read again.
            weighing = np.flatnonzero(weights > 0)
            self.order = weighing[np.argsort(leaf[weighing], kind="stable")]
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

    def of(self, slot, exact=False):
        """Leaves outside a group, and the mass that goes there; leaves may repeat.

        Of a group with rows, one entry for each of `rows_of`, unless it is the last but one: its
        only way is told by one row, or also by all if it is to be `exact`.
        """
        members = self.groups.members[slot]
        if not self.groups.total[slot]:
            # DEPARTURE: without rows, a profile is the sum of the leaves' soft ones.
            with np.errstate(all="ignore"):
                return tuple(map(np.concatenate, zip(*map(self._soft_profile, members))))
        if not exact and len(self.groups.parts[slot]) > 1 and self.groups.is_last_but_one():
            # There is one way to go: any row that still can go there tells enough.
            rows = self.rows_of(members)
            can = self.groups.slot_of_leaf[self.state.second[rows]] != slot
            can &= self.state.share[rows] > 0
            if can.any():
                return self.state.second[rows[can][:1]], np.ones(1)
        if len(self.groups.parts[slot]) > 1:
            self._leave_out(self.groups.next_grown(slot, self.most_rows))
        rows = self.rows_of(members)
        mass = self.state.share[rows]
        if self.weights is not None:
            mass = mass * self.weights[rows]
        return self.state.second[rows], mass

    def weights_of(self, rows):
        """Weights of some rows."""
        return np.ones(len(rows)) if self.weights is None else self.weights[rows]

    def soft_rows(self, leaves, slot):
        """Rows of a group, and what each adds to the soft profile of leaves without rows."""
        leaves = np.array(leaves)
        if isinstance(self.logits, SparseLogits):
            # Those for which none of the leaves is stored add nothing.
            columns = self._soft_columns[:, np.searchsorted(self.empty, leaves)]
            rows = np.unique(columns.indices)
            rows = rows[self.groups.slot_of_leaf[self.state.leaf[rows]] == slot]
            rows = rows[self.weights_of(rows) > 0]
        else:
            rows = self.rows_of(self.groups.members[slot])
        p = soft_probabilities(self.logits, self.state, rows, leaves).sum(axis=1)
        return rows, p * self.weights_of(rows)

    @cached_property
    def _soft_columns(self):
        return self.logits.scores[:, self.empty].tocsc()

    def _leave_out(self, slots):
        """Bring the rows of some groups up to date."""
        tasks, room, n_rows = [], 0, 0
        for slot in slots:
            members = np.array(self.groups.members[slot])
            stop = 0
            for length in self.groups.parts[slot]:
                start, stop = stop, stop + length
                rows = self.rows_of(members[start:stop].tolist())
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

    def rows_of(self, leaves):
        """Rows of some leaves that weigh anything."""
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
