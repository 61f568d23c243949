"""Where the parts of a tree stand in a picture: arrays in, arrays out, nothing is drawn.

Words:

tip         end of a branch: a leaf, or a collapsed merge
collapsed   of a merge: shown as a triangle instead of its leaves
place       position of a node along the tips, which stand at 0..m-1
height      position of a node across: the tips are at the base, the root is at the top
link        lines from a merge to the two nodes that it joins: a stem up from each, and a bar

A `Layout` has two coordinates for each point, (place, height); a `View` makes (x, y) of them.
Nothing here recurses.
"""

from typing import NamedTuple

import numpy as np

from ..exceptions.arguments import as_count
from ..tree.checks import check_heights
from ..tree.heights import LARGEST_HEIGHT, kind_of_heights
from ..tree.leaf_order import spans

__all__ = [
    "LAYOUTS",
    "ORIENTATIONS",
    "Layout",
    "View",
    "lay_out",
]

LAYOUTS = ("rectangular", "radial", "icicle")
ORIENTATIONS = ("top", "bottom", "left", "right")

# Degrees between neighbouring points of an arc.
ARC_STEP = 2.0

# Gap in a radial tree, as a part of its tips.
GAP = 0.02

# Height of a triangle, as a share of the heights that are shown.
TRIANGLE_HEIGHT = 0.08


class Layout(NamedTuple):
    """Places and heights of what is shown of a tree with m tips.

    Attributes
    ----------
    tips : ndarray of shape (m,), dtype=intp
        Node at each place; a merge among them is collapsed.
    merges : ndarray of shape (m - 1,), dtype=intp
        Nodes that are shown as links, in the order of merging.
    place : ndarray of shape (n_nodes,), dtype=float64
        Place of each node: a whole number for a tip, and for a merge the middle between the two
        nodes that it joins. NaN for a node that is not shown.
    height : ndarray of shape (n_nodes,), dtype=float64
        Height of each node; NaN for a node that is not shown. That of a collapsed merge is at
        least the floor.
    span : ndarray of shape (n_nodes, 2), dtype=float64
        First and last place below each node; NaN for a node that is not shown.
    base : float
        Height of the lower ends of the tips.
    floor : float
        Lowest height on the axis: the base, or above it if there are triangles.
    top : float
        Largest height, above the floor.
    measure : {"rank", "score"}
        What the height of a merge is.
    """

    tips: np.ndarray
    merges: np.ndarray
    place: np.ndarray
    height: np.ndarray
    span: np.ndarray
    base: float
    floor: float
    top: float
    measure: str

    def joined(self, tree):
        """Both nodes that each merge shown joins, (m - 1, 2)."""
        return tree.children[self.merges - tree.n_leaves]

    def stems(self, tree):
        """Ends (place, height) of the stem of each node shown but the root, (2 m - 2, 2 ends, 2).

        The nodes are those of `joined`, one after another. The first end is at the node,
        or at the base for a leaf; the second is at the bar.
        """
        nodes = self.joined(tree).ravel()
        lower = np.where(nodes < tree.n_leaves, self.base, self.height[nodes])
        ends = np.empty((len(nodes), 2, 2))
        ends[..., 0] = self.place[nodes, np.newaxis]
        ends[:, 0, 1] = lower
        ends[:, 1, 1] = self.height[self.merges].repeat(2)
        return ends

    def bars(self, tree):
        """Ends of the bar of each merge shown, (m - 1, 2 ends, 2), in the order of `merges`."""
        ends = np.empty((len(self.merges), 2, 2))
        ends[..., 0] = self.place[self.joined(tree)]
        ends[..., 1] = self.height[self.merges, np.newaxis]
        return ends

    def triangles(self, tree, half_width=0.4):
        """Corners of the triangle of each collapsed tip, (n_collapsed, 3, 2): apex first."""
        places = np.flatnonzero(self.tips >= tree.n_leaves)
        corners = np.empty((len(places), 3, 2))
        corners[..., 0] = places[:, np.newaxis] + [0, -half_width, half_width]
        corners[:, 0, 1] = self.height[self.tips[places]]
        corners[:, 1:, 1] = self.base
        return corners

    @property
    def ceiling(self):
        """Upper end of an icicle: above the root there is room for one merge."""
        return self.top + (self.top - self.base) / max(len(self.tips), 12)

    def cell_ends(self, tree, nodes):
        """Lower and upper ends of the cells of nodes that are shown, (2, n).

        From the height of a node, or the base for a tip, up to the height of its parent.
        """
        # A collapsed merge hides what is below it: its cell goes down to the base.
        is_tip = nodes < tree.n_nodes - len(self.merges)
        lower = np.where(is_tip, self.base, self.height[nodes])
        is_root = nodes == tree.n_nodes - 1
        return lower, np.where(is_root, self.ceiling, self.height[tree.parents[nodes]])

    def cells(self, tree):
        """Cell of each node shown, for an icicle, (2 m - 1, 4 corners, 2).

        The root first, then in the order of `stems`. It spans the places of its tips.
        """
        nodes = np.append(tree.n_nodes - 1, self.joined(tree).ravel())
        lower, upper = self.cell_ends(tree, nodes)
        first, last = self.span[nodes].T + [[-0.5], [0.5]]
        corners = [(first, lower), (first, upper), (last, upper), (last, lower)]
        return np.array(corners).transpose(2, 0, 1)


class View(NamedTuple):
    """How a layout is seen: as what, and where its points are on the axes.

    x grows to the right and y upwards.

    Attributes
    ----------
    layout : Layout
    kind : {"rectangular", "radial", "icicle"}
    orientation : {"top", "bottom", "left", "right"}
        Side of the root, unless it is radial.
    """

    layout: Layout
    kind: str
    orientation: str

    @property
    def is_radial(self):
        """Whether the root is in the middle of a circle."""
        return self.kind == "radial"

    @property
    def is_icicle(self):
        """Whether nodes are cells."""
        return self.kind == "icicle"

    @property
    def along_y(self):
        """Whether the tips stand above each other."""
        return not self.is_radial and self.orientation in ("left", "right")

    @property
    def n_tips(self):
        """Number of tips."""
        return len(self.layout.tips)

    @property
    def n_places(self):
        """Places along the tips; in a radial tree, also those of the gap, one at most."""
        return self.n_tips + (min(1.0, GAP * self.n_tips) if self.is_radial else 0)

    @property
    def ceiling(self):
        """Largest height that needs room."""
        layout = self.layout
        # Half a line takes room as well.
        return layout.ceiling if self.is_icicle else layout.top + 0.01 * (layout.top - layout.base)

    def merges_with_room(self, tree):
        """Merges shown that a label can stand at: not cells without a height, of equal heights."""
        merges = self.layout.merges
        if not self.is_icicle:
            return merges
        lower, upper = self.layout.cell_ends(tree, merges)
        return merges[lower < upper]

    def project(self, points):
        """(x, y) of (place, height) points, (..., 2).

        In a radial tree the root is at the origin, and the base at radius 1. The places go round
        clockwise from the top, where the gap is. Otherwise the root is at its side; if that is
        the left or right, place 0 is at the top.
        """
        place, height = points[..., 0], points[..., 1]
        if self.is_radial:
            layout = self.layout
            first = (1 + self.n_places - self.n_tips) / 2
            angle = np.pi / 2 - (place + first) * 2 * np.pi / self.n_places
            radius = (layout.top - height) / (layout.top - layout.base)
            return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
        x, y = {
            "top": (place, height),
            "bottom": (place, -height),
            "left": (-height, -place),
            "right": (height, -place),
        }[self.orientation]
        return np.stack([x, y], axis=-1)

    def paths(self, paths):
        """Paths (n_paths, n_points, 2) as (x, y): where the circle bends them, with more points."""
        if not self.is_radial or not len(paths):
            return self.project(np.asarray(paths))
        from matplotlib.path import Path

        bent = list(paths)
        widest = np.abs(np.diff(paths[..., 0])).max(axis=1)
        steps = np.ceil(widest / (ARC_STEP / 360 * self.n_places)).astype(int)
        for at in np.flatnonzero(steps > 1):
            bent[at] = Path(paths[at]).interpolated(steps[at]).vertices
        ends = np.cumsum([len(path) for path in bent])
        return np.split(self.project(np.concatenate(bent)), ends[:-1])


def lay_out(tree, *, leaf_order=None, max_leaves=None, heights="auto"):
    """Places and heights of the nodes of a tree.

    Parameters
    ----------
    tree : MergeTree
    leaf_order : ndarray of shape (n_leaves,), default=None
        The leaves from the first place to the last; no branches may cross. None: that of the tree.
    max_leaves : int, default=None
        Largest number of tips. If there are more leaves, the groups of this level are the tips.
        None: all leaves are.
    heights : {"auto", "rank", "score"}, default="auto"
        Height of a merge: its number, from 1, or its score. "auto" takes the scores of an affinity
        tree, which are heights, and the numbers of the merges of any other.

    Returns
    -------
    layout : Layout

    Raises
    ------
    TypeError
        If `max_leaves` is not an integer.
    ValueError
        If branches cross, `max_leaves` is below 1, the tree has no scores, or they are too large.

    Examples
    --------
    >>> from skl2h import MergeTree
    >>> from skl2h.plotting.layout import lay_out
    >>> layout = lay_out(MergeTree([(0, 2), (1, 3)]))
    >>> layout.tips
    array([1, 0, 2])
    >>> layout.place
    array([1.  , 0.  , 2.  , 1.5 , 0.75])
    >>> layout.height
    array([0., 0., 0., 1., 2.])
    """
    check_heights(tree, heights, "auto")
    heights = kind_of_heights(tree, heights)
    n_leaves, n_tips = tree.n_leaves, tree.n_leaves
    if as_count("max_leaves", max_leaves, None) is not None:
        n_tips = min(max_leaves, n_leaves)
    span = spans(tree, tree.leaf_order if leaf_order is None else np.asarray(leaf_order))

    # The last merges are shown. The tips are the nodes that they join, except for themselves.
    first_merge = tree.n_nodes - (n_tips - 1)
    merges = np.arange(first_merge, tree.n_nodes)
    shown = np.append(tree.children[merges - n_leaves].ravel(), tree.n_nodes - 1)
    tips = shown[shown < first_merge]
    tips = tips[span[tips, 0].argsort()]

    # Leaves that are not shown take no place: count the tips up to both ends of each span.
    firsts = span[tips, 0]
    places = np.full((tree.n_nodes, 2), np.nan)
    places[shown, 0] = firsts.searchsorted(span[shown, 0])
    places[shown, 1] = firsts.searchsorted(span[shown, 1], side="right") - 1
    place = places[:, 0].tolist()
    children = tree.children[merges - n_leaves].tolist()
    for merge, (left, right) in zip(merges.tolist(), children):
        place[merge] = (place[left] + place[right]) / 2

    height, base, floor, top = _heights(tree, shown, n_tips, heights)
    return Layout(tips, merges, np.array(place), height, places, base, floor, top, heights)


def _heights(tree, shown, n_tips, heights):
    """Height of each node shown, and the base, floor and top of the picture."""
    n_leaves = tree.n_leaves
    of_merges = np.arange(1.0, n_leaves) if heights == "rank" else tree.scores
    collapsed = n_tips < n_leaves
    if heights == "rank":
        # The floor is the number of the last merge that is not shown.
        floor, top = float(n_leaves - n_tips), float(n_leaves - 1)
    else:
        floor, top = float(of_merges.min(initial=0.0)), float(of_merges.max(initial=-np.inf))
        if max(-floor, top) > LARGEST_HEIGHT:
            raise ValueError(
                f"A score of {floor if -floor > top else top:g} is too large to draw: scale the "
                "scores down, or use heights='rank'."
            )
        if floor < 0:  # the leaves are to stand below the lowest merge
            floor -= 0.05 * (top - floor)
    if not top > floor:
        top = floor + 1.0
    base = floor - TRIANGLE_HEIGHT * (top - floor) if collapsed else floor
    height = np.full(tree.n_nodes, np.nan)
    every = np.concatenate([np.full(n_leaves, base), np.maximum(of_merges, floor)])
    height[shown] = every[shown]
    return height, base, floor, top
