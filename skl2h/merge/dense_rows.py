"""The state of rows of which all logits are stored.

The rows are read once in full. When groups grow, only what changed is read: the logits of the
leaves that joined, and the whole row only where the best leaf outside was one of them. Letters:

n, b     rows, rows of one block
K        leaves, the columns of the logits
V        (b, K) logits of a block
"""

import numpy as np

from ..logits.blocks import first_not_finite, share_of

__all__ = [
    "LOOSE_ERROR",
    "MAX_ERROR",
    "ROUNDING",
    "add_afresh",
    "leave_out",
    "read_block",
    "soft_probabilities",
    "soft_profiles",
    "sum_of_each",
    "sum_of_exp",
]

# Relative error of one sum of exponentials.
ROUNDING = 2.0**-46

# How much of the error of sums of exponentials may build up: where groups are compared that may be
# equal, and as long as it is clear which is the largest.
MAX_ERROR, LOOSE_ERROR = 1e-11, 1e-4

# Logits whose exponentials neither overflow nor underflow, whatever is added to them below.
SAFE = 300.0

# Reading this many far entries of a row costs as much as reading it whole.
FAR = 20

# Bytes of the rows that are read at a time when groups have grown.
READ_BYTES = 2**21


def read_block(logits, memory):
    """Leaf, doubt, second, peak and share of the rows of a block; see `rows.read_rows`."""
    V = logits.values(memory.array("logits", logits.shape, np.float64))
    rows = np.arange(len(V))
    leaf, _ = logits.best(V)
    top = V[rows, leaf]
    if (bad := first_not_finite(top)) is not None:
        return bad
    V[rows, leaf] = -np.inf
    second = V.argmax(axis=1)
    peak = V[rows, second]
    rest = sum_of_exp(V, peak, memory)
    # Doubt comes from what is outside, never as 1 minus a rounded 1.
    outside = rest * np.exp(peak - top)
    return leaf, outside / (1 + outside), second, peak, share_of(rest)


def sum_of_exp(V, peak, memory):
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


def leave_out(logits, state, rows, pieces, slot_of_leaf, limit, memory):
    """Bring the state of rows up to date with their groups; see `rows.leave_out`."""
    slots = np.array([piece.slot for piece in pieces])
    piece_of_row = np.repeat(np.arange(len(pieces)), [len(piece.rows) for piece in pieces])
    inside = slot_of_leaf == slots[:, np.newaxis]
    second, peak = state.second[rows], state.peak[rows]
    lost, best, found = _what_joined(logits, pieces, inside, piece_of_row, second, peak, memory)
    share = state.share[rows]
    left = 1 / share - lost
    error = (state.error[rows] + ROUNDING) / (share * left)
    left *= np.exp(peak - found)
    # Where what is left is tiny beside what was lost, it is added up afresh.
    afresh = np.flatnonzero(~((error >= 0) & (error <= limit)))
    for piece in np.unique(piece_of_row[afresh]):
        places = afresh[piece_of_row[afresh] == piece]
        outside = np.flatnonzero(~inside[piece])
        left[places] = _add_up(logits, rows[places], outside, found[places], memory)
    error[afresh] = ROUNDING
    state.second[rows], state.peak[rows] = best, found
    state.share[rows], state.error[rows] = share_of(left), error


def add_afresh(logits, state, rows, outside, memory):
    """Add up the sums of some rows of a group afresh, over the leaves outside of it."""
    left = _add_up(logits, rows, outside, state.peak[rows], memory)
    state.share[rows], state.error[rows] = share_of(left), ROUNDING


def _what_joined(logits, pieces, inside, piece_of_row, second, peak, memory):
    """Sum of exponentials of the leaves that joined, best column outside now, and its logit.

    The sum is NaN where it is more work than to add up what is left.
    """
    n_leaves = logits.shape[1]
    # Added to logits, it bars the leaves of the group.
    barred = np.where(inside, np.float32(-np.inf), np.float32(0))
    n_joined = np.array([piece.n_joined() for piece in pieces])
    worth = n_joined < n_leaves - inside.sum(axis=1)
    few = worth & (n_joined * FAR <= n_leaves)
    lost = np.full(len(peak), np.nan)
    if few.any():
        chosen = [pieces[piece] for piece in np.flatnonzero(few)]
        V = logits.at_places(_entries(chosen, n_leaves, memory), memory)
        places = np.flatnonzero(few[piece_of_row])
        lost[places] = sum_of_each(V, n_joined[piece_of_row[places]], peak[places], memory)

    # Where the best leaf outside has joined, the next is searched.
    best, found = second.copy(), peak.copy()
    search = inside[piece_of_row, second]
    starts = np.searchsorted(piece_of_row, np.arange(len(pieces)))
    for number in np.flatnonzero(worth & ~few):
        piece, joined = pieces[number], pieces[number].joined()
        for lot in _slices(len(piece.rows), n_leaves):
            V = logits.at(piece.rows[lot], memory=memory)
            places = slice(starts[number] + lot.start, starts[number] + lot.stop)
            lost[places] = sum_of_exp(_columns(V, joined, memory), peak[places], memory)
            # The rows are in the cache now: they are searched at once.
            wanted = np.flatnonzero(search[places])
            search[places] = False
            V = V if len(wanted) == len(V) else V[wanted]
            wanted += places.start
            best[wanted], found[wanted] = _best(V, barred[number])
    search = np.flatnonzero(search)
    rows = np.concatenate([piece.rows for piece in pieces])[search]
    for lot in _slices(len(rows), n_leaves):
        V = logits.at(rows[lot], memory=memory)
        best[search[lot]], found[search[lot]] = _best(V, barred[piece_of_row[search[lot]]])
    return lost, best, found


def _entries(pieces, n_leaves, memory):
    """Index row * K + leaf of the leaves that joined, for the rows of one piece after another."""
    stops = np.cumsum([len(piece.rows) * piece.n_joined() for piece in pieces]).tolist()
    entries = memory.array("entries", (stops[-1],), np.intp)
    for piece, stop in zip(pieces, stops):
        joined = piece.joined()
        of_piece = entries[stop - len(piece.rows) * len(joined) : stop].reshape(-1, len(joined))
        np.add((piece.rows * n_leaves)[:, np.newaxis], joined, out=of_piece)
    return entries


def _add_up(logits, rows, columns, peak, memory):
    """Sum of exp(logit - peak) over some columns, for each row."""
    n_leaves = logits.shape[1]
    total = np.empty(len(rows))
    for lot in _slices(len(rows), n_leaves):
        if len(columns) * FAR > n_leaves:
            V = _columns(logits.at(rows[lot], memory=memory), columns, memory)
        else:
            V = logits.at(rows[lot, np.newaxis], columns)
        total[lot] = sum_of_exp(V, peak[lot], memory)
    return total


def _columns(V, columns, memory):
    """Logits of some columns."""
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


def sum_of_each(V, lengths, peak, memory):
    """As `sum_of_exp`, for rows of many lengths one after another."""
    starts = lengths.cumsum() - lengths
    out = memory.array("exponentials", V.shape, np.float64)
    if np.abs(peak).max() <= SAFE:
        V = np.exp(V, out=out, dtype=np.float64)
        return np.add.reduceat(V, starts) * np.exp(-peak)
    V = np.subtract(V, np.repeat(peak, lengths), out=out, dtype=np.float64)
    return np.add.reduceat(np.exp(V, out=V), starts)


def soft_probabilities(logits, state, rows, leaves):
    """Softmax over all leaves, of some rows and leaves; see `rows.soft_probabilities`."""
    top = logits.at(rows, state.leaf[rows])
    p = np.subtract(logits.at(rows[:, np.newaxis], leaves), top[:, np.newaxis], dtype=np.float64)
    np.exp(p, out=p)
    p *= (1 - state.doubt[rows])[:, np.newaxis]
    return p


def soft_profiles(logits, state, weights, order, leaves):
    """Profiles of leaves without rows; see `rows.soft_profiles`."""
    table = np.zeros((logits.shape[1], len(leaves)))
    step = logits.rows_per_block()
    for start in range(0, len(order), step):
        # In the order of leaves, the rows of a leaf are neighbours in the block.
        rows = order[start : start + step]
        present, first = np.unique(state.leaf[rows], return_index=True)
        p = soft_probabilities(logits, state, rows, leaves)
        if weights is not None:
            p *= weights[rows, np.newaxis]
        table[present] += np.add.reduceat(p, first, axis=0)
    table = table.T
    place, own = np.nonzero(table)
    return leaves[place], own, table[place, own]
