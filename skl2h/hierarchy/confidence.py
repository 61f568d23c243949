"""The deepest node of a tree that a row is sure of.

path     the nodes from a row's leaf up to the root
outside  probability of the leaves that are not below a node: never 1 minus a rounded 1
place    of a leaf: its number in `leaf_order`; the leaves below a node have neighbouring places

Along a path, what is outside never grows: the node that is wanted is the first where it is
small enough.
"""

import numpy as np

from ..merge.queue import TOLERANCE

__all__ = ["deepest_nodes"]


def deepest_nodes(logits, tree, confidence):
    """First node on the path of each row that has the probability `confidence`, (n,)."""
    # What is a tie by the definition must not be lost to rounding.
    limit = (1 - confidence) * (1 + TOLERANCE)
    nodes = np.empty(logits.shape[0], dtype=np.intp)
    ancestors = _ancestors(tree)
    for rows, leaf, outside in logits.outside_stretches(tree.leaf_order):
        nodes[rows] = _first_sure(tree, ancestors, leaf, outside, limit)
    return nodes


def _first_sure(tree, ancestors, node, outside, limit):
    """First node up from a leaf of each row, by halves, of which little enough is outside."""
    most = limit * outside(0, 0)  # nothing is inside, so this is the sum over all leaves

    def is_unsure(node):
        first = tree.starts[node]
        return outside(first, first + tree.sizes[node]) > most

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
