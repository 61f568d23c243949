"""Colours of a picture, and what is highlighted."""

import numpy as np

from ..exceptions.arguments import as_index
from ..exceptions.arrays import is_missing, refuse_masked
from ..exceptions.texts import shown, shown_text
from ..tree.alignment import in_order
from ..tree.checks import check_level
from ..tree.palette import group_colors
from ..tree.subtrees import values_below
from .captions import group_captions, one_line

__all__ = ["Coloring"]

# What belongs to several groups, or to no class: a branch, and a cell of an icicle.
NEUTRAL, NEUTRAL_CELL = "#4d4d4d", "#d0d0d0"

# Opacity of what is not highlighted, and of its texts.
FADED, FADED_TEXT = 0.25, 0.5


class Coloring:
    """Colours of the branches and tiles of a picture, and what they say.

    Attributes
    ----------
    branches : ndarray of shape (n_nodes, 4), dtype=float64
        Colour of the branch of each node, or of its cell in an icicle, as RGBA.
    on_white : ndarray of shape (n_nodes, 3), dtype=float64
        The same as it is seen on white.
    widths : ndarray of shape (n_nodes,), dtype=float64
        Width of each branch as a multiple of the usual width.
    tiles : ndarray of shape (n_tips, 4), dtype=float64
        Colour of each tile.
    title : str or None
        Title of the legend.
    entries : list of (str, str)
        Colour and text of each entry of the legend, which has the colours of the tiles.
    group_nodes : ndarray of shape (level,), dtype=intp, or None
        Node of each group; None without a level.
    """

    def __init__(self, tree, view, level, leaf_classes, highlight):
        from matplotlib.colors import to_rgba_array

        layout, neutral = view.layout, NEUTRAL_CELL if view.is_icicle else NEUTRAL
        colors, captions, others = [], [], []
        self.title = self.group_nodes = None
        of_branches = of_nodes = np.full(tree.n_nodes, -1)
        if level is not None:
            level = check_level(tree, level)
            groups = tree.cut(level)
            of_branches = of_nodes = _common_below(tree, groups)
            # Of the nodes within a group, its own is the last.
            last = tree.n_nodes - 1 - np.unique(of_nodes[::-1], return_index=True)[1]
            self.group_nodes = last[-level:]
            colors, self.title = group_colors(level), f"level {level}"
            captions = group_captions(tree, groups, level)
            others = ["several groups"]
        if leaf_classes is not None:
            names, classes = _classes(
                in_order("leaf_classes", leaf_classes, tree.names), tree.n_leaves
            )
            of_nodes = _common_below(tree, classes)
            # After the colours of the groups, so that no colour says two things.
            n_groups = len(colors)
            colors = group_colors(n_groups + len(names))
            of_nodes = np.where(of_nodes < 0, -1, of_nodes + n_groups)
            if level is None:
                of_branches = of_nodes
            self.title = None
            captions = [""] * n_groups + [one_line(str(name)) for name in names]
            mixed = (tree.sizes[layout.tips] > 1) & (of_nodes[layout.tips] < 0)
            others = ["several classes"] * bool(mixed.any())
            others += ["no class"] * bool((classes < 0).any())
        of_tips = of_nodes[layout.tips]
        self.entries = []
        if captions:
            seen = np.unique(of_tips[of_tips >= 0]).tolist()
            self.entries = [(colors[color], captions[color]) for color in seen]
            if (of_tips < 0).any():
                self.entries.append((neutral, ", or ".join(others)))
        palette = to_rgba_array([neutral, *colors])
        self.branches, self.tiles = palette[of_branches + 1], palette[of_tips + 1]
        self._is_faded = ~_highlighted(tree, layout, highlight)
        self.branches[self._is_faded, 3] = self.tiles[self._is_faded[layout.tips], 3] = FADED
        rgb, opacity = self.branches[:, :3], self.branches[:, 3:]
        self.on_white = opacity * rgb + 1 - opacity
        self.widths = np.where(self._is_faded | (highlight is None), 1.0, 2.0)

    def fade(self, texts, nodes):
        """Fade those texts whose nodes are not highlighted."""
        for text, is_faded in zip(texts, self._is_faded[nodes]):
            if is_faded:
                text.set_alpha(FADED_TEXT)


def _common_below(tree, leaf_values):
    """Value that all leaves below each node have, (n_nodes,), or -1 if they differ."""
    return values_below(tree, np.asarray(leaf_values), lambda a, b: a if a == b else -1)


def _classes(leaf_classes, n_leaves):
    """Sorted names of the classes, and the class of each leaf, -1 for None and NaN."""
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


def _highlighted(tree, layout, highlight):
    """Whether each node is highlighted or below one that is, (n_nodes,); all if nothing is."""
    if highlight is None:
        return np.ones(tree.n_nodes, dtype=bool)
    if hasattr(highlight, "iloc") and any(isinstance(key, str) for key in highlight.index):
        raise ValueError(
            "highlight has an index of texts, and what it names has no values: give "
            "highlight.index.tolist() or highlight.tolist(), whichever holds the nodes and leaves."
        )
    stands_out = np.zeros(tree.n_nodes, dtype=bool)
    is_single = isinstance(highlight, (str, bytes)) or not np.iterable(highlight)
    highlight = [highlight] if is_single else list(highlight)
    if len(highlight) == 0:
        raise ValueError("highlight is empty: name a node or a leaf, or give None.")
    for named in highlight:
        if isinstance(named, str):
            nodes = [leaf for leaf, name in enumerate(tree.names) if name == named]
            if not nodes:
                raise ValueError(f"highlight names {shown(named)}, but no leaf has this name.")
        else:
            nodes = tree.path(as_index("highlight, where it names no leaf,", named))[:1]
        for node in nodes:
            while np.isnan(layout.place[node]):  # within a collapsed merge
                node = tree.parents[node]
            stands_out[node] = True
    for t in range(len(tree.children) - 1, -1, -1):
        if stands_out[tree.n_leaves + t]:
            stands_out[tree.children[t]] = True
    return stands_out
