"""A tree as indented text."""

from ..exceptions.arguments import as_count
from ..exceptions.texts import printable
from ..tree.checks import check_level
from ..tree.heights import word_for_scores
from ..tree.subtrees import some_names
from ..tree.tree_of import tree_of

__all__ = ["export_text"]

MOST_DECIMALS = 1074

# Branches are drawn down to this depth. So they take at most 64 columns, and the length of the text
# grows only with the leaves.
DRAWN_DEPTH = 16


def export_text(tree, *, decimals=3, level=None, max_depth=None):
    """Indented text: the root first, and each merge above the nodes that it joins.

    Parameters
    ----------
    tree : MergeTree or fitted L2HClustering
        What to write.
    decimals : int, default=3
        Digits of scores and support after the point. Scores of 10**16 and more are written with an
        exponent.
    level : int, default=None
        Draw down to the groups of this level, and name their leaves; None draws all leaves.
    max_depth : int, default=None
        Draw no node that is more than this many steps below the root, and name the leaves below
        the last nodes drawn; None draws all.

    Returns
    -------
    text : str
        One line for each node. A leaf shows its name. A merge shows its number, its number of
        leaves, and its score and support, if the tree has them; the score of an affinity tree is
        called height. Both show their number of rows, if the tree has counts. A merge that is not
        drawn further names its leaves, at most ten. A name that is empty or would not stay on its
        line is quoted as in Python.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If `tree` is not a tree, or `decimals`, `level` or `max_depth` is not an integer.
    ValueError
        If there is no such level, `decimals` or `max_depth` is negative, or `decimals` is above
        1,074, the most that a float can have.

    Notes
    -----
    Branches are drawn down to 16 steps below the root. Nodes further down are all indented like
    those at 17 steps, after their number of steps in brackets, such as ``[18] cat``. Each of them
    is below the last node above it in the text that has a smaller number of steps.

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
    >>> print(export_text(tree, level=2))
    node 4: 3 leaves, score 0.750
    |-- car
    `-- node 3: 2 leaves, score 0.500 (cat, dog)
    """
    tree = tree_of(tree)
    n_whole, depth_limit = tree.n_leaves, tree.n_leaves  # nodes below n_whole are not opened
    if level is not None:
        n_whole = 2 * tree.n_leaves - check_level(tree, level)
    if max_depth is not None:
        depth_limit = as_count("max_depth", max_depth, least=0)
    # A float has no more digits, and Python does not write many more.
    decimals = as_count("decimals", decimals, least=0, most=MOST_DECIMALS)
    descriptions = _descriptions(tree, decimals)
    children, n_leaves = tree.children.tolist(), tree.n_leaves
    lines = []
    waiting = [(tree.n_nodes - 1, 0, "", "")]
    while waiting:
        node, depth, branch, indent = waiting.pop()
        line = branch + descriptions[node]
        if n_leaves <= node and (node < n_whole or depth == depth_limit):
            line += f" ({some_names(tree, node)})"
        elif n_leaves <= node:
            first, last = children[node - n_leaves]
            if depth < DRAWN_DEPTH:
                waiting.append((last, depth + 1, indent + "`-- ", indent + "    "))
                waiting.append((first, depth + 1, indent + "|-- ", indent + "|   "))
            else:
                branch = f"{indent}[{depth + 1}] "
                waiting.append((last, depth + 1, branch, indent))
                waiting.append((first, depth + 1, branch, indent))
        lines.append(line)
    return "\n".join(lines)


def _descriptions(tree, decimals):
    """Text of each node."""
    n_leaves = tree.n_leaves
    texts = list(map(printable, tree.names))
    texts += [
        f"node {node}: {size} leaves"
        for node, size in enumerate(tree.sizes[n_leaves:].tolist(), n_leaves)
    ]
    if tree.counts is not None:
        rows = ["1 row" if n == 1 else f"{n:.12g} rows" for n in tree.node_counts.tolist()]
        texts[:n_leaves] = [f"{text} ({n})" for text, n in zip(texts[:n_leaves], rows)]
        texts[n_leaves:] = [f"{text}, {n}" for text, n in zip(texts[n_leaves:], rows[n_leaves:])]
    if tree.scores is not None:
        scores, word = tree.scores.tolist(), word_for_scores(tree)
        texts[n_leaves:] = [
            # A larger float has digits before the point that say nothing.
            f"{text}, {word} {score:.{decimals}{'f' if abs(score) < 1e16 else 'e'}}"
            for text, score in zip(texts[n_leaves:], scores)
        ]
    if tree.support is not None:
        texts[n_leaves:] = [
            f"{text}, support {support:.{decimals}f}"
            for text, support in zip(texts[n_leaves:], tree.support.tolist())
        ]
    return texts
