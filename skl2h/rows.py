"""What each row knows: its leaf, the best leaf outside its group, and what is left out there.

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

from . import sparse
from .logits import SparseLogits, first_not_finite

__all__ = ["Rows", "leave_out", "read_rows", "soft_probabilities"]

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
READ_BYTES = 2**20


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
    rest : ndarray of shape (n,), dtype=float64
        Sum of exp(logit - peak) over the leaves outside: at least 1, or 0 if none is possible.
        The largest softmax over the leaves outside is 1 / rest.
    error : ndarray of shape (n,), dtype=float64
        Bound on the relative error of `rest`.
    """

    leaf: np.ndarray
    doubt: np.ndarray
    second: np.ndarray
    peak: np.ndarray
    rest: np.ndarray
    error: np.ndarray


def read_rows(logits, n_jobs=None):
    """State of all rows when every leaf is a group of its own."""
    slices = logits.blocks()
    # A task is some blocks, whatever the number of workers; every row is on its own.
    tasks = [slices[i : i + BLOCKS_PER_TASK] for i in range(0, len(slices), BLOCKS_PER_TASK)]
    parts = Parallel(n_jobs=n_jobs, prefer="threads")(
        delayed(_read_task)(logits[task[0].start : task[-1].stop]) for task in tasks
    )
    for task, part in zip(tasks, parts):
        if isinstance(part, int):
            logits.check_rows(part, task[0].start)
    return Rows(*map(np.concatenate, zip(*parts)))


def _read_task(logits):
    """Rows of some blocks, or the number of the first bad one."""
    is_sparse = isinstance(logits, SparseLogits)
    blocks = logits.blocks()
    # Fresh memory is dear to touch: one block's worth is used again and again.
    memory = None if is_sparse else np.empty((blocks[0].stop, logits.shape[1]))
    parts = []
    for rows in blocks:
        block = logits[rows]
        part = sparse.read_block(block) if is_sparse else _read_block(block, memory)
        if isinstance(part, int):
            return rows.start + part
        parts.append(Rows(*part, np.full(len(part[0]), ROUNDING)))
    return Rows(*map(np.concatenate, zip(*parts)))


@np.errstate(all="ignore")  # exp(-1000) is 0, and meant to be
def _read_block(logits, memory):
    """Leaf, doubt, second, peak and rest of the rows of a block, or the first bad row."""
    V = logits.values(memory)
    rows = np.arange(len(V))
    leaf = (V if logits.dtype == V.dtype else logits.scores).argmax(axis=1)
    top = V[rows, leaf]
    if (bad := first_not_finite(top)) is not None:
        return bad
    V[rows, leaf] = -np.inf
    second = V.argmax(axis=1)
    peak = V[rows, second]
    rest = _sum_of_exp(V, peak)
    # Doubt comes from what is outside, never as 1 minus a rounded 1.
    outside = rest * np.exp(peak - top)
    return leaf, outside / (1 + outside), second, peak, rest


def _sum_of_exp(V, peak):
    """Sum of exp(logit - peak) of each row, of which none is above `peak`; V may be overwritten."""
    shift = np.where(np.isneginf(peak), 0.0, peak)
    out = V if V.dtype == np.float64 else None
    if np.abs(shift).max(initial=0) <= SAFE:
        # Nothing overflows, and what underflows is nothing beside exp(peak).
        return np.exp(V, out=out, dtype=np.float64).sum(axis=1) * np.exp(-shift)
    V = np.subtract(V, shift[:, np.newaxis], out=out, dtype=np.float64)
    return np.exp(V, out=V).sum(axis=1)


@np.errstate(all="ignore")
def leave_out(logits, state, parts, slot_of_leaf):
    """Bring the state of rows up to date with their groups.

    Parameters
    ----------
    logits : Logits of shape (n, K)
    state : Rows
    parts : list of (ndarray of int, int, ndarray of int)
        Rows of one group, its slot, and the leaves of the group that their state does not yet
        know of.
    slot_of_leaf : ndarray of shape (K,), dtype=intp
        Group of each leaf.
    """
    # Rows that can go nowhere have nothing left to lose.
    parts = [(rows[state.rest[rows] > 0], *others) for rows, *others in parts]
    parts = [part for part in parts if len(part[0])]
    if not parts:
        return
    rows = np.concatenate([rows for rows, *_ in parts])
    slots = np.array([slot for _, slot, _ in parts])
    ends = np.cumsum([len(rows) for rows, *_ in parts])
    part_of_row = np.repeat(np.arange(len(parts)), np.diff(ends, prepend=0))
    if isinstance(logits, SparseLogits):
        sparse.leave_out(logits, state, rows, slots[part_of_row], slot_of_leaf)
        return
    n_leaves = logits.shape[1]
    inside = slot_of_leaf == slots[:, np.newaxis]
    # Added to logits, it bars the leaves of the group.
    barred = np.where(inside, np.float32(-np.inf), np.float32(0))
    second, peak, rest = state.second[rows], state.peak[rows], state.rest[rows]
    # Where the best leaf outside has joined, the next is searched.
    best, found = second.copy(), peak.copy()
    search = inside[part_of_row, second]

    # What the leaves that joined held; where it is not worth reading, what is left is added up.
    lost = np.full(len(rows), np.nan)
    n_joined = np.array([len(joined) for *_, joined in parts])
    worth = n_joined < n_leaves - inside.sum(axis=1)
    few = worth & (n_joined * FAR <= n_leaves)
    for part in np.flatnonzero(worth & ~few):
        joined = parts[part][2]
        for some in _slices(ends[part] - len(parts[part][0]), ends[part], n_leaves):
            V = logits.at(rows[some])
            lost[some] = _sum_of_exp(V.take(joined, axis=1), peak[some])
            # While the row is at hand.
            places = np.flatnonzero(search[some])
            search[some] = False
            if len(places) < len(V):
                V = V[places]
            places += some.start
            best[places], found[places] = _best(V, barred[part])
    if few.any():
        some = [parts[part] for part in np.flatnonzero(few)]
        places = [(of[:, np.newaxis] * n_leaves + joined).ravel() for of, _, joined in some]
        V = logits.at_places(np.concatenate(places))
        places = np.flatnonzero(few[part_of_row])
        lost[places] = _sum_of_each(V, n_joined[part_of_row[places]], peak[places])
    search = np.flatnonzero(search)
    for some in _slices(0, len(search), n_leaves):
        places = search[some]
        V = logits.at(rows[places])
        best[places], found[places] = _best(V, barred[part_of_row[places]])

    left = rest - lost
    error = (state.error[rows] + ROUNDING) * (rest / left)
    left *= np.exp(peak - found)
    # Where what is left is tiny beside what was lost, it is added up afresh.
    afresh = ~((error >= 0) & (error <= MAX_ERROR))
    for part in np.unique(part_of_row[afresh]):
        outside = np.flatnonzero(~inside[part])
        again = np.flatnonzero(afresh & (part_of_row == part))
        for some in _slices(0, len(again), n_leaves):
            places = again[some]
            if len(outside) * FAR > n_leaves:
                V = logits.at(rows[places]).take(outside, axis=1)
            else:
                V = logits.at(rows[places, np.newaxis], outside)
            left[places] = _sum_of_exp(V, found[places])
    error[afresh] = ROUNDING
    state.second[rows], state.peak[rows] = best, found
    state.rest[rows], state.error[rows] = left, error


def _slices(start, stop, n_leaves):
    """Slices of rows that stay in the cache."""
    step = max(READ_BYTES // (4 * n_leaves), 1)
    return [slice(first, min(first + step, stop)) for first in range(start, stop, step)]


def _best(V, barred):
    """Best column outside the group of each row, and its logit; V is overwritten."""
    V += barred
    best = V.argmax(axis=1)
    return best, V[np.arange(len(V)), best]


def _sum_of_each(V, lengths, peak):
    """As `_sum_of_exp`, for rows of many lengths one after another."""
    starts = lengths.cumsum() - lengths
    if np.abs(peak).max() <= SAFE:
        V = np.exp(V, dtype=np.float64)
        return np.add.reduceat(V, starts) * np.exp(-peak)
    V = np.subtract(V, np.repeat(peak, lengths), dtype=np.float64)
    return np.add.reduceat(np.exp(V, out=V), starts)


@np.errstate(all="ignore")
def soft_probabilities(logits, state, rows, leaves):
    """Softmax over all leaves, of some rows and leaves, (len(rows), len(leaves))."""
    top = logits.at(rows, state.leaf[rows])
    p = np.subtract(logits.at(rows[:, np.newaxis], leaves), top[:, np.newaxis], dtype=np.float64)
    np.exp(p, out=p)
    p *= (1 - state.doubt[rows])[:, np.newaxis]
    return p
