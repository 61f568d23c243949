"""A tree as text and as tables: one plain function per format.

Every function takes a `MergeTree` or a fitted `L2HClustering` first.
"""

import csv
import io
import json

from sklearn.utils.validation import check_is_fitted

from .tree import MergeTree

__all__ = ["export_csv", "export_json", "export_text"]


def export_text(tree, *, decimals=3):
    """Indented text: the root first, a merge above what it joins.

    Parameters
    ----------
    tree : MergeTree or fitted L2HClustering
    decimals : int, default=3
        Digits of the scores after the point.

    Returns
    -------
    text : str
        One line per node. A leaf shows its name, a merge its number, leaves and score; both
        show their rows, if the tree has counts.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it is no tree.

    Examples
    --------
    >>> from skl2h import MergeTree
    >>> from skl2h.export import export_text
    >>> tree = MergeTree([(0, 2), (1, 3)], scores=[0.5, 0.75], names=["cat", "car", "dog"])
    >>> print(export_text(tree))
    node 4: 3 leaves, score 0.750
    |-- car
    `-- node 3: 2 leaves, score 0.500
        |-- cat
        `-- dog
    """
    tree = _tree_of(tree)
    lines = []
    waiting = [(tree.n_nodes - 1, "", "")]
    while waiting:
        node, branch, indent = waiting.pop()
        lines.append(branch + _describe(tree, node, decimals))
        if node >= tree.n_leaves:
            first, last = tree.children[node - tree.n_leaves]
            waiting.append((last, indent + "`-- ", indent + "    "))
            waiting.append((first, indent + "|-- ", indent + "|   "))
    return "\n".join(lines)


def export_json(tree, *, levels=()):
    """Flat JSON: the merges, the leaves, and the groups at some levels.

    Parameters
    ----------
    tree : MergeTree or fitted L2HClustering
    levels : sequence of int, default=()
        Levels to cut at.

    Returns
    -------
    text : str
        An object with ``n_leaves``, ``names``, ``counts``, ``children``, ``scores`` and
        ``cuts``, which maps each level to the group of each leaf. What the tree does not have
        is null.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it is no tree.
    ValueError
        If a level is out of range.

    Examples
    --------
    >>> from skl2h import MergeTree
    >>> from skl2h.export import export_json
    >>> print(export_json(MergeTree([(0, 2), (1, 3)], scores=[0.5, 0.75]), levels=[2]))
    {"n_leaves": 3, "names": ["0", "1", "2"], "counts": null, "children": [[0, 2], [1, 3]],
     "scores": [0.5, 0.75], "cuts": {"2": [0, 1, 0]}}
    """
    tree = _tree_of(tree)
    fields = {
        "n_leaves": tree.n_leaves,
        "names": tree.names,
        "counts": None if tree.counts is None else tree.counts.tolist(),
        "children": tree.children.tolist(),
        "scores": None if tree.scores is None else tree.scores.tolist(),
        "cuts": {str(level): tree.cut(level).tolist() for level in levels},
    }
    return json.dumps(fields)


def export_csv(tree, *, levels=()):
    """Table with one line for each node, leaves first.

    Parameters
    ----------
    tree : MergeTree or fitted L2HClustering
    levels : sequence of int, default=()
        Levels to cut at.

    Returns
    -------
    text : str
        Comma-separated: ``node``, ``name`` (of a leaf), ``parent``, ``child_1``, ``child_2``,
        ``score`` (of a merge), ``n_leaves`` and ``rows`` below the node, and for each level
        ``level_k``, the group that holds the node. What a node does not have is empty: a node
        above a cut is in no group.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it is no tree.
    ValueError
        If a level is out of range.

    Examples
    --------
    >>> from skl2h import MergeTree
    >>> from skl2h.export import export_csv
    >>> tree = MergeTree([(0, 2), (1, 3)], scores=[0.5, 0.75], names=["cat", "car", "dog"])
    >>> print(export_csv(tree, levels=[2]))
    node,name,parent,child_1,child_2,score,n_leaves,rows,level_2
    0,cat,3,,,,1,,0
    1,car,4,,,,1,,1
    2,dog,3,,,,1,,0
    3,,4,0,2,0.5,2,,0
    4,,,1,3,0.75,3,,
    """
    tree = _tree_of(tree)
    of_leaves, of_merges = [""] * tree.n_leaves, [""] * (tree.n_nodes - tree.n_leaves)
    columns = {
        "node": range(tree.n_nodes),
        "name": [*tree.names, *of_merges],
        "parent": [*tree.parents[:-1].tolist(), ""],
        "child_1": of_leaves + tree.children[:, 0].tolist(),
        "child_2": of_leaves + tree.children[:, 1].tolist(),
        "score": of_leaves + (of_merges if tree.scores is None else tree.scores.tolist()),
        "n_leaves": tree.sizes.tolist(),
        "rows": of_leaves + of_merges if tree.counts is None else tree.node_counts.tolist(),
    }
    for level in levels:
        columns[f"level_{level}"] = _group_of_nodes(tree, level)
    text = io.StringIO()
    # Python quotes a bare carriage return from 3.13 on: before, all text is quoted.
    bare = any("\r" in name for name in tree.names)
    quoting = csv.QUOTE_NONNUMERIC if bare else csv.QUOTE_MINIMAL
    writer = csv.writer(text, lineterminator="\n", quoting=quoting)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values()))
    return text.getvalue()


def _group_of_nodes(tree, level):
    groups = tree.cut(level).tolist()
    for first, _ in tree.children[: tree.n_leaves - level].tolist():
        groups.append(groups[first])
    return groups + [""] * (level - 1)


def _tree_of(tree):
    if isinstance(tree, MergeTree):
        return tree
    if not hasattr(tree, "fit"):
        raise TypeError(f"A MergeTree or a fitted L2HClustering is needed, got {tree!r}.")
    check_is_fitted(tree, "tree_")
    return _tree_of(tree.tree_)


def printable(name):
    """Name as it is, or quoted where it would not be one piece of text on one line."""
    return name if name.isprintable() and name else repr(name)


def _describe(tree, node, decimals):
    rows = ""
    if tree.counts is not None:
        count = tree.node_counts[node]
        rows = "1 row" if count == 1 else f"{count:.12g} rows"
    if node < tree.n_leaves:
        name = printable(tree.names[node])
        return f"{name} ({rows})" if rows else name
    parts = [f"{tree.sizes[node]} leaves", rows]
    if tree.scores is not None:
        parts.append(f"score {tree.scores[node - tree.n_leaves]:.{decimals}f}")
    return f"node {node}: " + ", ".join(part for part in parts if part)
