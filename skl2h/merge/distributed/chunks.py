"""Rows in chunks that may live anywhere: what is done to one chunk, and how sums are added.

Pure functions: nothing that is passed in is changed, so a chunk that is lost can be made again
from where it came from. Letters and words:

K        leaves, the columns of the logits
sums     what a chunk tells of its rows, by leaf or by pair of leaves: no longer with more rows
state    a `Chunk`: what is known of its rows, which stays where the rows are
slot     where a group lives: the number of one of its leaves
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse

from ...logits.matrix import as_logits
from ...logits.memory import Memory
from ..dense_rows import MAX_ERROR
from ..rows import Rows, leave_out, read_rows, soft_profiles
from ..rows_by_leaf import RowsByLeaf, rows_per_task, tasks_of_stretches
from ..weights import digits_of

__all__ = [
    "ChangedChunkError",
    "Chunk",
    "Fault",
    "Grown",
    "Reading",
    "Table",
    "add_answers",
    "add_readings",
    "add_tables",
    "check_again",
    "check_reading",
    "fault_of",
    "read_chunk",
    "soft_profiles_of",
    "update_chunk",
]


class Table(NamedTuple):
    """Sums by key.

    Attributes
    ----------
    keys : ndarray of shape (m,), dtype=int64
        Sorted, each once.
    values : ndarray of shape (m,) or (m, c)
    """

    keys: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, keys, values, n_keys=np.inf):
        """Add up the values of equal keys, which are below `n_keys`."""
        if n_keys <= 4 * len(keys):
            found = np.flatnonzero(np.bincount(keys, minlength=n_keys))
            return cls(found, np.bincount(keys, weights=values, minlength=n_keys)[found])
        order = np.argsort(keys, kind="stable")
        keys, values = keys[order], values[order]
        if not len(keys):
            return cls(keys.astype(np.int64), values)
        first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
        return cls(keys[first].astype(np.int64), np.add.reduceat(values, first, axis=0))


# The table of no rows.
NOTHING = Table(np.empty(0, np.int64), np.empty(0))


def add_tables(tables):
    """Sum of some tables, added in their order."""
    keys, values = zip(*tables)
    return Table.of(np.concatenate(keys), np.concatenate(values))


class Fault(NamedTuple):
    """Why the rows of a chunk cannot be read.

    Attributes
    ----------
    row : int or None
        Its number within the chunk; None if it is the chunk that is at fault.
    text : str
        The rest of a sentence about the row, or the chunk.
    """

    row: int | None
    text: str


class ChangedChunkError(RuntimeError):
    """A chunk is not what it was when it was first read."""


class Chunk(NamedTuple):
    """What is known of the rows of a chunk, after they have been read once.

    Attributes
    ----------
    state : Rows
        As of the groups that the rows were last brought up to date with.
    weights : ndarray of shape (n,) or None
    by_leaf : RowsByLeaf
    answer : Reading, or (Table, int)
        Result of the last pass: the reading, or the profiles and the number of rows that were
        brought up to date. If the reading has a fault, all other fields are None.
    """

    state: Rows | None
    weights: np.ndarray | None
    by_leaf: RowsByLeaf | None
    answer: tuple

    @property
    def leaf(self):
        """Leaf of each row, or None if the chunk has a fault."""
        return None if self.state is None else self.state.leaf


class Reading(NamedTuple):
    """What chunks that follow each other say when they have been read once.

    Attributes
    ----------
    n_leaves : int or None
        Columns of the first chunk that has rows.
    lengths : list of int
        Rows of each chunk.
    fault : (int, Fault) or None
        The first fault, and in which of the chunks.
    rows : Table
        By leaf: rows, rows that weigh anything, and the sum of doubts.
    digits : Table or None
        Weights, as `weights.digits_of` has them; None if there are none.
    profiles : Table
        By leaf * K + leaf: where the rows of the first would go without it.
    is_sparse : bool
        Whether all of the chunks are sparse.
    look_like_probabilities : bool
        Whether what is given as logits does so in all of the chunks.
    """

    n_leaves: int | None
    lengths: list
    fault: tuple | None
    rows: Table
    digits: Table | None
    profiles: Table
    is_sparse: bool
    look_like_probabilities: bool


class Grown(NamedTuple):
    """Groups that rows are to be brought up to date with: all that goes out in a pass.

    Attributes
    ----------
    slot_of_leaf : ndarray of shape (K,), dtype=int32
        The grouping.
    slots : ndarray of shape (g,)
        The groups.
    members : list of ndarray
        Leaves of each.
    lengths : list of list of int
        Of each group, the stretches of `members` whose rows are up to date with each other.
    """

    slot_of_leaf: np.ndarray
    slots: np.ndarray
    members: list
    lengths: list

    def from_leaves(self):
        """The same for rows whose state knows of leaves alone."""
        return self._replace(lengths=[[1] * len(some) for some in self.members])


def add_answers(answers):
    """Sums over chunks of what they answer about `Grown` groups: profiles and numbers of rows."""
    tables, n_rows = zip(*answers)
    return add_tables(tables), sum(n_rows)


def read_chunk(scores, weights=None, n_leaves=None, kind="logits", divisor=1.0):
    """Read the rows of a chunk once: a `Chunk` that tells a `Reading`."""
    fault = fault_of(scores, n_leaves, weights)
    if fault is None and not scores.shape[0]:
        return _chunk_without_rows(weights)
    if fault is None:
        logits = as_logits(scores, kind, divisor)
        state = read_rows(logits, 1, first_fault=True)
        if isinstance(state, int):
            fault = Fault(state, logits.fault_of(state))
    if fault is not None:
        reading = Reading(None, [0], (0, fault), NOTHING, None, NOTHING, False, False)
        return Chunk(None, None, None, reading)
    by_leaf = RowsByLeaf.of(state.leaf, weights, logits.shape[1])
    kinds = issparse(scores), logits.look_like_probabilities()
    return Chunk(state, weights, by_leaf, _reading(state, weights, by_leaf, *kinds))


def _chunk_without_rows(weights):
    """Chunk of which all rows were picked out: it adds nothing, and its width says nothing."""
    leaves, numbers = np.empty(0, np.intp), np.empty(0)
    state = Rows(leaves, numbers, leaves, numbers, numbers, numbers)
    rows = Table(NOTHING.keys, np.empty((0, 3)))
    digits = None if weights is None else Table(NOTHING.keys, np.empty((0, 2), np.int64))
    reading = Reading(None, [0], None, rows, digits, NOTHING, True, True)
    return Chunk(state, weights, RowsByLeaf(leaves, [0]), reading)


def _reading(state, weights, by_leaf, *kinds):
    n_leaves = len(by_leaf.starts) - 1
    n_rows = np.bincount(state.leaf)
    n_weighing, doubt = n_rows, state.doubt
    if weights is not None:
        n_weighing, doubt = np.bincount(state.leaf, weights=weights > 0), doubt * weights
    doubts = np.bincount(state.leaf, weights=doubt)
    found = np.flatnonzero(n_rows)
    rows = Table(found, np.stack([n_rows, n_weighing, doubts], axis=1)[found])
    digits = None if weights is None else Table(*digits_of(state.leaf, weights))
    own = state.leaf[by_leaf.order]
    profiles = _profiles(state, weights, by_leaf.order, own, n_leaves)
    return Reading(n_leaves, [len(state.leaf)], None, rows, digits, profiles, *kinds)


def fault_of(scores, n_leaves, weights=None):
    """Fault of a chunk that is no matrix of numbers with the right rows and columns, or None."""
    if not issparse(scores) and not isinstance(scores, np.ndarray):
        return Fault(None, f"is of type {type(scores).__name__}, not an array of numbers.")
    if scores.ndim != 2:
        return Fault(None, f"has the shape {scores.shape}, not one row for each sample.")
    if n_leaves is not None and scores.shape[0] and scores.shape[1] != n_leaves:
        return Fault(None, f"has {scores.shape[1]} columns, not {n_leaves}, one for each leaf.")
    if scores.dtype.kind not in "biuf":
        return Fault(
            None, f"is of {scores.dtype}, not of real numbers: convert with astype(float)."
        )
    if np.ma.is_masked(scores):
        return Fault(None, "has masked entries, which have no value: give them one with filled().")
    if weights is not None and len(weights) != scores.shape[0]:
        return Fault(None, f"has {scores.shape[0]} rows, and {len(weights)} weights.")
    return None


def add_readings(readings):
    """Reading of chunks that follow each other, from the readings of shorter runs of them."""
    n_leaves = next((each.n_leaves for each in readings if each.n_leaves is not None), None)
    fault, n_before = None, 0
    for reading in readings:
        if fault is None and reading.fault is not None:
            fault = n_before + reading.fault[0], reading.fault[1]
        elif fault is None and reading.n_leaves not in (None, n_leaves):
            text = f"has {reading.n_leaves} columns, and the chunks before it {n_leaves}."
            fault = n_before, Fault(None, text)
        n_before += len(reading.lengths)
    lengths = [length for reading in readings for length in reading.lengths]
    if fault is not None:
        return readings[0]._replace(lengths=lengths, fault=fault)
    digits = [reading.digits for reading in readings]
    return Reading(
        n_leaves,
        lengths,
        None,
        add_tables([reading.rows for reading in readings]),
        None if digits[0] is None else add_tables(digits),
        add_tables([reading.profiles for reading in readings]),
        all(reading.is_sparse for reading in readings),
        all(reading.look_like_probabilities for reading in readings),
    )


def check_reading(reading, names=None):
    """Raise the error of the first row or chunk that is at fault.

    `names` are (what the chunk is called, number of its first row there) for each chunk.
    """
    if reading.fault is None:
        if not sum(reading.lengths):
            raise ValueError("The logits have no rows: all of their chunks are empty.")
        return
    chunk, fault = reading.fault
    where, first = (f"chunk {chunk}", 0) if names is None else names[chunk]
    if fault.row is None:
        raise ValueError(f"{f'Chunk {chunk}' if names is None else where} {fault.text}")
    row = sum(reading.lengths[:chunk]) + fault.row
    raise ValueError(f"Row {row} {fault.text} It is row {first + fault.row} of {where}.")


def check_again(chunk, name, n_rows):
    """Raise an error if a chunk has a fault, or other rows, since it was first read."""
    if chunk.state is None:
        _, fault = chunk.answer.fault
        change = f"it {fault.text}" if fault.row is None else f"row {fault.row} {fault.text}"
    elif len(chunk.state.leaf) != n_rows:
        change = f"it has {len(chunk.state.leaf)} rows, and had {n_rows}."
    else:
        return
    raise ChangedChunkError(f"{name} changed while it was read: {change}")


def update_chunk(scores, chunk, grown, kind="logits", divisor=1.0):
    """The chunk with its rows brought up to date with groups that have grown.

    It tells the profiles of the groups, by slot * K + leaf, and the number of their rows.
    """
    if not len(chunk.state.leaf):
        return chunk._replace(answer=(NOTHING, 0))
    logits = as_logits(scores, kind, divisor)
    state, slot_of_leaf = chunk.state.copy(), grown.slot_of_leaf.astype(np.intp)
    members = [some.astype(np.intp) for some in grown.members]
    groups = zip(grown.slots.tolist(), members, grown.lengths)
    tasks, n_rows = tasks_of_stretches(groups, chunk.by_leaf, rows_per_task(logits))
    memory = Memory()
    with np.errstate(all="ignore"):  # exp(-1000) is 0, and meant to be
        for task in tasks:
            leave_out(logits, state, task, slot_of_leaf, MAX_ERROR, memory)
    rows = chunk.by_leaf.rows_of(np.concatenate(members).tolist())
    slots = slot_of_leaf[state.leaf[rows]]
    profiles = _profiles(state, chunk.weights, rows, slots, len(slot_of_leaf))
    return chunk._replace(state=state, answer=(profiles, n_rows))


def _profiles(state, weights, rows, slots, n_leaves):
    mass = state.share[rows]
    if weights is not None:
        mass = mass * weights[rows]
    keys = slots * n_leaves + state.second[rows]
    if not (can := mass > 0).all():
        keys, mass = keys[can], mass[can]
    return Table.of(keys, mass, n_leaves**2)


def soft_profiles_of(scores, chunk, leaves, kind="logits", divisor=1.0):
    """Whose rows find leaves without rows plausible, by leaf * K + leaf of the rows."""
    if not len(chunk.state.leaf):
        return NOTHING
    logits = as_logits(scores, kind, divisor)
    with np.errstate(all="ignore"):  # exp(-1000) is 0, and meant to be
        found, own, mass = soft_profiles(
            logits, chunk.state, chunk.weights, chunk.by_leaf.order, leaves
        )
    return Table.of(found.astype(np.int64) * logits.shape[1] + own, mass)
