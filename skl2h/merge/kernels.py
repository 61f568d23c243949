"""Dense rows of both trees, compiled by Numba: what `compiled_rows` calls.

Nothing but arrays and numbers goes in and out. Loops over columns are written so that the compiler
computes several at a time: what depends on that stands beside it. Letters:

V      (n, K) logits, float32 or float64, in the order of C
key    whole number of a logit, in the same order; that of NaN is above that of inf
bars   (K,) -inf for leaves that count as impossible, 0 for others: added to logits
run    some columns of a row that are read in one loop
"""

from contextlib import suppress
from math import exp

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["add_lines", "exponential", "kept", "leave_out", "read_peaks", "read_rows"]

# Columns of a run of which the largest is kept, and of one whose exponentials are added up before
# they are added to others: the longer a sum, the larger its error.
SEARCHED, ADDED = 128, 512

# Below this, an exponential is nothing beside 1, and above it is a normal number.
LOWEST = -708.0

# Bytes that the processor fetches at once, and how many rows before its turn a state is fetched.
LINE_BYTES, AHEAD_BY = 64, 8

# If fewer than one in so many columns are outside, these are read one by one.
FEW = 4

# Of exp(x) = 2**n * exp(r): n is rounded by adding a number whose last digit counts 1.
ROUNDER = 1.5 * 2.0**52
LOG2_E = 1.4426950408889634
# log 2 in two parts, of which the first times n is exact.
LOG_2, LOG_2_REST = 0.6931471803691238, 1.9082149292705877e-10


# Division by 0 gives inf or NaN, and other threads may run at the same time.
OPTIONS = {"error_model": "numpy", "nogil": True}


def kept(function):
    """Compile a function when it is called first, and keep it on disk if that is possible."""
    with suppress(RuntimeError):  # there is no folder that can be written
        return njit(cache=True, **OPTIONS)(function)
    return njit(**OPTIONS)(function)


@intrinsic
def key_of(typingctx, value):
    """Key of a logit: that of -inf is the lowest of all; -0 and 0 have the same."""
    width = value.bitwidth
    mantissa = {32: 23, 64: 52}[width]

    def codegen(context, builder, signature, arguments):
        whole = ir.IntType(width)
        bits = builder.bitcast(arguments[0], whole)
        # Of negative numbers, larger bits mean less: they become minus what follows their sign.
        sign = builder.ashr(bits, whole(width - 1))
        key = builder.sub(builder.xor(bits, builder.lshr(sign, whole(1))), sign)
        # Now -inf is moved to the lowest, and what was below it, NaN with a sign, becomes high.
        return builder.sub(key, whole(1 << mantissa))

    return types.Integer.from_bitwidth(width)(value), codegen


@intrinsic
def bits_of(typingctx, value):
    """Bits of a float64."""

    def codegen(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(types.float64), codegen


@intrinsic
def float_of(typingctx, bits):
    """The float64 that some bits are."""

    def codegen(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), codegen


@intrinsic
def fetch(typingctx, array, place):
    """Have the processor fetch a place of a contiguous array from memory, which takes a while."""

    def codegen(context, builder, signature, arguments):
        made = context.make_array(signature.args[0])(context, builder, arguments[0])
        where = builder.gep(made.data, [arguments[1]])
        pointer = builder.bitcast(where, ir.IntType(8).as_pointer())
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        builder.call(function, [pointer, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.none(array, types.intp), codegen


# "contract" lets a product and a sum be rounded once. "reassoc" would take ROUNDER away again.
@njit(fastmath={"contract"}, **OPTIONS)
def exponential(x):
    """Value of exp(x) for x from LOWEST to 0, with a relative error of at most 1e-15."""
    rounded = x * LOG2_E + ROUNDER
    n = rounded - ROUNDER
    r = x - n * LOG_2 - n * LOG_2_REST
    # The polynomial that meets exp at the 11 Chebyshev points of |r| <= log(2) / 2.
    p = 2.7626371065696354e-07
    p = p * r + 2.764019739169484e-06
    p = p * r + 2.480150431378554e-05
    p = p * r + 0.00019841170230570286
    p = p * r + 0.001388888893251478
    p = p * r + 0.008333333385699212
    p = p * r + 0.041666666666573066
    p = p * r + 0.16666666666554314
    p = p * r + 0.5000000000000006
    p = p * r + 1.0000000000000067
    p = p * r + 1.0
    return float_of(bits_of(p) + (bits_of(rounded) << 52))


# "reassoc" lets a sum be taken in another order. Columns without a sign need no check that they
# are negative, which would have each logit loaded on its own.
@njit(fastmath={"contract", "reassoc"}, **OPTIONS)
def add_run(V, row, start, stop, bars, peak):
    """Sum of exp(V + bars - peak) over a run."""
    row = np.uint64(row)
    total = 0.0
    for column in range(np.uint64(start), np.uint64(stop)):
        x = np.float64(V[row, column] + bars[column]) - peak
        total += exponential(x if x > LOWEST else LOWEST)
    return total


@njit(fastmath={"contract", "reassoc"}, **OPTIONS)
def add_columns(V, row, columns, peak):
    """Sum of exp(V - peak) over some columns."""
    row = np.uint64(row)
    total = 0.0
    for place in range(len(columns)):
        x = np.float64(V[row, np.uint64(columns[place])]) - peak
        total += exponential(x if x > LOWEST else LOWEST)
    return total


@njit(**OPTIONS)
def add_row(V, row, bars, peak):
    """Sum of exp(V + bars - peak) over a row."""
    total = 0.0
    for start in range(0, V.shape[1], ADDED):
        total += add_run(V, row, start, min(start + ADDED, V.shape[1]), bars, peak)
    return total


@njit(**OPTIONS)
def largest_of_run(V, row, run, bars):
    """Largest key of V + bars in a run."""
    row, start = np.uint64(row), np.uint64(run * SEARCHED)
    stop = np.uint64(min((run + 1) * SEARCHED, V.shape[1]))
    largest = key_of(V[row, start] + bars[start])
    for column in range(start, stop):
        key = key_of(V[row, column] + bars[column])
        largest = key if key > largest else largest
    return largest


@njit(**OPTIONS)
def place_in_run(V, row, start, bars, key):
    """First column of a run that has some key; there is one."""
    row = np.uint64(row)
    column = np.uint64(start)
    while key_of(V[row, column] + bars[column]) != key:
        column += np.uint64(1)
    return np.intp(column)


@njit(**OPTIONS)
def search_runs(V, row, bars, largest):
    """Fill in the largest key of V + bars of each run of a row."""
    for run in range(len(largest)):
        largest[run] = largest_of_run(V, row, run, bars)


@njit(**OPTIONS)
def first_of_largest(V, row, bars, largest):
    """First column with the largest of V + bars, of which the largest keys of runs are known."""
    best = 0
    for run in range(1, len(largest)):
        if largest[run] > largest[best]:
            best = run
    return place_in_run(V, row, best * SEARCHED, bars, largest[best])


@njit(**OPTIONS)
def largest_of_columns(V, row, columns):
    """First column with the largest logit among some that ascend; 0 if all are -inf."""
    best, largest = 0, -np.inf
    for column in columns:
        value = V[row, column]
        if value > largest:
            best, largest = column, value
    return best


@njit(**OPTIONS)
def best_two(V, row, leaf, bars, largest):
    """First column with the largest logit of a row, and the first with the largest of the others.

    The former is `leaf` if that is not negative. It is barred afterwards. If its logit is not
    finite, nothing is, and it is given back as -1.
    """
    search_runs(V, row, bars, largest)
    if leaf < 0:
        leaf = first_of_largest(V, row, bars, largest)
    if not np.isfinite(V[row, leaf]):
        return -1, -1
    bars[leaf] = -np.inf
    largest[leaf // SEARCHED] = largest_of_run(V, row, leaf // SEARCHED, bars)
    return leaf, first_of_largest(V, row, bars, largest)


@kept
def read_rows(V, leaf, doubt, second, peak, share):
    """Fill in the state of rows when every leaf is a group; give the first row without a leaf.

    That is -1 if all have one. Leaves that are not negative are known.
    """
    bars = np.zeros(V.shape[1], V.dtype)
    largest = np.empty(-(-V.shape[1] // SEARCHED), np.int64)
    for row in range(V.shape[0]):
        leaf[row], second[row] = best_two(V, row, leaf[row], bars, largest)
        if leaf[row] < 0:
            return row
        found = np.float64(V[row, second[row]] + bars[second[row]])
        peak[row] = found
        doubt[row] = share[row] = 0.0
        if found > -np.inf:
            rest = add_row(V, row, bars, found)
            # Doubt comes from what is outside, never as 1 minus a rounded 1.
            outside = rest * exp(found - np.float64(V[row, leaf[row]]))
            doubt[row] = outside / (1 + outside)
            share[row] = 1 / rest
        bars[leaf[row]] = 0.0
    return -1


@kept
def read_peaks(V, leaf, peak):
    """Fill in the leaf and the largest logit outside it; give the first row as of `read_rows`."""
    bars = np.zeros(V.shape[1], V.dtype)
    largest = np.empty(-(-V.shape[1] // SEARCHED), np.int64)
    for row in range(V.shape[0]):
        leaf[row], second = best_two(V, row, leaf[row], bars, largest)
        if leaf[row] < 0:
            return row
        peak[row] = V[row, second] + bars[second]
        bars[leaf[row]] = 0.0
    return -1


@njit(fastmath={"contract", "reassoc"}, **OPTIONS)
def fill_run(V, row, start, stop, bars, peak, scale, e):
    """Fill in exp((V + bars - peak) * scale) in a run; give their sum, and how many are too low."""
    row = np.uint64(row)
    total, n_low = 0.0, 0
    for column in range(np.uint64(start), np.uint64(stop)):
        x = (np.float64(V[row, column] + bars[column]) - peak) * scale
        n_low += 1 if x < LOWEST else 0
        e[column] = exponential(x if x > LOWEST else LOWEST)
        total += e[column]
    return total, n_low


@njit(**OPTIONS)
def fill_row(V, row, leaf, bars, peak, scale, e):
    """Fill in exp((V - peak) * scale) in a row but 0 at its leaf, which is barred; give the sum."""
    total, n_low = 0.0, 0
    for start in range(0, V.shape[1], ADDED):
        stop = min(start + ADDED, V.shape[1])
        of_run, n_low_of_run = fill_run(V, row, start, stop, bars, peak, scale, e)
        total += of_run
        n_low += n_low_of_run
    if n_low > 1:
        # Beside 1 these are nothing, but they may be all that goes to a leaf.
        for column in range(V.shape[1]):
            x = (np.float64(V[row, column]) - peak) * scale
            if x < LOWEST:
                e[column] = exp(x)
    e[leaf] = 0.0
    return total


@njit(fastmath={"contract"}, **OPTIONS)
def add_times(values, factor, sums):
    """Add some values times a factor to others."""
    for place in range(len(sums)):
        sums[place] += values[place] * factor


@kept
def add_lines(V, rows, starts, leaves, peak, weights, scale, lines):
    """Add q times the weight of rows that are in the order of their leaves to lines of these.

    Parameters
    ----------
    V : ndarray of shape (m, K)
    rows : ndarray of int of shape (b,)
        Where in V the rows are.
    starts, leaves : ndarray of int of shapes (p + 1,) and (p,)
        Where the rows of each line start, and their leaf.
    peak, weights : ndarray of shape (b,)
    scale : float
        What logits are multiplied with.
    lines : ndarray of shape (p, K)
    """
    bars = np.zeros(V.shape[1], V.dtype)
    e = np.empty(V.shape[1])
    for line in range(len(leaves)):
        bars[leaves[line]] = -np.inf
        for place in range(starts[line], starts[line + 1]):
            fetch_row(V, rows[min(place + 1, len(rows) - 1)])
            # A row with nothing outside its leaf counts nothing.
            if peak[place] > -np.inf:
                total = fill_row(V, rows[place], leaves[line], bars, peak[place], scale, e)
                add_times(e, weights[place] / total, lines[line])
        bars[leaves[line]] = 0.0


@kept
def leave_out(V, rows, starts, slots, joined, joined_starts, slot_of_leaf, state, limit, rounding):
    """Bring the state of rows up to date with their groups, piece by piece.

    Parameters
    ----------
    V : ndarray of shape (n, K)
    rows, starts : ndarray of int, the latter of shape (p + 1,)
        Rows, and where those of each piece start.
    slots : ndarray of int of shape (p,)
        Group of each piece.
    joined, joined_starts : ndarray of int, the latter of shape (p + 1,)
        Leaves that have joined, and where those of each piece start.
    slot_of_leaf : ndarray of int of shape (K,)
    state : tuple of ndarray of shape (n,)
        Second, peak, share and error, as of `Rows`.
    limit, rounding : float
        How much of an error may build up, and that of one sum.
    """
    n_leaves = V.shape[1]
    bars = np.empty(n_leaves, V.dtype)
    outside = np.empty(n_leaves, np.intp)
    largest = np.empty(-(-n_leaves // SEARCHED), np.int64)
    n_outside = 0
    for piece in range(len(slots)):
        if piece == 0 or slots[piece] != slots[piece - 1]:
            n_outside = 0
            for leaf in range(n_leaves):
                if slot_of_leaf[leaf] == slots[piece]:
                    bars[leaf] = -np.inf
                else:
                    bars[leaf] = 0.0
                    outside[n_outside] = leaf
                    n_outside += 1
        of_piece = joined[joined_starts[piece] : joined_starts[piece + 1]]
        stop = starts[piece + 1]
        for place in range(starts[piece], stop):
            fetch_state(state, rows[min(place + AHEAD_BY, stop - 1)])
            fetch_logits(V, rows[min(place + 1, stop - 1)], of_piece, state[0], bars)
            leave_out_of_row(
                V, rows[place], of_piece, outside[:n_outside], bars, largest, state, limit, rounding
            )


@njit(**OPTIONS)
def leave_out_of_row(V, row, joined, outside, bars, largest, state, limit, rounding):
    """Bring the state of a row up to date."""
    second, peak, share, error = state
    are_few = len(outside) * FEW < V.shape[1]
    best, found, left, bound = second[row], peak[row], 0.0, np.inf
    if len(joined) < len(outside):
        left = 1 / share[row] - add_columns(V, row, joined, found)
        bound = (error[row] + rounding) / (share[row] * left)
    if bars[best] < 0:
        # The best leaf outside has joined: the next is searched.
        if are_few:
            best = largest_of_columns(V, row, outside)
        else:
            search_runs(V, row, bars, largest)
            best = first_of_largest(V, row, bars, largest)
        found = np.float64(V[row, best] + bars[best])
        left *= exp(peak[row] - found)
    if found == -np.inf:
        left, bound = 0.0, rounding
    elif not 0 <= bound <= limit:
        # Where what is left is tiny beside what was lost, it is added up afresh.
        left = add_columns(V, row, outside, found) if are_few else add_row(V, row, bars, found)
        bound = rounding
    second[row], peak[row], error[row] = best, found, bound
    share[row] = 1 / left if left > 0 else 0.0


@njit(**OPTIONS)
def fetch_state(state, row):
    """Have the state of a row fetched from memory."""
    second, peak, share, error = state
    fetch(second, row)
    fetch(peak, row)
    fetch(share, row)
    fetch(error, row)


@njit(**OPTIONS)
def fetch_logits(V, row, joined, second, bars):
    """Have the logits of a row fetched that it will need."""
    if bars[second[row]] < 0:
        fetch_row(V, row)
    else:
        for column in joined:
            fetch(V, row * V.shape[1] + column)


@njit(**OPTIONS)
def fetch_row(V, row):
    """Have the logits of a row fetched from memory."""
    for column in range(0, V.shape[1], LINE_BYTES // V.itemsize):
        fetch(V, row * V.shape[1] + column)
