"""The affinity tree: all pairs of leaves at once, from one pass over the rows.

Arrays in, arrays out. Step numbers are those of the section of the documentation on this tree;
TOLERANCE marks where rounding would decide otherwise. Letters:

n, b   rows, rows of one block
K      leaves, the columns of the logits
V      (b, K) logits of a block
q      (b, K) softmax of V / T outside each row's own leaf
R      (K, K) where the rows of each leaf would go: mean q
L      (K, K) likeness of leaves
"""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from math import exp, inf, log
from typing import NamedTuple

import numpy as np
from joblib import cpu_count, effective_n_jobs
from scipy.cluster.hierarchy import linkage
from scipy.sparse import csr_matrix, issparse
from scipy.spatial.distance import squareform

from ..logits.blocks import first_not_finite, share_of
from ..logits.memory import Memory
from ..logits.sparse import best_entries
from .affinity_distances import ROUNDING, distances_of
from .kernel_choice import compiled_rows_for

__all__ = [
    "Reassigned",
    "add_rows",
    "average_linkage",
    "exponentials_outside",
    "in_order",
    "likeness_of",
    "places_of_sample",
    "reassigned",
    "temperature_of",
]

# Rows that tell the temperature, and how many leaves each would go to then.
SAMPLE_SIZE = 2000
PERPLEXITY = 4

# Logarithms of the lowest and the highest temperature.
COLDEST, HOTTEST = log(1e-4), log(1e4)

# One in so many rows of a large sample tells where to look for the temperature.
FIRST_LOOK, LARGE = 8, 640

# A step of Newton's this small ends beside the root, as the next would be its square.
SMALL_STEP = 1e-7

# Blocks that are read at once, in the order of their leaves, if a leaf has so many rows in them.
BLOCKS_PER_TASK, ROWS_PER_LEAF = 8, 4

# A logit that is impossible, as a number that survives a product with 0.
IMPOSSIBLE = -1e300


class Reassigned(NamedTuple):
    """Where rows would go if their own leaf did not exist, by leaf.

    Attributes
    ----------
    shares : ndarray of shape (K, K), dtype=float64
        R: the mean q of the rows of each leaf; the diagonal is 0.
    counts : ndarray of shape (K,)
        Rows of each leaf, or their total weight.
    leaves : ndarray of shape (n,), dtype=intp, or None
        Leaf of each row, where it is kept.
    """

    shares: np.ndarray
    counts: np.ndarray
    leaves: np.ndarray | None


def places_of_sample(n_rows):
    """Numbers of the rows that tell the temperature, spread evenly."""
    n_places = min(n_rows, SAMPLE_SIZE)
    return np.arange(n_places) * n_rows // n_places


def temperature_of(logits, weights=None, n_jobs=None):
    """Temperature at which the mean entropy of q is log 4: step 2.

    1 where there is none, or fewer than four leaves. The rows of `Logits` are all read; those
    that have no leaf, or cannot go anywhere else, say nothing.
    """
    n_leaves = logits.shape[1]
    if n_leaves < 4:
        return 1.0
    target = log(PERPLEXITY) if n_leaves >= 9 else log((n_leaves - 1) / 2)
    weights = np.ones(logits.shape[0]) if weights is None else weights
    sample = _Sample(logits, weights, n_jobs)
    if not sample.weight > 0:
        return 1.0
    start = 0.0
    if logits.shape[0] >= LARGE:
        few = slice(None, None, FIRST_LOOK)
        some = _Sample(logits[few], weights[few], n_jobs)
        start = (_root(some, target, start) if some.weight > 0 else None) or start
    root = _root(sample, target, start)
    return 1.0 if root is None else exp(root)


class _Sample:
    """Mean entropy of q of some rows, as a function of the logarithm of T."""

    def __init__(self, logits, weights, n_jobs):
        self.n_jobs = n_jobs
        self.memory = Memory()
        self.parts = []
        with np.errstate(all="ignore"):
            for rows in logits.blocks():
                part = _away(logits[rows], weights[rows])
                self.parts += [part] if part[0].size else []
        self.weight = sum(weights.sum() for *_, weights in self.parts)

    def entropy(self, t):
        """Mean entropy, and its slope, which is the mean variance of the logits / T."""
        task = partial(_entropy_of_part, scale=exp(-t), memory=self.memory)
        sums = np.zeros(2)
        for part in in_order(task, self.parts, self.n_jobs):
            sums += part
        return sums / self.weight


def _away(logits, weights):
    """Logits outside the own leaf less the largest of them, where rows start, and weights.

    Rows that are of no use are left out. Where rows start is None if they are dense.
    """
    if logits.is_sparse:
        values, leaves, starts = logits.entries(slice(0, logits.shape[0]))
        leaf, top, _ = best_entries(values, leaves, starts)
        row = np.repeat(np.arange(len(leaf)), np.diff(starts))
        values[leaves == leaf[row]] = -inf
        _, peak, _ = best_entries(values, leaves, starts)
        use = np.isfinite(top) & np.isfinite(peak) & (weights > 0)
        some = use[row] & (values > -inf)
        lengths = np.bincount(row[some], minlength=len(leaf))[use]
        values = (values - peak[row])[some]
        return (
            np.maximum(values, IMPOSSIBLE, out=values),
            np.cumsum(lengths) - lengths,
            weights[use],
        )
    V = logits.values()
    rows = np.arange(len(V))
    leaf, _ = logits.best(V)
    top = V[rows, leaf]
    V[rows, leaf] = -inf
    peak = V.max(axis=1)
    use = np.isfinite(top) & np.isfinite(peak) & (weights > 0)
    V = V[use]
    V -= peak[use, np.newaxis]
    return np.maximum(V, IMPOSSIBLE, out=V), None, weights[use]


def _entropy_of_part(part, scale, memory):
    """Weighted sums of the entropies and of their slopes."""
    x, starts, weights = part
    y = np.multiply(x, scale, out=memory.array("scaled", x.shape, np.float64))
    e = np.exp(y, out=memory.array("exponentials", x.shape, np.float64))
    total = _sum_of_rows(e, starts)
    e *= y
    mean = _sum_of_rows(e, starts) / total
    e *= y
    variance = _sum_of_rows(e, starts) / total - mean * mean
    return weights @ (np.log(total) - mean), weights @ variance


def _sum_of_rows(values, starts):
    return values.sum(axis=1) if starts is None else np.add.reduceat(values, starts)


def _root(sample, target, t):
    """Logarithm of the temperature of a mean entropy, by Newton's steps within bounds, or None."""
    low, high = COLDEST, HOTTEST
    # Whether the entropy is known to be below the target somewhere, and above it. TOLERANCE: a
    # target that a bound just meets, as log 2 with two equal logits everywhere, is outside.
    is_below = is_above = False
    while True:
        entropy, slope = sample.entropy(t)
        is_below |= entropy < target - ROUNDING
        is_above |= entropy > target + ROUNDING
        low, high = (low, t) if entropy > target else (t, high)
        following = (
            t - (entropy - target) / slope if slope > 0 else np.copysign(inf, target - entropy)
        )
        done = abs(following - t) < (SMALL_STEP if low < following < high else 1e-12)
        if not is_below and (done or following <= COLDEST):
            if sample.entropy(COLDEST)[0] > target - ROUNDING:
                return None
            is_below = True
        if not is_above and (done or following >= HOTTEST):
            if sample.entropy(HOTTEST)[0] < target + ROUNDING:
                return None
            is_above = True
        if done:
            return min(max(following, COLDEST), HOTTEST)
        if not low < following < high:
            following = (low + high) / 2
            if following in (low, high):
                return following
        t = following


def add_rows(sums, logits, weights, temperature, n_jobs=None, *, first_fault=False):
    """Add q of the rows of `Logits` to the lines of their leaves in (K, K) sums: steps 1 and 3.

    Gives the leaf of each row. A row without a leaf is an error; with `first_fault` its number
    is given back instead. Rows are added task by task in their order, whatever `n_jobs` is.
    """
    leaves = np.empty(logits.shape[0], dtype=np.intp)
    tasks, step = _tasks(logits)
    read = partial(
        _read_task,
        logits=logits,
        weights=weights,
        temperature=temperature,
        step=step,  # scikit-learn's configuration, which it is of, does not reach threads
        compiled=compiled_rows_for(logits),
        memory=Memory(),
    )
    for rows, answer in zip(tasks, in_order(read, tasks, n_jobs)):
        if isinstance(answer, int):
            if first_fault:
                return rows.start + answer
            logits.check_rows(answer, rows.start)
        leaves[rows], lines_of_blocks = answer
        for present, lines in lines_of_blocks:
            if issparse(lines):
                lines = lines.tocoo()
                sums[present[lines.row], lines.col] += lines.data
            else:
                sums[present] += lines
    return leaves


def _tasks(logits):
    """Slices of rows, and rows of a block: several blocks if these have many rows of each leaf."""
    (n_rows, n_leaves), step = logits.shape, logits.rows_per_block()
    length = BLOCKS_PER_TASK * step
    if logits.is_sparse or logits.kind != "logits" or length < ROWS_PER_LEAF * n_leaves:
        length = step
    return _slices(n_rows, length), step


def _slices(n_rows, step):
    return [slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step)]


def in_order(function, tasks, n_jobs=None):
    """What a function gives for each task, in the order of tasks; threads stay a little ahead."""
    n_threads = min(effective_n_jobs(n_jobs), cpu_count(), len(tasks))
    if n_threads <= 1:
        yield from map(function, tasks)
        return
    with ThreadPoolExecutor(n_threads) as pool:
        ahead = deque()
        try:
            for task in tasks:
                ahead.append(pool.submit(function, task))
                if len(ahead) > n_threads:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()


def _read_task(rows, logits, weights, temperature, step, compiled, memory):
    """Leaves of the rows of a task, and lines of blocks (leaves, sums); or the first bad row."""
    some = logits[rows]
    weights = None if weights is None else weights[rows]
    with np.errstate(all="ignore"):  # exp(-1000) is 0, and meant to be
        if some.is_sparse:
            answer = _sparse_exponentials(some, temperature)
            if isinstance(answer, int):
                return answer
            leaf, e, total = answer
            order = np.argsort(leaf, kind="stable")
            return leaf, [_lines(leaf, order, e, total, weights)]
        blocks = _slices(some.shape[0], step)
        if compiled:
            return compiled.leaves_and_lines(some, weights, temperature, blocks, memory)
        leaf = np.empty(some.shape[0], dtype=np.intp)
        for block in blocks:
            leaf[block], top = some[block].best()
            if (bad := first_not_finite(top)) is not None:
                return block.start + bad
        # In the order of leaves, blocks have few lines to add.
        order = np.argsort(leaf, kind="stable")
        lines = []
        for block in blocks:
            places = order[block]
            own = leaf[places]
            V, total = _exponentials(some, places, own, temperature, memory)
            weighing = None if weights is None else weights[places]
            lines.append(_lines(own, np.arange(len(own)), V, total, weighing))
        return leaf, lines


def _lines(leaf, order, e, total, weights):
    """Leaves of rows, each once, and sums of weight times q; `order` is that of the leaves."""
    share = share_of(total)  # a row with nothing outside its leaf counts nothing
    if weights is not None:
        share *= weights
    present, first = np.unique(leaf[order], return_index=True)
    # One product scales the rows and adds up those of each leaf; no array of the block's size.
    starts = np.append(first, len(leaf))
    return present, csr_matrix((share[order], order, starts), (len(present), len(leaf))) @ e


def exponentials_outside(logits, rows, leaf, temperature, memory):
    """exp((V - largest outside) / T) outside the leaf of some rows, and what makes it q: step 1.

    The first is (len(rows), K), in CSR if the logits are sparse. The second, (len(rows),), is to
    be multiplied with it; it is 0 for a row that can go nowhere.
    """
    if logits.is_sparse:
        _, e, total = _sparse_exponentials(logits[rows], temperature)
    else:
        e, total = _exponentials(logits, rows, leaf, temperature, memory)
    return e, share_of(total)


def _exponentials(logits, rows, leaf, temperature, memory):
    """exp((V - largest outside) / T) outside the leaf of some rows, and its sums."""
    V = memory.array("logits of float64", (len(rows), logits.shape[1]), np.float64)
    np.copyto(V, logits.at(rows, memory=memory))
    V[np.arange(len(V)), leaf] = -inf
    peak = V.max(axis=1)
    V -= np.where(np.isneginf(peak), 0.0, peak)[:, np.newaxis]
    if temperature != 1:
        V *= 1 / temperature
    np.exp(V, out=V)
    return V, V.sum(axis=1)


def _sparse_exponentials(logits, temperature):
    """As `_exponentials`, in a CSR matrix."""
    values, leaves, starts = logits.entries(slice(0, logits.shape[0]))
    leaf, top, _ = best_entries(values, leaves, starts)
    if (bad := first_not_finite(top)) is not None:
        return bad
    row = np.repeat(np.arange(len(leaf)), np.diff(starts))
    values[leaves == leaf[row]] = -inf
    _, peak, _ = best_entries(values, leaves, starts)
    e = np.exp((values - np.where(np.isneginf(peak), 0.0, peak)[row]) / temperature)
    total = np.bincount(row, weights=e, minlength=len(leaf))
    return leaf, csr_matrix((e, leaves, starts), logits.shape), total


def reassigned(sums, totals, scale=None, leaves=None):
    """`Reassigned` of sums, which are overwritten, and the weight of the rows of each leaf: step 3.

    `scale` is the logarithm of the weights' unit to the base 2, None if there are no weights.
    """
    weight = np.array(totals, dtype=np.float64)[:, np.newaxis]
    np.fill_diagonal(sums, 0.0)
    shares = np.divide(sums, weight, out=sums, where=weight > 0)
    if scale is None:
        return Reassigned(shares, np.array(totals, dtype=np.int64), leaves)
    return Reassigned(shares, np.ldexp(weight[:, 0], scale), leaves)


def likeness_of(R):
    """L from R, which is overwritten: steps 4 and 5. It is symmetric, and its diagonal is 0."""
    pi = R.mean(axis=0)
    pi[pi == 0] = 1.0  # nothing goes there
    R /= pi
    R += R.T
    lift = squareform(R, checks=False)
    lift /= 2
    return squareform(np.log1p(lift, out=lift))


def average_linkage(L):
    """Linkage matrix (K - 1, 4) of leaves of some likeness, which is overwritten: steps 6 to 8."""
    if len(L) == 1:
        return np.empty((0, 4))
    return linkage(distances_of(L), "average")
