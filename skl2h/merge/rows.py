"""What each row knows: its leaf, and the best leaf outside its group with its share.

Pure functions on blocks of rows. The rows are read once in full; afterwards, when groups grow,
only what changed is read: the logits of the leaves that joined, and the whole row only where
the best leaf outside was one of them. Letters:

n, b     rows, rows of one block
K        leaves, the columns of the logits
V        (b, K) logits of a block
"""

from typing import NamedTuple

import numpy as np
from sklearn.utils.parallel import Parallel, delayed

from ..logits.matrix import SparseLogits, first_not_finite, share_of
from ..logits.scratch import Memory
from . import sparse_rows

__all__ = ["Rows", "leave_out", "read_rows", "soft_probabilities", "soft_sums"]

# Relative error of one sum of exponentials, and how much of it may build up.
ROUNDING = 2.0**-46
MAX_ERROR = 1e-11

# Logits whose exponentials neither overflow nor underflow, whatever is added to them below.
SAFE = 300.0

# Reading this many far entries of a row costs as much as reading it whole.
FAR = 20

# Blocks that one task reads.
BLOCKS_PER_TASK = 8

# Rows read at a time when groups have grown.
READ_BYTES = 2**21


class Rows(NamedTuple):
    """State of n rows; `leave_out` changes it in place.

    Attributes
    ----------
    leaf : ndarray of shape (n,), dtype=intp
        Column of the largest logit.
    doubt : ndarray of shape (n,), dtype=float64
        1 less the softmax of the leaf, summed from the other leaves.
    second : ndarray of shape (n,), dtype=intp
        Best leaf outside the row's group.
    peak : ndarray of shape (n,), dtype=float64
        Its logit; -inf if no leaf outside is possible.
    share : ndarray of shape (n,), dtype=float64
        Its softmax over the leaves outside; 0 if none is possible.
    error : ndarray of shape (n,), dtype=float64
        Bound on the relative error of `share`.
    """

    leaf: np.ndarray
    doubt: np.ndarray
    second: np.ndarray
    peak: np.ndarray
    share: np.ndarray
    error: np.ndarray

    def copy(self):
        """State that may be changed, while this one stays as it is."""
        changed = ("second", "peak", "share", "error")
        return self._replace(**{name: getattr(self, name).copy() for name in changed})


def read_rows(logits, n_jobs=None, *, first_fault=False):
    """State of all rows when every leaf is a group of its own.

    A row without a leaf is an error; with `first_fault` its number is given back instead.
    """
    slices = logits.blocks()
    # A task is some blocks, whatever the number of workers; every row is on its own.
    tasks = [slices[i : i + BLOCKS_PER_TASK] for i in range(0, len(slices), BLOCKS_PER_TASK)]
    memory = Memory()
    parts = Parallel(n_jobs=n_jobs, prefer="threads")(
        delayed(_read_task)(logits[task[0].start : task[-1].stop], memory) for task in tasks
    )
    for task, part in zip(tasks, parts):
        if isinstance(part, int):
            if first_fault:
                return task[0].start + part
            logits.check_rows(part, task[0].start)
    return Rows(*map(np.concatenate, zip(*parts)))


def _read_task(logits, memory):
    """Rows of some blocks, or the number of the first bad one."""
    is_sparse = isinstance(logits, SparseLogits)
    parts = []
    for rows in logits.blocks():
        block = logits[rows]
        with np.errstate(all="ignore"):  # exp(-1000) is 0, and meant to be
            part = sparse_rows.read_block(block) if is_sparse else _read_block(block, memory)
        if isinstance(part, int):
            return rows.start + part
        parts.append(Rows(*part, np.full(len(part[0]), ROUNDING)))
    return Rows(*map(np.concatenate, zip(*parts)))


def _read_block(logits, memory):
    """Leaf, doubt, second, peak and share of the rows of a block, or the first bad row."""
    V = logits.values(memory.array("logits", logits.shape, np.float64))
    rows = np.arange(len(V))
    leaf, _ = logits.best(V)
    top = V[rows, leaf]
    if (bad := first_not_finite(top)) is not None:
        return bad
    V[rows, leaf] = -np.inf
    second = V.argmax(axis=1)
    peak = V[rows, second]
    rest = _sum_of_exp(V, peak, memory)
    # Doubt comes from what is outside, never as 1 minus a rounded 1.
    outside = rest * np.exp(peak - top)
    return leaf, outside / (1 + outside), second, peak, share_of(rest)


def _sum_of_exp(V, peak, memory):
    """Sum of exp(logit - peak) of each row, of which none is above `peak`; V may be overwritten."""
    shift = np.where(np.isneginf(peak), 0.0, peak)
    out = V if V.dtype == np.float64 else None
    if out is None:
        out = memory.array("exponentials", V.shape, np.float64)
    if np.abs(shift).max(initial=0) <= SAFE:
        # Nothing overflows, and what underflows is nothing beside exp(peak).
        return np.exp(V, out=out, dtype=np.float64).sum(axis=1) * np.exp(-shift)
    V = np.subtract(V, shift[:, np.newaxis], out=out, dtype=np.float64)
    return np.exp(V, out=V).sum(axis=1)


def leave_out(logits, state, parts, slot_of_leaf, memory):
    """Bring the state of rows up to date with their groups.

    Parameters
    ----------
    logits : Logits of shape (n, K)
    state : Rows
    parts : list of Part
    slot_of_leaf : ndarray of shape (K,), dtype=intp
        Group of each leaf.
    memory : Memory
    """
    rows = np.concatenate([part.rows for part in parts])
    share = state.share[rows]
    if not share.all():
        # Rows that can go nowhere have nothing left to lose.
        parts = [part._replace(rows=part.rows[state.share[part.rows] > 0]) for part in parts]
        parts = [part for part in parts if len(part.rows)]
        if not parts:
            return
        rows, share = rows[share > 0], share[share > 0]
    slots = np.array([part.slot for part in parts])
    part_of_row = np.repeat(np.arange(len(parts)), [len(part.rows) for part in parts])
    if isinstance(logits, SparseLogits):
        sparse_rows.leave_out(logits, state, rows, slots[part_of_row], slot_of_leaf)
        return
    inside = slot_of_leaf == slots[:, np.newaxis]
    second, peak = state.second[rows], state.peak[rows]
    lost, best, found = _what_joined(logits, parts, inside, part_of_row, second, peak, memory)
    left = 1 / share - lost
    error = (state.error[rows] + ROUNDING) / (share * left)
    left *= np.exp(peak - found)
    # Where what is left is tiny beside what was lost, it is added up afresh.
    afresh = np.flatnonzero(~((error >= 0) & (error <= MAX_ERROR)))
    for part in np.unique(part_of_row[afresh]):
        places = afresh[part_of_row[afresh] == part]
        outside = np.flatnonzero(~inside[part])
        left[places] = _add_up(logits, rows[places], outside, found[places], memory)
    error[afresh] = ROUNDING
    state.second[rows], state.peak[rows] = best, found
    state.share[rows], state.error[rows] = share_of(left), error


def _what_joined(logits, parts, inside, part_of_row, second, peak, memory):
    """Sum of exponentials of the leaves that joined, best column outside now, and its logit.

    The sum is NaN where it is more work than to add up what is left.
    """
    n_leaves = logits.shape[1]
    # Added to logits, it bars the leaves of the group.
    barred = np.where(inside, np.float32(-np.inf), np.float32(0))
    n_joined = np.array([part.n_joined() for part in parts])
    worth = n_joined < n_leaves - inside.sum(axis=1)
    few = worth & (n_joined * FAR <= n_leaves)
    lost = np.full(len(peak), np.nan)
    if few.any():
        chosen = [parts[part] for part in np.flatnonzero(few)]
        V = logits.at_places(_entries(chosen, n_leaves, memory), memory)
        places = np.flatnonzero(few[part_of_row])
        lost[places] = _sum_of_each(V, n_joined[part_of_row[places]], peak[places], memory)

    # Where the best leaf outside has joined, the next is searched.
    best, found = second.copy(), peak.copy()
    search = inside[part_of_row, second]
    starts = np.searchsorted(part_of_row, np.arange(len(parts)))
    for number in np.flatnonzero(worth & ~few):
        part, joined = parts[number], parts[number].joined()
        for some in _slices(len(part.rows), n_leaves):
            V = logits.at(part.rows[some], memory=memory)
            places = slice(starts[number] + some.start, starts[number] + some.stop)
            lost[places] = _sum_of_exp(_columns(V, joined, memory), peak[places], memory)
            # The rows are in the cache now: they are searched at once.
            wanted = np.flatnonzero(search[places])
            search[places] = False
            V = V if len(wanted) == len(V) else V[wanted]
            wanted += places.start
            best[wanted], found[wanted] = _best(V, barred[number])
    search = np.flatnonzero(search)
    rows = np.concatenate([part.rows for part in parts])[search]
    for some in _slices(len(rows), n_leaves):
        V = logits.at(rows[some], memory=memory)
        best[search[some]], found[search[some]] = _best(V, barred[part_of_row[search[some]]])
    return lost, best, found


def _entries(parts, n_leaves, memory):
    """Index row * K + leaf of the leaves that joined, for the rows of one part after another."""
    stops = np.cumsum([len(part.rows) * part.n_joined() for part in parts]).tolist()
    entries = memory.array("entries", (stops[-1],), np.intp)
    for part, stop in zip(parts, stops):
        joined = part.joined()
        some = entries[stop - len(part.rows) * len(joined) : stop]
        np.add((part.rows * n_leaves)[:, np.newaxis], joined, out=some.reshape(-1, len(joined)))
    return entries


def _add_up(logits, rows, columns, peak, memory):
    """Sum of exp(logit - peak) over some columns, for each row."""
    n_leaves = logits.shape[1]
    total = np.empty(len(rows))
    for some in _slices(len(rows), n_leaves):
        if len(columns) * FAR > n_leaves:
            V = _columns(logits.at(rows[some], memory=memory), columns, memory)
        else:
            V = logits.at(rows[some, np.newaxis], columns)
        total[some] = _sum_of_exp(V, peak[some], memory)
    return total


def _columns(V, columns, memory):
    """Some columns."""
    out = memory.array("columns", (len(V), len(columns)), V.dtype)
    return V.take(columns, axis=1, out=out, mode="clip")  # "raise" would copy


def _slices(n_rows, n_leaves):
    """Slices of rows that stay in the cache."""
    step = max(READ_BYTES // (4 * n_leaves), 1)
    return [slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step)]


def _best(V, barred):
    """Best column outside the group of each row, and its logit; V is overwritten."""
    V += barred
    best = V.argmax(axis=1)
    return best, V[np.arange(len(V)), best]


def _sum_of_each(V, lengths, peak, memory):
    """As `_sum_of_exp`, for rows of many lengths one after another."""
    starts = lengths.cumsum() - lengths
    out = memory.array("exponentials", V.shape, np.float64)
    if np.abs(peak).max() <= SAFE:
        V = np.exp(V, out=out, dtype=np.float64)
        return np.add.reduceat(V, starts) * np.exp(-peak)
    V = np.subtract(V, np.repeat(peak, lengths), out=out, dtype=np.float64)
    return np.add.reduceat(np.exp(V, out=V), starts)


def soft_probabilities(logits, state, rows, leaves):
    """Softmax over all leaves, of some rows and leaves, (len(rows), len(leaves))."""
    if isinstance(logits, SparseLogits):
        return sparse_rows.soft_probabilities(logits, rows, leaves)
    top = logits.at(rows, state.leaf[rows])
    p = np.subtract(logits.at(rows[:, np.newaxis], leaves), top[:, np.newaxis], dtype=np.float64)
    np.exp(p, out=p)
    p *= (1 - state.doubt[rows])[:, np.newaxis]
    return p


def soft_sums(logits, state, weights, order, leaves):
    """Sum of the probabilities of some leaves over the rows of every leaf, (K, len(leaves)).

    `order` are the rows that count, in the order of their leaves.
    """
    mass = np.zeros((logits.shape[1], len(leaves)))
    step = logits.rows_per_block()
    for start in range(0, len(order), step):
        # In the order of leaves, the rows of a leaf are a stretch of the block.
        rows = order[start : start + step]
        present, first = np.unique(state.leaf[rows], return_index=True)
        p = soft_probabilities(logits, state, rows, leaves)
        if weights is not None:
            p *= weights[rows, np.newaxis]
        mass[present] += np.add.reduceat(p, first, axis=0)
    return mass
