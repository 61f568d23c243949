"""A tree as tables, one line for each node, and as a graph of nodes with attributes."""

import csv
import io
import re

from ..exceptions.arguments import as_flag
from ..tree.checks import check_levels
from ..tree.tree_of import tree_of

__all__ = [
    "csv_writer",
    "export_csv",
    "export_networkx",
    "export_pandas",
    "group_of_nodes",
    "safe_names",
]

# A spreadsheet takes a text for a formula if it begins with one of these characters, of usual or of
# full width, even after white space. A name that begins with an apostrophe gets another one too, so
# that all names come back if one apostrophe is removed from each that begins with one.
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n']")


def export_csv(tree, *, levels=(), safe=False):
    """Table with one line for each node, leaves first.

    Parameters
    ----------
    tree : MergeTree or fitted L2HClustering
        What to write.
    levels : sequence of int, default=()
        Levels to cut at.
    safe : bool, default=False
        Whether to write an apostrophe before each name that a spreadsheet would run as a formula,
        since it begins with ``=``, ``+``, ``-``, ``@``, a tab or a line break; and before names
        that begin with an apostrophe. Use it where names come from strangers and people open the
        table in a spreadsheet. A program that reads the table removes one apostrophe again. Scores
        below 0 are numbers, and stay as they are.

    Returns
    -------
    text : str
        Comma-separated: ``node``, ``name`` (of a leaf), ``parent``, ``child_1``, ``child_2``,
        ``score`` (of a merge: its height in an affinity tree), ``support`` (of a merge; only if
        the tree has it), ``n_leaves`` and ``rows`` below the node, and for each level ``level_k``,
        the group that holds the node. A field is empty if the node does not have it: a node above
        a cut is in no group.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If `tree` is not a tree, a level is not an integer, or `safe` is not a bool.
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
    >>> risky = tree.with_names(["=1+1", "car", "dog"])
    >>> print(export_csv(risky, safe=True).splitlines()[1])
    0,'=1+1,3,,,,1,
    """
    tree, safe = tree_of(tree), as_flag("safe", safe)
    columns = {"node": range(tree.n_nodes)} | _node_columns(tree, levels)
    if safe:
        columns["name"][: tree.n_leaves] = safe_names(tree.names)
    text = io.StringIO()
    writer = csv_writer(text, tree.names)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values()))
    return text.getvalue()


def safe_names(names):
    """Names with an apostrophe before each that a spreadsheet would take for a formula."""
    return [f"'{name}" if _FORMULA.match(name) else name for name in names]


def csv_writer(file, names):
    """Writer of lines that hold names."""
    # Python quotes a bare carriage return only from 3.13 on. For earlier ones all text is quoted.
    bare = any("\r" in name for name in names)
    quoting = csv.QUOTE_NONNUMERIC if bare else csv.QUOTE_MINIMAL
    return csv.writer(file, lineterminator="\n", quoting=quoting)


def export_pandas(tree, *, levels=()):
    """DataFrame with one line for each node, leaves first.

    Parameters
    ----------
    tree : MergeTree or fitted L2HClustering
        What to write.
    levels : sequence of int, default=()
        Levels to cut at.

    Returns
    -------
    table : pandas.DataFrame of shape (n_nodes, n_columns)
        The index is ``node``. The columns are those of :func:`export_csv`: ``name`` (object, None
        for a merge), ``score`` and, if the tree has it, ``support`` (float64, NaN for a leaf),
        ``n_leaves`` (int64), and ``parent``, ``child_1``, ``child_2`` and ``level_k`` (Int64, with
        missing values). ``rows`` has the dtype of the tree's counts, and is always missing if there
        are none.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If `tree` is not a tree, or a level is not an integer.
    ValueError
        If a level is out of range.
    ImportError
        If pandas is not installed.

    Examples
    --------
    >>> from skl2h import MergeTree
    >>> from skl2h.export import export_pandas
    >>> tree = MergeTree([(0, 2), (1, 3)], scores=[0.5, 0.75], names=["cat", "car", "dog"])
    >>> table = export_pandas(tree, levels=[2])
    >>> table.loc[[2, 3], ["name", "parent", "score", "level_2"]]
          name  parent  score  level_2
    node
    2      dog       3    NaN        0
    3     None       4    0.5        0
    """
    tree = tree_of(tree)
    try:
        import pandas
    except ImportError:
        raise ImportError('export_pandas needs pandas: pip install "skl2h[pandas]".') from None
    columns = _node_columns(tree, levels)
    dtypes = dict.fromkeys(columns, "Int64")
    dtypes |= {"name": object, "score": "float64", "support": "float64", "n_leaves": "int64"}
    if tree.counts is not None:
        dtypes["rows"] = tree.counts.dtype
    index = pandas.RangeIndex(tree.n_nodes, name="node")
    return pandas.DataFrame(
        {
            name: pandas.Series(values, index=index, dtype=dtypes[name])
            for name, values in columns.items()
        }
    )


def export_networkx(tree, *, levels=()):
    """Directed graph, from each merge to the two nodes that it joins.

    Parameters
    ----------
    tree : MergeTree or fitted L2HClustering
        What to write.
    levels : sequence of int, default=()
        Levels to cut at.

    Returns
    -------
    graph : networkx.DiGraph
        A rooted tree of the nodes 0..n_nodes-1, the last of which is the root. Successors are in
        the order of ``children``. Node attributes are the columns of :func:`export_csv` that do not
        name nodes: ``name`` (of a leaf), ``score`` and ``support`` (of a merge), ``n_leaves``,
        ``rows`` and ``level_k``, each only where the node has it.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If `tree` is not a tree, or a level is not an integer.
    ValueError
        If a level is out of range.
    ImportError
        If networkx is not installed.

    Examples
    --------
    >>> from skl2h import MergeTree
    >>> from skl2h.export import export_networkx
    >>> tree = MergeTree([(0, 2), (1, 3)], scores=[0.5, 0.75], names=["cat", "car", "dog"])
    >>> graph = export_networkx(tree)
    >>> list(graph.edges)
    [(3, 0), (3, 2), (4, 1), (4, 3)]
    >>> graph.nodes[1], graph.nodes[4]
    ({'name': 'car', 'n_leaves': 1}, {'score': 0.75, 'n_leaves': 3})
    """
    tree = tree_of(tree)
    try:
        import networkx
    except ImportError:
        raise ImportError(
            'export_networkx needs networkx: pip install "skl2h[networkx]".'
        ) from None
    columns = _node_columns(tree, levels)
    for edges in ("parent", "child_1", "child_2"):
        del columns[edges]
    graph = networkx.DiGraph()
    graph.add_nodes_from(
        (node, {key: value for key, value in zip(columns, values) if value is not None})
        for node, values in enumerate(zip(*columns.values()))
    )
    merges = enumerate(tree.children.tolist(), tree.n_leaves)
    graph.add_edges_from((merge, child) for merge, pair in merges for child in pair)
    return graph


def _node_columns(tree, levels):
    """Columns by name, each a list with the value of each node, or None."""
    of_leaves, of_merges = [None] * tree.n_leaves, [None] * (tree.n_nodes - tree.n_leaves)
    columns = {
        "name": [*tree.names, *of_merges],
        "parent": [*tree.parents[:-1].tolist(), None],
        "child_1": of_leaves + tree.children[:, 0].tolist(),
        "child_2": of_leaves + tree.children[:, 1].tolist(),
        "score": of_leaves + (of_merges if tree.scores is None else tree.scores.tolist()),
        "support": of_leaves + (of_merges if tree.support is None else tree.support.tolist()),
        "n_leaves": tree.sizes.tolist(),
        "rows": of_leaves + of_merges if tree.counts is None else tree.node_counts.tolist(),
    }
    if tree.support is None:
        del columns["support"]
    for level in check_levels(tree, levels):
        columns[f"level_{level}"] = group_of_nodes(tree, level)
    return columns


def group_of_nodes(tree, level):
    """Group at a level that holds each node, None for a node above the cut."""
    groups = tree.cut(level).tolist()
    for first, _ in tree.children[: tree.n_leaves - level].tolist():
        groups.append(groups[first])
    return groups + [None] * (level - 1)
