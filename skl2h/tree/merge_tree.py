"""A binary tree over leaves, in arrays.

leaf    one cluster of the flat model; there are K, numbered 0..K-1
node    a leaf or a merge: K + t is the t-th merge (the numbering of SciPy and scikit-learn)
group   the leaves below one node
level   a cut of the tree, named by its number of groups: K = the leaves, 1 = the root

A parent's number is larger than its children's, so every walk is a loop over the merges in
order, or a hop from parent to parent: nothing here recurses.
"""

from functools import cached_property, partial
from operator import add

import numpy as np

from ..exceptions.arguments import as_choice
from ..exceptions.texts import shown
from .alignment import in_order, names_in_order
from .checks import (
    check_children,
    check_counts,
    check_node,
    check_nodes,
    check_scores,
    check_support,
    check_texts_by_node,
)
from .cuts import cut
from .linkage import from_linkage, to_linkage
from .notebook import picture_of
from .subtrees import RangeMaximum, first_places, values_below

__all__ = ["MergeTree"]

# How a tree may have been made; None if that is not known.
METHODS = ("l2h", "affinity", None)


class MergeTree:
    """Immutable binary tree over K leaves, given by its merges in order.

    The leaves are the clusters of a flat model, not its rows.

    Parameters
    ----------
    children : array-like of shape (n_leaves - 1, 2), dtype=int
        The two nodes that each merge joins. Nodes 0..n_leaves-1 are the leaves; merge t makes
        node ``n_leaves + t``.
    scores : array-like of shape (n_leaves - 1,), dtype=float, default=None
        A number for each merge, such as its height or the score of the group that was selected.
    names : sequence of str of length n_leaves, or dict of {int: str}, default=None
        Leaf names. Leaves without a name, because of None or because the dict lacks them, are
        named by their numbers.
    counts : array-like of shape (n_leaves,) or dict, default=None
        Rows in each leaf, or their total weight, by name in a dict or the index of a Series.
    support : array-like of shape (n_leaves - 1,), dtype=float, default=None
        For each merge, the share of other trees that have its group, from 0 to 1: as
        :func:`~skl2h.bootstrap_support` gives it.
    method : {"l2h", "affinity"}, default=None
        How the tree was made: by joining the least sure group first, as :func:`~skl2h.l2h_tree`
        does, or the leaves that are most alike, as :func:`~skl2h.affinity_tree` and
        :func:`~skl2h.confusion_tree` do. None says that this is not known, or is neither.

    Attributes
    ----------
    children : ndarray of shape (n_leaves - 1, 2), dtype=intp
    scores : ndarray of shape (n_leaves - 1,), dtype=float64, or None
    names : tuple of str of length n_leaves
    counts : ndarray of shape (n_leaves,), or None
    support : ndarray of shape (n_leaves - 1,), dtype=float64, or None
    method : "l2h", "affinity" or None
        It says what `scores` are: of "l2h", the score of the selected group at each merge; of
        "affinity", the height of each merge in a linkage, and heights rise.
    n_leaves : int
    n_nodes : int
        ``2 * n_leaves - 1``.
    parents : ndarray of shape (n_nodes,), dtype=intp
        Parent of each node, -1 for the root.
    sizes : ndarray of shape (n_nodes,), dtype=intp
        Number of leaves below each node.
    node_counts : ndarray of shape (n_nodes,), or None
        Sum of `counts` below each node.
    leaf_order : ndarray of shape (n_leaves,), dtype=intp
        The leaves from left to right, first child first: no two branches cross.
    starts : ndarray of shape (n_nodes,), dtype=intp
        Where the leaves below each node begin in `leaf_order`: they are
        ``leaf_order[starts[node] : starts[node] + sizes[node]]``.

    Raises
    ------
    ValueError
        If the merges are not those of one binary tree, a length or the keys do not fit, a name is
        missing, a score or count is not a finite number, the counts add up to more than their
        dtype holds, a support is not from 0 to 1, or `method` is not one of these.
    TypeError
        If `names` are in no order, as those of a set.

    Notes
    -----
    Wherever there is one value for each leaf, here and in all functions, a dict or a pandas Series
    or DataFrame is read by its keys, which are the names of the leaves, and never by position;
    values without keys, and a Series with the index 0, 1, 2, ..., are in the order of the leaves.

    All arrays are read-only. Two trees are equal if their children, scores, names, counts and
    support are, whatever their `method`. Nodes are numbered as in SciPy [1]_.

    References
    ----------
    .. [1] D. Müllner, "Modern hierarchical, agglomerative clustering algorithms", 2011,
       arXiv:1109.2378.

    Examples
    --------
    >>> from skl2h import MergeTree
    >>> tree = MergeTree([(0, 2), (1, 3), (4, 5)], scores=[0.5, 0.7, 1.6], names="abcd")
    >>> tree
    MergeTree(n_leaves=4)
    >>> tree.cut(2)
    array([0, 1, 0, 1])
    >>> tree.cut([4, 3, 2])
    array([[0, 0, 0],
           [1, 1, 1],
           [2, 0, 0],
           [3, 2, 1]])
    >>> tree.cut(score=0.6)
    array([0, 1, 0, 2])
    >>> tree.members(5)
    array([1, 3])
    >>> tree.path(3)
    array([3, 5, 6])
    >>> tree.lca(0, 2)
    4
    >>> tree.leaf_order
    array([0, 2, 1, 3])
    >>> tree.sizes
    array([1, 1, 1, 1, 2, 2, 4])
    >>> tree.to_linkage()
    array([[0., 2., 1., 2.],
           [1., 3., 2., 2.],
           [4., 5., 3., 4.]])
    >>> MergeTree.from_linkage(tree.to_linkage("score"), names="abcd") == tree
    True
    """

    def __init__(
        self, children, *, scores=None, names=None, counts=None, support=None, method=None
    ):
        children = check_children(children)
        n_leaves = len(children) + 1
        merges = [*map(str, range(n_leaves, 2 * n_leaves - 1))]
        if scores is not None:
            scores = check_scores(in_order("scores", scores, merges, "merges"), n_leaves - 1)
        numbers = list(map(str, range(n_leaves)))
        names = numbers if names is None else names_in_order(names, numbers)
        if len(names) != n_leaves:
            raise ValueError(f"{len(names)} names were given for {n_leaves} leaves.")
        if counts is not None:
            counts = check_counts(in_order("counts", counts, names), n_leaves)
        if support is not None:
            support = check_support(in_order("support", support, merges, "merges"), n_leaves - 1)
        fields = {
            "children": _read_only(children),
            "scores": _read_only(scores),
            "names": tuple(names),
            "counts": _read_only(counts),
            "support": _read_only(support),
            "method": as_choice("method", method, METHODS),
        }
        self.__dict__.update(fields)

    @property
    def n_leaves(self):
        """Number of leaves, K."""
        return len(self.children) + 1

    @property
    def n_nodes(self):
        """Number of nodes, 2 K - 1."""
        return 2 * len(self.children) + 1

    @cached_property
    def parents(self):
        parents = np.full(self.n_nodes, -1, dtype=np.intp)
        parents[self.children] = np.arange(self.n_leaves, self.n_nodes)[:, np.newaxis]
        return _read_only(parents)

    @cached_property
    def sizes(self):
        return _read_only(values_below(self, np.ones(self.n_leaves, dtype=np.intp), add))

    @cached_property
    def node_counts(self):
        return None if self.counts is None else _read_only(values_below(self, self.counts, add))

    @cached_property
    def leaf_order(self):
        order = np.empty(self.n_leaves, dtype=np.intp)
        order[self.starts[: self.n_leaves]] = np.arange(self.n_leaves)
        return _read_only(order)

    @cached_property
    def starts(self):
        return _read_only(first_places(self))

    # Methods that stand in modules of their own.
    cut = cut
    to_linkage, from_linkage = to_linkage, classmethod(from_linkage)

    def members(self, node):
        """Leaves below a node.

        Parameters
        ----------
        node : int
            A leaf or a merge.

        Returns
        -------
        leaves : ndarray of shape (sizes[node],), dtype=intp
            In increasing order; a leaf is its own only member.

        Raises
        ------
        ValueError
            If there is no such node.
        TypeError
            If `node` is not an integer.
        """
        node = check_node(self, node)
        start = self.starts[node]
        return np.sort(self.leaf_order[start : start + self.sizes[node]])

    def node_names(self, inner=None):
        """Names of all nodes, to be looked up by an array of nodes.

        Parameters
        ----------
        inner : dict of {int: str}, default=None
            Names of some inner nodes. The others are "node 7", after their number.

        Returns
        -------
        names : ndarray of shape (n_nodes,), dtype=object
            The names of the leaves are those of the tree.

        Raises
        ------
        ValueError
            If there is no such inner node, or a name is missing (None or NaN).
        TypeError
            If `inner` is not a dict, or a key not an integer.

        Examples
        --------
        >>> from skl2h import MergeTree
        >>> tree = MergeTree([(0, 2), (1, 3)], names=["robin", "cat", "wren"])
        >>> tree.node_names({3: "bird"})[[0, 3, 4]]
        array(['robin', 'bird', 'node 4'], dtype=object)
        """
        names = [*self.names, *(f"node {node}" for node in range(self.n_leaves, self.n_nodes))]
        inner = check_texts_by_node("inner", {} if inner is None else inner)
        for node, name in inner.items():
            node = check_node(self, node)
            if node < self.n_leaves:
                raise ValueError(
                    f"Node {node} is a leaf, named {shown(self.names[node])}: with_names changes "
                    "that."
                )
            names[node] = name
        return np.array(names, dtype=object)

    def path(self, node):
        """Nodes from a node up to the root.

        Parameters
        ----------
        node : int
            A leaf or a merge.

        Returns
        -------
        nodes : ndarray of shape (depth + 1,), dtype=intp
            The node itself first, the root last, in increasing order.

        Raises
        ------
        ValueError
            If there is no such node.
        TypeError
            If `node` is not an integer.
        """
        nodes, parents = [check_node(self, node)], self.parents
        while parents[nodes[-1]] >= 0:
            nodes.append(parents[nodes[-1]])
        return np.array(nodes, dtype=np.intp)

    def lca(self, a, b):
        """Lowest common ancestor: the smallest group that holds both nodes.

        Parameters
        ----------
        a, b : int or array-like of int
            Nodes; arrays are broadcast against each other.

        Returns
        -------
        nodes : int or ndarray of dtype=intp
            An int when both are.

        Raises
        ------
        ValueError
            If there is no such node, or the shapes of `a` and `b` do not fit each other.
        TypeError
            If a node is not an integer.
        """
        a, b = check_nodes(self, a, "a"), check_nodes(self, b, "b")
        try:
            a, b = np.broadcast_arrays(a, b)
        except ValueError:
            raise ValueError(
                f"a and b must be of shapes that fit each other, got {a.shape} and {b.shape}."
            ) from None
        starts, sizes = self.starts, self.sizes
        first = np.minimum(starts[a], starts[b])
        last = np.maximum(starts[a] + sizes[a], starts[b] + sizes[b]) - 1
        # Between two places in the leaf order the highest-numbered split is the ancestor.
        highest = self._splits.between(first, last)
        ancestors = np.where(first == last, self.leaf_order[first], highest)
        return ancestors if a.ndim else int(ancestors)

    def with_names(self, names):
        """Return the same tree with other leaf names.

        Parameters
        ----------
        names : sequence of str of length n_leaves, dict of {str or int: str}, or None
            The names in the order of the leaves, or in a Series with the old names as its index.
            A dict renames only the leaves that its keys name or number. None names the leaves by
            their numbers.

        Returns
        -------
        tree : MergeTree
            With these names.

        Raises
        ------
        ValueError
            If there are not as many names as leaves, a name is missing (None or NaN), or a key is
            neither the name of one leaf nor the number of one.
        TypeError
            If `names` are in no order, as those of a set.

        Examples
        --------
        >>> from skl2h import MergeTree
        >>> tree = MergeTree([(0, 2), (1, 3)], names=["robin", "cat", "wren"])
        >>> tree.with_names({"cat": "tomcat"}).names
        ('robin', 'tomcat', 'wren')
        """
        return self._with(names=None if names is None else names_in_order(names, self.names))

    def with_support(self, support):
        """Return the same tree with another support of its merges.

        Parameters
        ----------
        support : array-like of shape (n_leaves - 1,), dtype=float, or None
            From 0 to 1.

        Returns
        -------
        tree : MergeTree
            With these numbers.

        Raises
        ------
        ValueError
            If there is not one number from 0 to 1 for each merge.
        """
        return self._with(support=support)

    def __setattr__(self, name, value):
        raise AttributeError(f"A MergeTree cannot be changed: make a new one to set {shown(name)}.")

    def __delattr__(self, name):
        raise AttributeError(f"A MergeTree cannot be changed: {shown(name)} stays.")

    def __eq__(self, other):
        if not isinstance(other, MergeTree):
            return NotImplemented
        return self.names == other.names and all(
            np.array_equal(getattr(self, array), getattr(other, array))
            for array in ("children", "scores", "counts", "support")
        )

    def __hash__(self):
        return hash((self.children.tobytes(), self.names))

    def __repr__(self):
        return f"MergeTree(n_leaves={self.n_leaves})"

    def _repr_html_(self):
        return picture_of(self, min(self.n_leaves, 10))

    def __reduce__(self):
        # Unpickled arrays are writable again, so the tree is built anew.
        return partial(MergeTree, **self._fields()), (self.children,)

    def _fields(self):
        """What the tree is made of besides its merges, by the name of the argument."""
        arguments = ("scores", "names", "counts", "support", "method")
        return {key: getattr(self, key) for key in arguments}

    def _with(self, **fields):
        return MergeTree(self.children, **(self._fields() | fields))

    @cached_property
    def _splits(self):
        """Node that parts each leaf from the next one in `leaf_order`, the last entry unused."""
        splits = np.zeros(self.n_leaves, dtype=np.intp)
        splits[self.starts[self.children[:, 1]] - 1] = np.arange(self.n_leaves, self.n_nodes)
        return RangeMaximum(splits)


def _read_only(array):
    if array is not None:
        array.setflags(write=False)
    return array
