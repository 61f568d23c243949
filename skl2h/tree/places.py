"""Where the members of each class stand in a tree, and where they meet.

K        leaves of the tree
place    of a leaf: its number in `leaf_order`; the leaves below a node have neighbouring places
meeting  a merge with members of one class on both sides. A class of m leaves has m - 1 meetings,
         the ancestors of neighbours among them, so that all meetings of all classes are found by
         sorting, in memory that grows with the members alone and not with nodes times classes.
"""

from typing import NamedTuple

import numpy as np

__all__ = ["Places", "depths", "longest_path"]


class _Meetings(NamedTuple):
    """Merges at which members of one class meet.

    Attributes
    ----------
    nodes : ndarray of shape (n_meetings,), dtype=intp
    classes : ndarray of shape (n_meetings,), dtype=intp
    left, right : ndarray of shape (n_meetings,)
        Members of the class below the first and the second child.
    """

    nodes: np.ndarray
    classes: np.ndarray
    left: np.ndarray
    right: np.ndarray


class Places:
    """Members of classes, sorted by class and place.

    Parameters
    ----------
    tree : MergeTree
    leaves, classes : ndarray of shape (n_entries,), dtype=intp
        Each pair at most once.
    members : ndarray of shape (n_entries,)
        Members of the class in the leaf.
    """

    def __init__(self, tree, leaves, classes, members):
        keys = classes * tree.n_leaves + tree.starts[leaves]
        order = keys.argsort()
        self.tree = tree
        self.leaves, self.classes, self.keys = leaves[order], classes[order], keys[order]
        self.sums = np.concatenate([[0], np.cumsum(members[order])])

    def below(self, nodes, classes):
        """Members of a class below a node, for arrays of both."""
        first, last = self._ends(nodes, classes)
        return self.sums[last] - self.sums[first]

    def meetings(self):
        """All meetings of all classes."""
        gaps = np.flatnonzero(self.classes[1:] == self.classes[:-1]) + 1
        nodes = self.tree.lca(self.leaves[gaps - 1], self.leaves[gaps])
        classes = self.classes[gaps]
        first, last = self._ends(nodes, classes)
        left = self.sums[gaps] - self.sums[first]
        right = self.sums[last] - self.sums[gaps]
        return _Meetings(nodes, classes, left, right)

    def _ends(self, nodes, classes):
        start = classes * self.tree.n_leaves + self.tree.starts[nodes]
        return self.keys.searchsorted([start, start + self.tree.sizes[nodes]])


def depths(tree):
    """Steps from each node up to the root, (n_nodes,)."""
    depth = [0] * tree.n_nodes
    for node, parent in zip(range(tree.n_nodes - 2, -1, -1), tree.parents[-2::-1].tolist()):
        depth[node] = depth[parent] + 1
    return np.array(depth, dtype=np.intp)


def longest_path(tree):
    """Steps between the two leaves that are furthest apart."""
    height, longest = [0] * tree.n_leaves, 0
    for left, right in tree.children.tolist():
        left, right = height[left] + 1, height[right] + 1
        height.append(max(left, right))
        longest = max(longest, left + right)
    return longest
