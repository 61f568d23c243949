"""The state of rows of which only the possible leaves are stored.

It is always computed afresh, from the few entries that there are.
"""

import numpy as np
from scipy.sparse import csr_matrix

from ..logits.blocks import first_not_finite, share_of
from ..logits.sparse import best_entries, rows_of_entries, softmax_of_entries

__all__ = ["leave_out", "read_block", "soft_probabilities", "soft_profiles"]


def read_block(logits, memory):
    """Leaf, doubt, second, peak and share of the rows of a block; see `rows.read_rows`."""
    values, leaves, starts = logits.entries(slice(0, logits.shape[0]))
    leaf, top, _ = best_entries(values, leaves, starts)
    if (bad := first_not_finite(top)) is not None:
        return bad
    values[leaves == np.repeat(leaf, np.diff(starts))] = -np.inf
    second, peak, rest = best_entries(values, leaves, starts)
    outside = rest * np.exp(peak - top)
    return leaf, outside / (1 + outside), second, peak, share_of(rest)


def leave_out(logits, state, rows, pieces, slot_of_leaf, limit, memory):
    """Bring the state of rows up to date with their groups; see `rows.leave_out`."""
    slots = np.repeat([piece.slot for piece in pieces], [len(piece.rows) for piece in pieces])
    values, leaves, starts = logits.entries(rows)
    values[slot_of_leaf[leaves] == np.repeat(slots, np.diff(starts))] = -np.inf
    state.second[rows], state.peak[rows], rest = best_entries(values, leaves, starts)
    state.share[rows] = share_of(rest)


def soft_probabilities(logits, state, rows, leaves):
    """Softmax over all leaves, of some rows and leaves; see `rows.soft_probabilities`."""
    values, columns, starts = logits.entries(rows)
    softmax, _ = softmax_of_entries(values, columns, starts)
    wanted = np.flatnonzero(np.isin(columns, leaves))
    order = np.argsort(leaves)
    place = order[leaves[order].searchsorted(columns[wanted])]
    p = np.zeros((len(rows), len(leaves)))
    p[rows_of_entries(starts)[wanted], place] = softmax[wanted]
    return p


def soft_profiles(logits, state, weights, order, leaves):
    """Profiles of leaves without rows; see `rows.soft_profiles`."""
    n_leaves = logits.shape[1]
    is_wanted = np.zeros(n_leaves, dtype=bool)
    is_wanted[leaves] = True
    total = csr_matrix((n_leaves, n_leaves))
    for rows in logits.blocks():
        values, columns, starts = logits.entries(rows)
        softmax, _ = softmax_of_entries(values, columns, starts)
        wanted = np.flatnonzero(is_wanted[columns])
        row, p = rows_of_entries(starts)[wanted], softmax[wanted]
        if weights is not None:
            p *= weights[rows][row]
        total = total + csr_matrix((p, (state.leaf[rows][row], columns[wanted])), total.shape)
    total = total.tocsc().tocoo()
    return total.col, total.row, total.data
