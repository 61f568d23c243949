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

from .logits import first_bad_row

__all__ = ["Rows", "leave_out", "read_rows", "soft_probabilities"]

# Relative error of one sum of exponentials, and how much of it may build up.
ROUNDING = 2.0**-46
MAX_ERROR = 1e-11

# Reading this many far entries of a row costs as much as reading it whole.
FAR = 32


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


BLOCKS_PER_TASK = 64


def _read_task(logits):
    """Rows of some blocks, or the number of the first bad one."""
    parts = []
    for rows in logits.blocks():
        V = logits[rows].values()
        leaf = V.argmax(axis=1)
        bad = first_bad_row(V, leaf)
        if bad is not None:
            return rows.start + bad
        parts.append(_read_block(V, leaf))
    return Rows(*map(np.concatenate, zip(*parts)))


@np.errstate(all="ignore")
def _read_block(V, leaf):
    rows = np.arange(len(V))
    top = V[rows, leaf]
    V[rows, leaf] = -np.inf
    second, peak, rest = _outside(V)
    # Doubt comes from what is outside, never as 1 minus a rounded 1.
    outside = rest * np.exp(peak - top)
    return Rows(leaf, outside / (1 + outside), second, peak, rest, np.full(len(V), ROUNDING))


@np.errstate(all="ignore")  # exp(-1000) is 0, and meant to be
def _outside(V):
    """Best column of V, its logit, and the sum of exp(logit - best); V is overwritten."""
    second = V.argmax(axis=1)
    peak = V[np.arange(len(V)), second]
    if V.dtype != np.float64:
        V, peak = V.astype(np.float64), peak.astype(np.float64)
    V -= np.where(np.isneginf(peak), 0, peak)[:, np.newaxis]
    return second, peak, np.exp(V, out=V).sum(axis=1)


def leave_out(logits, state, rows, members, joined):
    """Bring the state of some rows up to date with their group.

    Parameters
    ----------
    logits : Logits of shape (n, K)
    state : Rows
    rows : ndarray of int
        Rows of one group that all miss the same leaves.
    members : ndarray of int
        All leaves of the group.
    joined : ndarray of int
        Those of them that their state does not know yet.
    """
    rows = rows[state.rest[rows] > 0]  # the others have nothing left to lose
    inside = np.zeros(logits.shape[1], dtype=bool)
    inside[members] = True
    few_outside = logits.shape[1] - len(members) <= len(joined)
    outside = np.flatnonzero(~inside) if few_outside else None
    step = logits.rows_per_block()
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        if few_outside:
            second, peak, rest = _outside(logits.at(some[:, np.newaxis], outside))
            _set(state, some, outside[second], peak, rest, ROUNDING)
        else:
            _subtract(logits, state, some, members, joined, inside)


@np.errstate(all="ignore")
def _subtract(logits, state, rows, members, joined, inside):
    second, peak, before = state.second[rows], state.peak[rows], state.rest[rows]
    # Far entries cost more each than a whole row read in order.
    V = logits.at(rows) if len(joined) * FAR > len(inside) else None
    lost = logits.at(rows[:, np.newaxis], joined) if V is None else V[:, joined]
    lost = np.subtract(lost, peak[:, np.newaxis], dtype=np.float64)
    rest = before - np.exp(lost, out=lost).sum(axis=1)
    error = state.error[rows] + ROUNDING
    absorbed = np.flatnonzero(inside[second])
    if len(absorbed):
        V = logits.at(rows[absorbed]) if V is None else V[absorbed]
        _rule_out(V, members, inside)
        second[absorbed] = V.argmax(axis=1)
        new_peak = V[np.arange(len(V)), second[absorbed]].astype(np.float64)
        scale = np.exp(peak[absorbed] - new_peak)
        rest[absorbed] *= scale
        before[absorbed] *= scale
        peak[absorbed] = new_peak
    error *= before / rest
    # Where what is left is tiny beside what was taken away, it is added up afresh.
    lossy = ~((error >= 0) & (error <= MAX_ERROR))
    if lossy.any():
        V = logits.at(rows[lossy])
        _rule_out(V, members, inside)
        second[lossy], peak[lossy], rest[lossy] = _outside(V)
        error[lossy] = ROUNDING
    _set(state, rows, second, peak, rest, error)


def _rule_out(V, members, inside):
    if len(members) * 5 < V.shape[1]:
        V[:, members] = -np.inf
    else:
        np.copyto(V, -np.inf, where=inside)


@np.errstate(all="ignore")
def soft_probabilities(logits, state, rows, leaves):
    """Softmax over all leaves, of some rows and leaves, (len(rows), len(leaves))."""
    top = logits.at(rows, state.leaf[rows])
    p = np.subtract(logits.at(rows[:, np.newaxis], leaves), top[:, np.newaxis], dtype=np.float64)
    np.exp(p, out=p)
    p *= (1 - state.doubt[rows])[:, np.newaxis]
    return p


def _set(state, rows, second, peak, rest, error):
    state.second[rows] = second
    state.peak[rows] = peak
    state.rest[rows] = rest
    state.error[rows] = error
