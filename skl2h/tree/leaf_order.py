"""Orders of the leaves in which no branches cross: each merge puts either child first."""

import re

import numpy as np

from ..exceptions.arguments import as_choice, as_floats
from ..exceptions.texts import shown
from .alignment import matrix_in_order
from .merge_tree import MergeTree
from .subtrees import ends_below, values_below

__all__ = ["order_leaves", "spans"]

LEAF_ORDERS = ("merge", "size", "name", "similarity")


def order_leaves(tree, leaf_order="merge", affinity=None):
    """Order of the leaves in a picture, in which no branches cross.

    Parameters
    ----------
    tree : MergeTree
        The tree whose leaves are ordered.
    leaf_order : {"merge", "size", "name", "similarity"} or array-like of shape (n_leaves,), \
default="merge"
        Which child of a merge comes first. With "merge" it is the first child, with "size" the
        child with more leaves, and with "name" the child that holds the first name, where digits
        in names count as numbers. With "similarity" the sum of the affinities of neighbours is as
        large as it can be [1]_. An array gives the order of the leaves itself.
    affinity : array-like of shape (n_leaves, n_leaves), default=None
        How alike two leaves are, for "similarity". Both directions are added. Both sides of a
        DataFrame are read by name.

    Returns
    -------
    leaves : ndarray of shape (n_leaves,), dtype=intp
        From the first place to the last.

    Raises
    ------
    ValueError
        If there is no such order, branches would cross, or the affinity is missing or has another
        shape.

    Notes
    -----
    For K leaves, the order by similarity takes time in K^3 and memory in K^2: about a second for
    1,000 leaves.

    References
    ----------
    .. [1] Z. Bar-Joseph, D. K. Gifford, T. S. Jaakkola, "Fast optimal leaf ordering for
       hierarchical clustering", Bioinformatics 17, 2001.

    Examples
    --------
    >>> from skl2h import MergeTree
    >>> from skl2h.tree.leaf_order import order_leaves
    >>> tree = MergeTree([(0, 2), (1, 3)], names=["b", "c", "a"])
    >>> order_leaves(tree)
    array([1, 0, 2])
    >>> order_leaves(tree, "size")
    array([0, 2, 1])
    >>> order_leaves(tree, "name")
    array([2, 0, 1])
    """
    if isinstance(leaf_order, str) or not np.iterable(leaf_order):
        as_choice("leaf_order, unless it is an array,", leaf_order, LEAF_ORDERS)
    else:
        if any(isinstance(leaf, str) for leaf in leaf_order):
            raise ValueError(
                f"leaf_order must hold the numbers of the leaves, 0 to {tree.n_leaves - 1}, got "
                f"{shown(leaf_order)}: of a name, tree.names.index(name) is the number."
            )
        leaves = as_floats("leaf_order", leaf_order)
        spans(tree, leaves)
        return leaves.astype(np.intp)
    if leaf_order == "similarity":
        return _most_alike(tree, affinity)
    children = tree.children
    if leaf_order == "size":
        children = _smaller_first(children, -tree.sizes)
    elif leaf_order == "name":
        children = _smaller_first(children, values_below(tree, _name_ranks(tree.names), min))
    return MergeTree(children).leaf_order


def spans(tree, leaves):
    """First and last place below each node, (n_nodes, 2), when the leaves stand in this order.

    Raises
    ------
    ValueError
        If `leaves` is not an order of the leaves, or branches cross.
    """
    n_leaves = tree.n_leaves
    if leaves.shape != (n_leaves,) or not np.array_equal(np.sort(leaves), np.arange(n_leaves)):
        raise ValueError(f"leaf_order must hold each of the leaves 0 to {n_leaves - 1} once.")
    first, last = ends_below(tree, np.argsort(leaves))
    crossed = np.flatnonzero(last - first + 1 != tree.sizes)
    if len(crossed):
        raise ValueError(
            f"In this leaf_order branches cross: the leaves of node {crossed[0]} are not side by "
            "side."
        )
    return np.column_stack([first, last])


def _smaller_first(children, keys):
    """Children with the smaller key first; a pair of equal keys stays as it is."""
    flip = keys[children[:, 0]] > keys[children[:, 1]]
    return np.where(flip[:, np.newaxis], children[:, ::-1], children)


def _name_ranks(names):
    """Place of each name in their order, "a10" after "a9"; equal names have equal places."""

    def key(name):
        # Texts stand at even places of the split and digits at odd ones: like meets like.
        parts = re.split(r"0*([0-9]+)", name.casefold())
        parts[1::2] = [(len(digits), digits) for digits in parts[1::2]]
        return parts, name

    ranks = {name: rank for rank, name in enumerate(sorted(set(names), key=key))}
    return np.array([ranks[name] for name in names])


def _most_alike(tree, affinity):
    """Leaves in the order with the largest sum of affinities of neighbours.

    SciPy's `optimal_leaf_ordering` finds that sum, but returns another order in about a third
    of random cases (its issue 11227).
    """
    if affinity is None:
        raise ValueError(
            "leaf_order='similarity' needs to know how alike the leaves are: give X to "
            "from_estimator, or an affinity of shape (n_leaves, n_leaves)."
        )
    affinity = as_floats("affinity", matrix_in_order("affinity", affinity, tree.names))
    n_leaves = tree.n_leaves
    if affinity.shape != (n_leaves, n_leaves):
        raise ValueError(
            f"affinity must have the shape ({n_leaves}, {n_leaves}), got {affinity.shape}."
        )
    # From here on a leaf is its place in `tree.leaf_order`, and a node is a stretch of places.
    alike = (affinity + affinity.T)[np.ix_(tree.leaf_order, tree.leaf_order)]
    np.fill_diagonal(alike, 0.0)
    if not np.isfinite(alike).all():
        raise ValueError("affinity holds NaN or infinity off its diagonal.")
    starts, stops = tree.starts.tolist(), (tree.starts + tree.sizes).tolist()
    children = tree.children.tolist()

    def far_side(node, end):
        """Stretch of the leaves that can be the other end, if a node begins with `end`."""
        if node < n_leaves:
            return slice(end, end + 1)
        left, right = children[node - n_leaves]
        other = right if end < stops[left] else left
        return slice(starts[other], stops[other])

    # best[u, w]: the largest sum within the merge where u and w meet, if they are its ends.
    best = np.zeros((n_leaves, n_leaves))
    for left, right in children:
        ends_of_right = slice(starts[right], stops[right])
        reached = np.empty((stops[left] - starts[left], stops[right] - starts[right]))
        for near in _sides(left, children, starts, stops, n_leaves):
            inner = far_side(left, near.start)
            rows = slice(near.start - starts[left], near.stop - starts[left])
            reached[rows] = _best_sums(best[near, inner], alike[inner, ends_of_right])
        for far in _sides(right, children, starts, stops, n_leaves):
            inner = far_side(right, far.start)
            columns = slice(inner.start - starts[right], inner.stop - starts[right])
            sums = _best_sums(reached[:, columns], best[inner, far])
            best[starts[left] : stops[left], far] = sums
            best[far, starts[left] : stops[left]] = sums.T

    order = np.empty(n_leaves, dtype=np.intp)
    root = tree.n_nodes - 1
    waiting = [(root, *_ends(best, root, children, starts, stops, n_leaves), 0)]
    while waiting:
        node, first, last, place = waiting.pop()
        if node < n_leaves:
            order[place] = first
            continue
        near, far = children[node - n_leaves]
        if not starts[near] <= first < stops[near]:
            near, far = far, near
        inner, outer = far_side(near, first), far_side(far, last)
        sums = best[first, inner, np.newaxis] + alike[inner, outer] + best[outer, last]
        at, beside = np.unravel_index(sums.argmax(), sums.shape)
        waiting.append((near, first, inner.start + at, place))
        waiting.append((far, outer.start + beside, last, place + stops[near] - starts[near]))
    return tree.leaf_order[order]


def _sides(node, children, starts, stops, n_leaves):
    """Stretches of both children of a merge, or of a leaf."""
    parts = [node] if node < n_leaves else children[node - n_leaves]
    return [slice(starts[part], stops[part]) for part in parts]


def _ends(best, root, children, starts, stops, n_leaves):
    """First and last leaf of the best order of all leaves."""
    if root < n_leaves:
        return 0, 0
    left, right = _sides(root, children, starts, stops, n_leaves)
    sums = best[left, right]
    first, last = np.unravel_index(sums.argmax(), sums.shape)
    return left.start + first, right.start + last


def _best_sums(a, b):
    """Largest of a[i, j] + b[j, k] over j, (I, K)."""
    (n_rows, n_inner), n_columns = a.shape, b.shape[1]
    shortest = min(n_rows, n_inner, n_columns)
    if shortest == n_inner:
        sums = a[:, :1] + b[0]
        for j in range(1, n_inner):
            np.maximum(sums, a[:, j, np.newaxis] + b[j], out=sums)
        return sums
    if shortest == n_rows:
        return np.array([(row[:, np.newaxis] + b).max(axis=0) for row in a])
    return np.array([(a + column).max(axis=1) for column in b.T]).T
