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

# Reading this many far entries of a row costs as much as reading it whole.
FAR = 24

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
        part = sparse.read_block(block) if is_sparse else _read_block(block.values(memory))
        if isinstance(part, int):
            return rows.start + part
        parts.append(Rows(*part, np.full(len(part[0]), ROUNDING)))
    return Rows(*map(np.concatenate, zip(*parts)))


@np.errstate(all="ignore")
def _read_block(V):
    """Leaf, doubt, second, peak and rest of the rows of a block, or the first bad row."""
    leaf = V.argmax(axis=1)
    rows = np.arange(len(V))
    top = V[rows, leaf]
    if (bad := first_not_finite(top)) is not None:
        return bad
    V[rows, leaf] = -np.inf
    second, peak, rest = _outside(V)
    # Doubt comes from what is outside, never as 1 minus a rounded 1.
    outside = rest * np.exp(peak - top)
    return leaf, outside / (1 + outside), second, peak, rest


@np.errstate(all="ignore")  # exp(-1000) is 0, and meant to be
def _outside(V):
    """Best column of V, its logit, and the sum of exp(logit - best); V is overwritten."""
    second = V.argmax(axis=1)
    peak = V[np.arange(len(V)), second]
    if V.dtype != np.float64:
        V, peak = V.astype(np.float64), peak.astype(np.float64)
    V -= np.where(np.isneginf(peak), 0, peak)[:, np.newaxis]
    return second, peak, np.exp(V, out=V).sum(axis=1)


@np.errstate(all="ignore")
def leave_out(logits, state, members, parts):
    """Bring the state of a group's rows up to date with its leaves.

    Parameters
    ----------
    logits : Logits of shape (n, K)
    state : Rows
    members : ndarray of int
        Leaves of the group.
    parts : list of (ndarray of int, int, int)
        Rows whose state knows of the same leaves, and where these start and stop in `members`:
        the others have joined.
    """
    if isinstance(logits, SparseLogits):
        sparse.leave_out(logits, state, members, np.concatenate([rows for rows, *_ in parts]))
        return
    n_leaves = logits.shape[1]
    inside = np.zeros(n_leaves, dtype=bool)
    inside[members] = True
    outside = np.flatnonzero(~inside)
    barred = np.where(inside, np.float32(-np.inf), np.float32(0))
    # Rows that can go nowhere have nothing left to lose.
    parts = [(rows[state.rest[rows] > 0], start, stop) for rows, start, stop in parts]
    rows = np.concatenate([rows for rows, *_ in parts])
    new = Rows(*(values[rows] for values in state))
    absorbed = inside[new.second]
    lost = np.zeros(len(rows))
    afresh, unread = [], []  # places in `rows`
    step = max(READ_BYTES // (4 * n_leaves), 1)
    for block, joined in _blocks(parts, members, step):
        if len(outside) <= len(joined):
            afresh.append(np.arange(block.start, block.stop))
            continue
        V, x = _read(logits, rows[block], joined)
        x = np.subtract(x, new.peak[block, np.newaxis], dtype=np.float64)
        lost[block] = np.exp(x, out=x).sum(axis=1)
        some = np.flatnonzero(absorbed[block])
        if V is not None and len(some):
            _replace_second(new, lost, some + block.start, V[some], barred)
        else:
            unread.append(some + block.start)
    for places in _chunks(unread, step):
        _replace_second(new, lost, places, logits.at(rows[places]), barred)

    before = new.rest.copy()
    new.rest[:] -= lost
    new.error[:] = (new.error + ROUNDING) * (before / new.rest)
    # Where what is left is tiny beside what was taken away, it is added up afresh.
    afresh.append(np.flatnonzero(~((new.error >= 0) & (new.error <= MAX_ERROR))))
    for places in _chunks(afresh, step):
        _, V = _read(logits, rows[places], outside)
        best, new.peak[places], new.rest[places] = _outside(V)
        new.second[places] = outside[best]
        new.error[places] = ROUNDING
    for values, changed in zip(state, new):
        values[rows] = changed


def _read(logits, rows, columns):
    """Whole rows, or None if that costs more than the columns alone; and the columns."""
    if len(columns) * FAR > logits.shape[1]:
        V = logits.at(rows)
        return V, V[:, columns]
    return None, logits.at(rows[:, np.newaxis], columns)


def _blocks(parts, members, step):
    """Slices of the rows of all parts, each within one part, with the leaves that joined it."""
    end = 0
    for rows, start, stop in parts:
        first, end = end, end + len(rows)
        joined = np.concatenate([members[:start], members[stop:]])
        for begin in range(first, end, step):
            yield slice(begin, min(begin + step, end)), joined


def _chunks(places, step):
    places = np.concatenate(places) if places else np.empty(0, dtype=np.intp)
    for start in range(0, len(places), step):
        yield places[start : start + step]


def _replace_second(new, lost, places, V, barred):
    """Find the best leaf outside of rows whose old one has joined their group."""
    V += barred
    second = V.argmax(axis=1)
    peak = V[np.arange(len(V)), second].astype(np.float64)
    scale = np.exp(new.peak[places] - peak)
    new.second[places], new.peak[places] = second, peak
    new.rest[places] *= scale
    lost[places] *= scale


@np.errstate(all="ignore")
def soft_probabilities(logits, state, rows, leaves):
    """Softmax over all leaves, of some rows and leaves, (len(rows), len(leaves))."""
    top = logits.at(rows, state.leaf[rows])
    p = np.subtract(logits.at(rows[:, np.newaxis], leaves), top[:, np.newaxis], dtype=np.float64)
    np.exp(p, out=p)
    p *= (1 - state.doubt[rows])[:, np.newaxis]
    return p
