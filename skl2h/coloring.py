"""Which part of a picture has which colour, and which parts stand out."""

import operator

import numpy as np

from .captions import group_captions, one_line
from .layout import common_below
from .palette import group_colors

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
        ... and each of those of the tiles, with a text.
    """

    def __init__(self, tree, layout, level, leaf_classes):
        self.colors, self.title, self.entries = [], None, []
        self.of_branches = np.full(tree.n_nodes, -1)
        if level is not None:
            groups = tree.cut(operator.index(level))
            self.of_branches = of_nodes = common_below(tree, groups)
            self.colors, self.title = group_colors(level), f"level {level}"
            self.entries = list(zip(self.colors, group_captions(tree, groups, level)))
        if leaf_classes is not None:
            classes = np.asarray(leaf_classes)
            if classes.shape != (tree.n_leaves,):
                raise ValueError(
                    f"leaf_classes must have the shape ({tree.n_leaves},), one for each leaf, "
                    f"got {classes.shape}."
                )
            names, classes = np.unique(classes, return_inverse=True)
            of_nodes = common_below(tree, classes)
            # After the colours of the groups: one colour says one thing.
            n_groups = len(self.colors)
            self.colors = group_colors(n_groups + len(names))
            colors = self.colors[n_groups:]
            of_nodes = np.where(of_nodes < 0, -1, of_nodes + n_groups)
            if level is None:
                self.of_branches = of_nodes
            self.title = None
            self.entries = [(color, one_line(str(name))) for color, name in zip(colors, names)]
        self.of_tips = of_nodes[layout.tips] if self.entries else None


def highlighted(tree, layout, highlight):
    """Which nodes do, (n_nodes,): all, or those below what is highlighted."""
    if highlight is None:
        return np.ones(tree.n_nodes, dtype=bool)
    stands_out = np.zeros(tree.n_nodes, dtype=bool)
    for one in [highlight] if isinstance(highlight, (str, int, np.integer)) else highlight:
        if isinstance(one, str):
            nodes = [leaf for leaf, name in enumerate(tree.names) if name == one]
            if not nodes:
                raise ValueError(f"highlight names {one!r}, but no leaf has this name.")
        else:
            nodes = tree.path(one)[:1]
        for node in nodes:
            while np.isnan(layout.place[node]):  # within a collapsed merge
                node = tree.parents[node]
            stands_out[node] = True
    for t in range(len(tree.children) - 1, -1, -1):
        if stands_out[tree.n_leaves + t]:
            stands_out[tree.children[t]] = True
    return stands_out
