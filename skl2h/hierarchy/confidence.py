"""The deepest node of a tree that a row is sure of.

path     the nodes from a row's leaf up to the root
outside  probability of the leaves that are not below a node: never 1 minus a rounded 1
place    of a leaf: its number in `leaf_order`; the leaves below a node have neighbouring places

Along a path, what is outside never grows: the node that is wanted is the first where it is
small enough.
"""

import numpy as np

from ..logits.matrix import SparseLogits, best_entries, first_not_finite
from ..merge.groups import TOLERANCE

__all__ = ["deepest_nodes"]


def deepest_nodes(logits, tree, confidence):
    """First node on the path of each row that has the probability `confidence`, (n,)."""
    # What is a tie by the definition must not be lost to rounding.
    limit = (1 - confidence) * (1 + TOLERANCE)
    search = _search_entries if isinstance(logits, SparseLogits) else _search_paths
    return search(logits, tree, limit)


def _search_paths(logits, tree, limit):
    """Search of dense rows, by sums over neighbouring places."""
    nodes = np.empty(logits.shape[0], dtype=np.intp)
    ancestors = _ancestors(tree)
    blocks = logits.blocks()
    # Fresh memory is dear to touch: one block's worth is used again and again.
    memory = np.zeros((3, blocks[0].stop, tree.n_leaves + 1))
    for block in blocks:
        values, before, after = memory[:, : block.stop - block.start]
        V = logits[block].values(values[:, 1:])
        leaf, _ = logits[block].best(V)
        peak = np.take_along_axis(V, leaf[:, np.newaxis], axis=1)
        logits.check_rows(first_not_finite(peak[:, 0]), block.start)
        with np.errstate(all="ignore"):  # exp(-1000) is 0, and meant to be
            V -= peak
            np.exp(V, out=V)
        V = V[:, tree.leaf_order]
        # Sums from either end: both are of what is outside alone, and rounding keeps their order.
        np.cumsum(V, axis=1, out=before[:, 1:])
        np.cumsum(V[:, ::-1], axis=1, out=after[:, 1:])
        nodes[block] = _first_sure(tree, ancestors, leaf, before, after, limit)
    return nodes


def _first_sure(tree, ancestors, node, before, after, limit):
    """First node up from a leaf of each row, by halves, of which little enough is outside.

    Column i of `before` and `after` is the sum over the first and the last i places.
    """
    rows = np.arange(len(node))
    most = limit * before[:, -1]

    def is_unsure(node):
        first = tree.starts[node]
        last = tree.n_leaves - first - tree.sizes[node]
        return before[rows, first] + after[rows, last] > most

    for steps_up in ancestors:
        # As high as can be among those of which too much is outside: the next one will do.
        higher = steps_up[node]
        node = np.where(is_unsure(higher), higher, node)
    return np.where(is_unsure(node), tree.parents[node], node)


def _ancestors(tree):
    """Node that is 2**p steps up, or the root: one array of (n_nodes,) for each p, largest first.

    The longest path of the tree is shorter than twice the largest step.
    """
    root = tree.n_nodes - 1
    up = np.where(tree.parents < 0, root, tree.parents)
    table = [up]
    while (up != root).any():
        up = up[up]
        table.append(up)
    return table[::-1]


def _search_entries(logits, tree, limit):
    """Search of sparse rows, from the top: for the first entry that may not be left outside."""
    nodes = np.empty(logits.shape[0], dtype=np.intp)
    for block in logits.blocks():
        values, leaves, starts = logits.entries(block)
        leaf, peak, rest = best_entries(values, leaves, starts)
        logits.check_rows(first_not_finite(peak), block.start)
        row = np.repeat(np.arange(len(leaf)), np.diff(starts))
        with np.errstate(all="ignore"):  # exp(-1000) is 0, and meant to be
            p = np.exp(values - peak[row])
        # An entry is outside the nodes on the path that are below its meeting with the leaf.
        meeting = tree.lca(leaf[row], leaves)
        order = np.lexsort((-meeting, row))
        meeting = meeting[order]
        outside = _sums_so_far(p[order], starts)
        # The leaf's own entry is the last: its turn comes when all the others are outside.
        needed = outside > (limit * rest)[row]
        needed[starts[1:] - 1] = True
        first = np.flatnonzero(needed)
        first = first[np.searchsorted(first, starts[:-1])]
        nodes[block] = meeting[first]
    return nodes


def _sums_so_far(values, starts):
    """Sums of each row's values up to each of them, without any subtraction."""
    sums = values.copy()
    left = np.arange(len(values)) - np.repeat(starts[:-1], np.diff(starts))  # values before it
    step = 1
    while (some := np.flatnonzero(left >= step)).size:
        sums[some] += sums[some - step]  # the right side is read before anything is written
        step *= 2
    return sums
