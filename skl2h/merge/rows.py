"""What each row knows: its leaf, and the best leaf outside its group with its share.

Rows of which all logits are stored are the matter of `dense_rows`, or of `compiled_rows` where
there are many and Numba is there, others that of `sparse_rows`: the three have the same functions,
and here is chosen between them.
"""

from typing import NamedTuple

import numpy as np
from sklearn.utils import gen_batches
from sklearn.utils.parallel import Parallel, delayed

from ..logits.memory import Memory
from . import dense_rows, sparse_rows
from .kernel_choice import compiled_rows_for

__all__ = ["Rows", "leave_out", "read_rows", "soft_probabilities", "soft_profiles"]

# Blocks that one task reads.
BLOCKS_PER_TASK = 8


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
    # A task is some blocks, whatever the number of workers; every row is on its own.
    tasks = list(gen_batches(logits.shape[0], BLOCKS_PER_TASK * logits.rows_per_block()))
    # What is worth its while depends on how many rows there are in all.
    read_block, memory = _kind(logits).read_block, Memory()
    n_jobs = 1 if len(tasks) == 1 else n_jobs  # to start workers takes longer than a small task
    states = Parallel(n_jobs=n_jobs, prefer="threads")(
        delayed(_read_task)(logits[task], read_block, memory) for task in tasks
    )
    for task, state in zip(tasks, states):
        if isinstance(state, int):
            if first_fault:
                return task.start + state
            logits.check_rows(state, task.start)
    return Rows(*map(np.concatenate, zip(*states)))


def _read_task(logits, read_block, memory):
    """Rows of some blocks, or the number of the first bad one."""
    states = []
    for rows in logits.blocks():
        with np.errstate(all="ignore"):  # exp(-1000) is 0, and meant to be
            state = read_block(logits[rows], memory)
        if isinstance(state, int):
            return rows.start + state
        states.append(Rows(*state, np.full(len(state[0]), dense_rows.ROUNDING)))
    return Rows(*map(np.concatenate, zip(*states)))


def leave_out(logits, state, pieces, slot_of_leaf, limit, memory):
    """Bring the state of rows up to date with their groups.

    Parameters
    ----------
    logits : Logits of shape (n, K)
    state : Rows
    pieces : list of Piece
    slot_of_leaf : ndarray of shape (K,), dtype=intp
        Group of each leaf.
    limit : float
        A sum with a larger relative error is added up afresh.
    memory : Memory
    """
    rows = np.concatenate([piece.rows for piece in pieces])
    can_go = state.share[rows] > 0
    if not can_go.all():
        # Rows that can go nowhere have nothing left to lose.
        rows = rows[can_go]
        pieces = [piece._replace(rows=piece.rows[state.share[piece.rows] > 0]) for piece in pieces]
        pieces = [piece for piece in pieces if len(piece.rows)]
    if pieces:
        _kind(logits).leave_out(logits, state, rows, pieces, slot_of_leaf, limit, memory)


def soft_probabilities(logits, state, rows, leaves):
    """Softmax over all leaves, of some rows and leaves, (len(rows), len(leaves))."""
    return _kind(logits).soft_probabilities(logits, state, rows, leaves)


def soft_profiles(logits, state, weights, order, leaves):
    """Profiles of leaves without rows: the mass that each gets from the rows of every leaf.

    `order` are the rows that weigh anything, in the order of their leaves.

    Returns
    -------
    found : ndarray of shape (m,)
        Which of `leaves`, in their order.
    own : ndarray of shape (m,)
        Leaf of the rows; each once with the same one of `leaves`.
    mass : ndarray of shape (m,)
    """
    return _kind(logits).soft_profiles(logits, state, weights, order, leaves)


def _kind(logits):
    return sparse_rows if logits.is_sparse else compiled_rows_for(logits) or dense_rows
