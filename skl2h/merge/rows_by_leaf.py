"""Rows by their leaves, and which of them are brought up to date together.

stretch  neighbours among a group's leaves: the state of their rows knows of all of them
piece    rows of a stretch, or some of them
task     some pieces, whose rows are brought up to date in one go
"""

from typing import NamedTuple

import numpy as np
from sklearn import get_config

__all__ = ["Piece", "RowsByLeaf", "rows_per_task", "tasks_of_stretches"]

# Entries of the rows that one task brings up to date.
TASK_ENTRIES = 2**20


class Piece(NamedTuple):
    """Rows of one group whose state knows of the same leaves of it.

    Attributes
    ----------
    rows : ndarray of int
    slot : int
        Where the group lives.
    members : ndarray of int
        Leaves of the group.
    known : slice
        The stretch of them that the state of the rows knows of; the others have joined.
    """

    rows: np.ndarray
    slot: int
    members: np.ndarray
    known: slice

    def n_joined(self):
        """Number of leaves that have joined."""
        return len(self.members) - (self.known.stop - self.known.start)

    def joined(self):
        """Leaves that have joined."""
        return np.concatenate([self.members[: self.known.start], self.members[self.known.stop :]])


class RowsByLeaf(NamedTuple):
    """The rows that weigh anything, in the order of their leaves.

    Attributes
    ----------
    order : ndarray of int
    starts : list of int, of length K + 1
        Where the rows of each leaf start.
    """

    order: np.ndarray
    starts: list

    @classmethod
    def of(cls, leaf, weights, n_leaves):
        """Sort rows by their leaves (n,)."""
        # Narrow integers are sorted by radix.
        narrow = leaf.astype(np.uint16) if n_leaves <= 2**16 else leaf
        if weights is None:
            order = np.argsort(narrow, kind="stable")
        else:
            # What weighs nothing is never read again.
            weighing = np.flatnonzero(weights > 0)
            order = weighing[np.argsort(narrow[weighing], kind="stable")]
        return cls(order, np.searchsorted(leaf[order], np.arange(n_leaves + 1)).tolist())

    def rows_of(self, leaves):
        """Rows of some leaves."""
        starts, order = self.starts, self.order
        if len(leaves) == 1:
            return order[starts[leaves[0]] : starts[leaves[0] + 1]]
        return np.concatenate([order[starts[leaf] : starts[leaf + 1]] for leaf in leaves])

    def in_lots(self, n_rows):
        """All rows in lots of about so many, in their order: no two lots share a leaf."""
        n_all = len(self.order)
        places = np.searchsorted(self.starts, np.arange(n_rows, n_all, n_rows))
        cuts = np.unique(np.take(self.starts, places))
        return np.split(self.order, cuts[cuts < n_all]) if n_all else []


def rows_per_task(logits):
    """Rows that one task brings up to date."""
    # About three arrays of float64 for the entries that are read.
    most = min(TASK_ENTRIES, get_config()["working_memory"] * 2**20 / 24)
    return max(int(most // logits.entries_per_row), 1)


def tasks_of_stretches(groups, by_leaf, most_rows):
    """Rows of some groups in tasks, which are lists of `Piece`, and the number of rows.

    Parameters
    ----------
    groups : iterable of (int, sequence of int, list of int)
        Of each its slot, its leaves, and the lengths of the stretches that these are made of.
    by_leaf : RowsByLeaf
    most_rows : int
        Rows of a task.
    """
    tasks, room, n_rows = [], 0, 0
    for slot, members, lengths in groups:
        members = np.asarray(members)
        stop = 0
        for length in lengths:
            start, stop = stop, stop + length
            rows = by_leaf.rows_of(members[start:stop].tolist())
            n_rows += len(rows)
            while len(rows):
                if not room:
                    tasks.append([])
                    room = most_rows
                tasks[-1].append(Piece(rows[:room], slot, members, slice(start, stop)))
                room, rows = max(room - len(rows), 0), rows[room:]
    return tasks, n_rows
