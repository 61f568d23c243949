"""The state of dense rows that are read by the compiled `kernels`.

The functions are those of `dense_rows`, and what they give differs in the last digits alone.
Numba is imported with this module.
"""

import numpy as np

from . import dense_rows, kernels
from .dense_rows import soft_probabilities, soft_profiles

__all__ = ["leave_out", "read_block", "soft_probabilities", "soft_profiles"]


def read_block(logits, memory):
    """Leaf, doubt, second, peak and share of the rows of a block; see `rows.read_rows`."""
    if logits.is_plain:
        V, leaf = logits.scores, np.empty(logits.shape[0], np.intp)
    else:
        # The order of the scores tells more than that of rounded logits.
        V = logits.values(memory.array("logits", logits.shape, np.float64))
        leaf, _ = logits.best(V)
    second = np.empty(len(V), np.intp)
    doubt, peak, share = np.empty((3, len(V)))
    bad = kernels.read_rows(_read_only(V), not logits.is_plain, leaf, doubt, second, peak, share)
    return (leaf, doubt, second, peak, share) if bad < 0 else bad


def leave_out(logits, state, rows, pieces, slot_of_leaf, memory):
    """Bring the state of rows up to date with their groups; see `rows.leave_out`."""
    if not logits.is_plain:
        # Few logits of a row are wanted, and only those are converted.
        dense_rows.leave_out(logits, state, rows, pieces, slot_of_leaf, memory)
        return
    kernels.leave_out(
        _read_only(logits.scores),
        rows,
        _starts([len(piece.rows) for piece in pieces]),
        np.array([piece.slot for piece in pieces]),
        np.concatenate([piece.joined() for piece in pieces]),
        _starts([piece.n_joined() for piece in pieces]),
        slot_of_leaf,
        (state.second, state.peak, state.share, state.error),
        dense_rows.MAX_ERROR,
        dense_rows.ROUNDING,
    )


def _starts(lengths):
    return np.cumsum([0, *lengths])


def _read_only(V):
    """View of an array: kernels are compiled once for arrays that may be written to or not."""
    V = V.view()
    V.flags.writeable = False
    return V
