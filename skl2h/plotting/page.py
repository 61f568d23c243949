"""Drawing the branches, cells, triangles and tiles of a tree in sizes that fit the axes.

`layout` says where everything stands, `sizes` how large it is, and `texts` writes the labels.
Lengths are in points, 1/72 of an inch. matplotlib is imported inside the functions.
"""

import math
from typing import NamedTuple

import numpy as np

from ..exceptions.categories import DisplayWarning, warn
from .axes import box_of
from .captions import LONGEST_NAME, NEVER_CUT, Labels, cut_long, measured, on_one_line
from .layout import View
from .sizes import LABEL_GAP, SMALL_FONT, SMALLEST_FONT, TILE_GAP, Fit, fit

__all__ = ["Page", "fit_page"]


class Page(NamedTuple):
    """Axes whose limits fit a tree, its tiles and its labels.

    Attributes
    ----------
    ax : matplotlib Axes
    view : View
        The tree.
    labels : Labels
        Labels of the tips, after those that could not be read were cut or left out.
    text_kw : dict
        Style of the labels.
    tile : float
        Width of the tile of each tip; 0 for no tiles.
    inset : float
        Distance from the leaves to the outer side of their tiles.
    sizes : Fit
        Sizes of the tree and its labels.
    box : ndarray of shape (2,)
        Width and height of the axes without the part of the legend.
    limits : ndarray of shape (2, 2)
        Lower and upper (x, y) of the box.
    height_per_point : float
        Difference of heights over a length of 1.
    pitch : float
        Distance between neighbouring tips; of a radial tree, between its leaves.
    """

    ax: object
    view: View
    labels: Labels
    text_kw: dict
    tile: float
    inset: float
    sizes: Fit
    box: np.ndarray
    limits: np.ndarray
    height_per_point: float
    pitch: float

    @property
    def tiles_are_apart(self):
        """Whether a white line is between the tiles of one colour."""
        return self.tile > 0 and self.pitch > 5

    @property
    def line_width(self):
        """Largest width with which neighbouring lines stay apart."""
        return float(np.clip(0.3 * self.pitch, 0.15, 1.3))

    def moves_inside(self, points, sizes):
        """Moves to the right and upwards that keep texts off the rim and the legend, (n_texts, 2).

        `points` (n_texts, 2) are the middles of the texts as (place, height), and `sizes`
        (n_texts, 2) their widths and heights.
        """
        lower, upper = self.limits
        middles = (self.view.project(points) - lower) / (upper - lower) * self.box
        halves = np.minimum(sizes, self.box) / 2
        return np.clip(middles, halves, self.box - halves) - middles

    def draw_links(self, tree, colors, widths, line_kw):
        """Draw stems, then bars, in the colours (n_nodes, 4) and widths (n_nodes,) of nodes."""
        from matplotlib.collections import LineCollection

        layout = self.view.layout
        nodes = np.append(layout.joined(tree), layout.merges)
        paths = np.concatenate([layout.stems(tree), layout.bars(tree)])
        style = {
            "colors": colors[nodes],
            "linewidths": widths[nodes] * self.line_width,
            "capstyle": "round",
            "joinstyle": "round",
        }
        lines = LineCollection(self.view.paths(paths), **(style | line_kw))
        return self.ax.add_collection(lines, autolim=False)

    def draw_cells(self, tree, colors, line_kw):
        """Draw the cells of an icicle in the colours (n_nodes, 4) of nodes."""
        layout = self.view.layout
        nodes = np.append(tree.n_nodes - 1, layout.joined(tree))
        style = {
            "facecolors": colors[nodes],
            "edgecolors": "white",
            "linewidths": min(0.8, self.pitch / 10),
        }
        return self._add_polygons(layout.cells(tree), **(style | line_kw))

    def draw_triangles(self, tree, colors, widths):
        """Draw the triangles of the collapsed tips; None if there are no such tips."""
        layout = self.view.layout
        collapsed = layout.tips[layout.tips >= tree.n_leaves]
        if not len(collapsed):
            return None
        return self._add_polygons(
            layout.triangles(tree),
            facecolors=colors[collapsed],
            # Without an edge, the apex would be thinner than the stem above it.
            edgecolors=colors[collapsed],
            linewidths=widths[collapsed] * self.line_width,
            joinstyle="round",
        )

    def draw_tiles(self, colors):
        """Draw the tile of each tip in the colours (n_tips, 4)."""
        n_tips, base = self.view.n_tips, self.view.layout.base
        lower = base - self.inset * self.height_per_point
        upper = base - TILE_GAP * self.height_per_point
        corners = np.empty((n_tips, 4, 2))
        corners[..., 0] = np.arange(n_tips)[:, np.newaxis] + [-0.5, -0.5, 0.5, 0.5]
        corners[..., 1] = [lower, upper, upper, lower]
        width = 0.5 if self.tiles_are_apart else 0.0
        return self._add_polygons(corners, facecolors=colors, edgecolors="white", linewidths=width)

    def _add_polygons(self, corners, **style):
        from matplotlib.collections import PolyCollection

        closed = np.concatenate([corners, corners[:, :1]], axis=1)
        polygons = PolyCollection(self.view.paths(closed), **style)
        return self.ax.add_collection(polygons, autolim=False)


def fit_page(ax, view, labels, text_kw, *, tile, aside):
    """Fit a tree, its tiles and its labels into axes: set their limits, and choose the labels.

    Parameters
    ----------
    ax : matplotlib Axes
    view : View
    labels : Labels
        Labels of the tips. They are cut, or left out, if they would be too small.
    text_kw : dict
        Style of the labels, which may set the size of the font.
    tile : float
        Width of the tile of each tip; 0 for no tiles.
    aside : float
        Width of the legend on the right of the axes.

    Returns
    -------
    page : Page
    """
    box = np.maximum(box_of(ax) - [aside, 0], 20.0)
    inset = TILE_GAP + tile if tile else 0.0
    labels, sizes = _fit_labels(view, labels, text_kw, box, inset)
    layout, room = view.layout, sizes.room
    if view.is_radial:
        height_per_point = (layout.top - layout.base) / room
        pitch = 2 * math.pi * room / view.n_places
        half = box / 2 / room
        limits = np.array([-half, half])
    else:
        along, across = box[::-1] if view.along_y else box
        height_per_point = (view.ceiling - layout.base) / room
        pitch = along / view.n_tips
        outer = layout.base - (across - room) * height_per_point
        corners = np.array([[-0.5, outer], [view.n_tips - 0.5, view.ceiling]])
        limits = np.sort(view.project(corners), axis=0)
    (left, lower), (right, upper) = limits.tolist()
    right += (right - left) * aside / box[0]
    ax.set_xlim(left, right)
    ax.set_ylim(lower, upper)
    if view.is_radial:
        ax.set_aspect("equal")
    else:
        # The label of the axis is at the middle of the heights, not of the axes.
        x, y = view.project(np.array([[0.0, layout.floor], [0.0, layout.top]])).mean(axis=0)
        if view.along_y:
            ax.xaxis.label.set_x((x - left) / (right - left))
        else:
            ax.yaxis.label.set_y((y - lower) / (upper - lower))
    return Page(ax, view, labels, text_kw, tile, inset, sizes, box, limits, height_per_point, pitch)


def _fit_labels(view, labels, text_kw, box, inset):
    """Labels that can be read in a box, and sizes that go with them."""
    from matplotlib import rcParams
    from matplotlib.text import Text

    def sizes_of(labels, font):
        return fit(view, labels, box, inset + LABEL_GAP, rcParams["font.size"], font)

    font = Text(**text_kw).get_fontsize() if "fontsize" in text_kw else None
    if labels.n_lines > 1:
        wanted = SMALL_FONT if font is None else font
        if sizes_of(labels, None).font < wanted:
            labels = measured(on_one_line(labels.captions), text_kw)
    sizes = sizes_of(labels, font)
    if labels.texts and font is None:
        for least, longest in ((SMALL_FONT, LONGEST_NAME), (SMALLEST_FONT, NEVER_CUT)):
            if sizes.font < least:
                labels = measured(cut_long(labels.captions, longest), text_kw)
                sizes = sizes_of(labels, font)
        if sizes.font < SMALLEST_FONT:
            labels = measured([], text_kw)
            warn(
                f"Labels of {view.n_tips:,} leaves would be too small to read here, and are "
                "left out: draw on larger axes, show fewer with max_leaves, or set their "
                'size, as in text_kw={"fontsize": 2}. show_labels=False asks for none.',
                DisplayWarning,
            )
    return labels, sizes if labels.texts else sizes_of(labels, 0.0)
