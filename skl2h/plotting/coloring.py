"""Which part of a picture has which colour, and which parts stand out."""

import numpy as np

from ..exceptions.arguments import as_index
from ..exceptions.arrays import is_missing, refuse_masked
from ..exceptions.texts import shown, shown_text
from ..tree.alignment import in_order
from ..tree.checks import check_level
from ..tree.palette import group_colors
from .captions import group_captions, one_line
from .layout import common_below

__all__ = ["Coloring", "highlighted"]


class Coloring:
    """Which branch and which tip has which colour.

    Attributes
    ----------
    colors : list of str
    of_branches : ndarray of shape (n_nodes,), dtype=intp
        Colour of each node, -1 where the leaves below have none in common.
    of_tips : ndarray of shape (n_tips,), dtype=intp
        Colour of each tile, -1 as well.
    title : str or None
        What the colours say...
    entries : list of (str, str)
        ... and each of those that tiles have, with a text.
    group_nodes : ndarray of shape (level,), dtype=intp, or None
        Node of each group; None without a level.
    """

    def __init__(self, tree, layout, level, leaf_classes, neutral):
        self.colors, self.title, self.entries = [], None, []
        self.of_branches = of_nodes = np.full(tree.n_nodes, -1)
        self.group_nodes = None
        captions, others = [], []
        if level is not None:
            level = check_level(tree, level)
            groups = tree.cut(level)
            self.of_branches = of_nodes = common_below(tree, groups)
            # The last node of each.
            self.group_nodes = tree.n_nodes - 1 - np.unique(of_nodes[::-1], return_index=True)[1]
            self.group_nodes = self.group_nodes[-level:]
            self.colors, self.title = group_colors(level), f"level {level}"
            captions = group_captions(tree, groups, level)
            others = ["several groups"]
        if leaf_classes is not None:
            names, classes = _classes(
                in_order("leaf_classes", leaf_classes, tree.names), tree.n_leaves
            )
            of_nodes = common_below(tree, classes)
            # After the colours of the groups: one colour says one thing.
            n_groups = len(self.colors)
            self.colors = group_colors(n_groups + len(names))
            of_nodes = np.where(of_nodes < 0, -1, of_nodes + n_groups)
            if level is None:
                self.of_branches = of_nodes
            self.title = None
            captions = [""] * n_groups + [one_line(str(name)) for name in names]
            mixed = (tree.sizes[layout.tips] > 1) & (of_nodes[layout.tips] < 0)
            others = ["several classes"] * bool(mixed.any()) + ["no class"] * bool(
                (classes < 0).any()
            )
        self.of_tips = of_nodes[layout.tips]
        if captions:
            seen = np.unique(self.of_tips[self.of_tips >= 0]).tolist()
            self.entries = [(self.colors[color], captions[color]) for color in seen]
            if (self.of_tips < 0).any():
                self.entries.append((neutral, ", or ".join(others)))


def _classes(leaf_classes, n_leaves):
    """Names of the classes in their order, and the class of each leaf, -1 for None and NaN."""
    refuse_masked("leaf_classes", leaf_classes)
    try:
        values = np.asarray(leaf_classes, dtype=object)
    except ValueError as error:  # lists of several lengths
        raise ValueError(f"leaf_classes is no array: {shown_text(error)}") from None
    if values.shape != (n_leaves,):
        raise ValueError(
            f"leaf_classes must have the shape ({n_leaves},), one for each leaf, got "
            f"{values.shape}."
        )
    values = [None if is_missing(value) else value for value in values]
    try:
        names = set(values) - {None}
    except TypeError:
        raise TypeError("leaf_classes must hold names or numbers, one for each leaf.") from None
    try:
        names = sorted(names)
    except TypeError:  # of several types
        names = sorted(names, key=str)
    numbers = {name: number for number, name in enumerate(names)} | {None: -1}
    return names, np.array([numbers[value] for value in values], dtype=np.intp)


def highlighted(tree, layout, highlight):
    """Which nodes do, (n_nodes,): all, or those below what is highlighted."""
    if highlight is None:
        return np.ones(tree.n_nodes, dtype=bool)
    if hasattr(highlight, "iloc") and any(isinstance(key, str) for key in highlight.index):
        raise ValueError(
            "highlight has an index of texts, and what it names has no values: give "
            "highlight.index.tolist() or highlight.tolist(), whichever holds the nodes and leaves."
        )
    stands_out = np.zeros(tree.n_nodes, dtype=bool)
    is_one = isinstance(highlight, (str, bytes)) or not np.iterable(highlight)
    highlight = [highlight] if is_one else list(highlight)
    if len(highlight) == 0:
        raise ValueError("highlight is empty: name a node or a leaf, or give None.")
    for one in highlight:
        if isinstance(one, str):
            nodes = [leaf for leaf, name in enumerate(tree.names) if name == one]
            if not nodes:
                raise ValueError(f"highlight names {shown(one)}, but no leaf has this name.")
        else:
            nodes = tree.path(as_index("highlight, where it names no leaf,", one))[:1]
        for node in nodes:
            while np.isnan(layout.place[node]):  # within a collapsed merge
                node = tree.parents[node]
            stands_out[node] = True
    for t in range(len(tree.children) - 1, -1, -1):
        if stands_out[tree.n_leaves + t]:
            stands_out[tree.children[t]] = True
    return stands_out
