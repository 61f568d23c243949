"""What a tree is made of, and what it is asked for, each checked with one clear error."""

from collections import Counter
from collections.abc import Mapping, Set

import numpy as np

from ..exceptions.arguments import as_choice, as_floats, as_index, as_integers, check_finite
from ..exceptions.arrays import as_array, is_missing, ndarray_of, refuse_masked
from ..exceptions.texts import first_difference, shown

__all__ = [
    "check_children",
    "check_counts",
    "check_heights",
    "check_level",
    "check_levels",
    "check_names",
    "check_node",
    "check_nodes",
    "check_order",
    "check_scores",
    "check_support",
    "check_texts_by_node",
]


def check_children(children):
    """Pairs of nodes as intp, which are the merges of one binary tree."""
    refuse_masked("children", children)
    try:
        children = ndarray_of(children)
    except ValueError:  # lists of several lengths
        raise ValueError(f"children must be pairs of nodes, got {shown(children)}.") from None
    if children.shape == (0,):
        children = np.empty((0, 2), dtype=np.intp)
    if children.ndim != 2 or children.shape[1] != 2:
        raise ValueError(f"children must have the shape (n_leaves - 1, 2), got {children.shape}.")
    if children.dtype.kind not in "iuf":
        raise ValueError(f"children must be integers, got {children.dtype}.")
    with np.errstate(invalid="ignore"):  # NaN becomes some integer, and is refused as unequal
        nodes = children.astype(np.intp)
    if not np.array_equal(nodes, children):
        raise ValueError("children must be integers.")
    made = len(nodes) + 1 + np.arange(len(nodes))[:, np.newaxis]
    bad = np.argwhere((nodes < 0) | (nodes >= made))
    if len(bad):
        t = bad[0, 0]
        raise ValueError(f"Merge {t} joins node {nodes[tuple(bad[0])]}, which is not there yet.")
    used = np.bincount(nodes.ravel())
    if (used > 1).any():
        raise ValueError(f"Node {(used > 1).argmax()} is merged more than once.")
    return nodes


def check_scores(scores, n_merges):
    """Scores of the merges as float64."""
    scores = as_floats("scores", scores)
    _check_length("scores", scores, n_merges, "merges")
    check_finite("scores", scores)
    return scores


def check_support(support, n_merges):
    """Support of the merges as float64, from 0 to 1."""
    support = as_floats("support", support)
    _check_length("support", support, n_merges, "merges")
    outside = ~((support >= 0) & (support <= 1))  # NaN as well
    if outside.any():
        at = int(outside.argmax())
        raise ValueError(f"support[{at}] is {support[at]}, not a share from 0 to 1.")
    return support


def check_counts(counts, n_leaves):
    """Rows of the leaves as int64, or their weights as float64; their sum is a number as well."""
    counts = as_array("counts", counts)
    whole = counts.dtype.kind != "f"
    if not whole:
        counts = as_floats("counts", counts)
    _check_length("counts", counts, n_leaves, "leaves")
    check_finite("counts", counts)
    if (counts < 0).any():
        raise ValueError(f"counts[{(counts < 0).argmax()}] is negative.")
    largest = np.iinfo(np.int64).max if whole else np.finfo(np.float64).max
    if sum(counts.tolist()) > largest:  # of Python's numbers, which neither wrap nor warn
        raise ValueError(f"counts add up to more than {largest}.")
    return counts.astype(np.int64) if whole else counts


def check_names(names, name="names"):
    """Names in their order as a list of str."""
    if isinstance(names, Set):
        raise TypeError(f"{name} must be in the order of the leaves, which a set does not have.")
    is_bytes = isinstance(names, (bytes, bytearray, memoryview))
    if not np.iterable(names) or getattr(names, "ndim", 1) != 1 or is_bytes:
        raise TypeError(f"{name} must be one sequence of texts, got {shown(names)}.")
    names = list(names)
    missing = list(map(is_missing, names))
    if any(missing):
        at = missing.index(True)
        raise ValueError(
            f"{name}[{at}] is {shown(names[at])}, which is not a name: give a text, which may be "
            "empty."
        )
    return list(map(str, names))


def check_texts_by_node(name, texts):
    """Texts {node: text} as a dict of str; a Series has the nodes as its index."""
    if not isinstance(texts, Mapping) and not hasattr(texts, "iloc"):
        raise TypeError(f"{name} must be a dict {{node: text}}, got {shown(texts)}.")
    for node, text in texts.items():
        if is_missing(text):
            raise ValueError(f"{name}[{shown(node)}] is {shown(text)}, which is not a text.")
    return {node: str(text) for node, text in texts.items()}


def check_heights(tree, heights, *others):
    """Refuse heights of merges that a tree does not have; others may be asked for as well."""
    as_choice("heights", heights, (*others, "rank", "score"))
    if heights == "score" and tree.scores is None:
        raise ValueError("This tree has no scores: use heights='rank'.")


def check_level(tree, level, name="level"):
    """Level of a tree as an int."""
    level = as_index(name, level)
    if not 1 <= level <= tree.n_leaves:
        raise ValueError(
            f"There is no level {shown(level)}: a tree of {tree.n_leaves} leaves has the levels "
            f"1 to {tree.n_leaves} (the number of groups)."
        )
    return level


def check_levels(tree, levels, name="levels"):
    """Levels of a tree as a list of int."""
    if isinstance(levels, (str, bytes, Mapping, Set)) or not np.iterable(levels):
        raise TypeError(f"{name} must be a sequence of integers, got {shown(levels)}.")
    return [check_level(tree, level, f"{name}[{at}]") for at, level in enumerate(levels)]


def check_node(tree, node, name="node"):
    """Node of a tree as an int."""
    node = as_index(name, node)
    if not 0 <= node < tree.n_nodes:
        raise ValueError(f"There is no node {node}: they are 0 to {tree.n_nodes - 1}.")
    return node


def check_nodes(tree, nodes, name):
    """Nodes of a tree as an array of integers, with no dimension for a single one."""
    nodes = as_integers(name, nodes)
    for node in (nodes.min(initial=0), nodes.max(initial=0)):
        check_node(tree, int(node), name)
    return nodes


def check_order(tree, columns):
    """Refuse columns that are the leaves by name, but in another order."""
    columns = tuple(columns)
    if columns != tree.names and Counter(columns) == Counter(tree.names):
        at, column, leaf = first_difference(columns, tree.names)
        raise ValueError(
            f"The columns of the logits are the leaves in another order: column {at} is "
            f"{column}, and leaf {at} {leaf}. Give them in the order of tree.names, or as an "
            "array without labels if they are in this order already."
        )


def _check_length(name, values, length, what):
    if values.shape != (length,):
        raise ValueError(
            f"{name} must have the shape ({length},), one for each of the {length} {what}, "
            f"got {values.shape}."
        )
