"""Dense rows that are read by the compiled `kernels`; Numba is imported with this module.

For the state of rows, the functions are those of `dense_rows`, and one is for the affinity tree.
What they give differs from what NumPy gives in the last digits alone.
"""

import numpy as np

from . import dense_rows, kernels
from .dense_rows import soft_probabilities, soft_profiles

__all__ = ["leave_out", "leaves_and_lines", "read_block", "soft_probabilities", "soft_profiles"]


def read_block(logits, memory):
    """Leaf, doubt, second, peak and share of the rows of a block; see `rows.read_rows`."""
    V, leaf = _logits_and_leaves(logits, memory)
    second = np.empty(len(V), np.intp)
    doubt, peak, share = np.empty((3, len(V)))
    bad = kernels.read_rows(V, leaf, doubt, second, peak, share)
    return (leaf, doubt, second, peak, share) if bad < 0 else bad


def leave_out(logits, state, rows, pieces, slot_of_leaf, limit, memory):
    """Bring the state of rows up to date with their groups; see `rows.leave_out`."""
    if not logits.is_plain:
        # Few logits of a row are wanted, and only those are converted.
        dense_rows.leave_out(logits, state, rows, pieces, slot_of_leaf, limit, memory)
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
        limit,
        dense_rows.ROUNDING,
    )


def leaves_and_lines(logits, weights, temperature, blocks, memory):
    """Leaves of rows, and lines of blocks (leaves, sums); or the first bad row.

    `affinity.add_rows` adds the lines.
    """
    leaf, peak = np.empty(logits.shape[0], np.intp), np.empty(logits.shape[0])
    for block in blocks:
        V, leaf[block] = _logits_and_leaves(logits[block], memory)
        bad = kernels.read_peaks(V, leaf[block], peak[block])
        if bad >= 0:
            return block.start + bad
    weights = np.ones(len(leaf)) if weights is None else weights
    # In the order of leaves, blocks have few lines to add.
    order = np.argsort(leaf, kind="stable")
    lines_of_blocks = []
    for block in blocks:
        rows = order[block]
        V, places = logits.scores, rows
        if not logits.is_plain:
            V, places = logits.at(rows, memory=memory), np.arange(len(rows))
        present, first = np.unique(leaf[rows], return_index=True)
        lines = np.zeros((len(present), logits.shape[1]))
        starts, of_rows = np.append(first, len(rows)), (peak[rows], weights[rows])
        kernels.add_lines(_read_only(V), places, starts, present, *of_rows, 1 / temperature, lines)
        lines_of_blocks.append((present, lines))
    return leaf, lines_of_blocks


def _logits_and_leaves(logits, memory):
    """Logits of a block as the kernels read them, and its leaves, or -1 if they are not known."""
    if logits.is_plain:
        return _read_only(logits.scores), np.full(logits.shape[0], -1)
    # The order of the scores tells more than that of rounded logits.
    V = logits.values(memory.array("logits of float64", logits.shape, np.float64))
    return _read_only(V), logits.best(V)[0]


def _starts(lengths):
    return np.cumsum([0, *lengths])


def _read_only(V):
    """View of an array: kernels are compiled once for arrays that may be written to or not."""
    V = V.view()
    V.flags.writeable = False
    return V
