"""A tree drawn on matplotlib axes, a kind of thing at a time, in sizes that fit.

`layout` says where everything stands. Lengths are in points, 1/72 of an inch. matplotlib is
imported inside the functions.
"""

import math

import numpy as np

from .layout import bent, places_around, radial, rectangular
from .legend import draw_legend
from .sizes import (
    LABEL_GAP,
    LARGEST_PAGE,
    SMALL_FONT,
    SMALLEST_FONT,
    TILE,
    TILE_GAP,
    cut_long,
    fit_radial,
    fit_rectangular,
    radial_side,
    rectangular_size,
)

__all__ = ["Page", "needs_matplotlib"]

# What a legend may take of the width of axes that it did not make.
MOST_OF_LEGEND = 0.5

# Of red, green and blue.
LUMINANCE = (0.2126, 0.7152, 0.0722)

# Direction from the tips outwards, and how a label is aligned.
OUTWARDS = {
    "left": ((1, 0), "left", "center_baseline"),
    "right": ((-1, 0), "right", "center_baseline"),
    "top": ((0, -1), "center", "top"),
    "bottom": ((0, 1), "center", "bottom"),
}
TURNED = {"top": "right", "bottom": "left"}


class Page:
    """Axes for one tree.

    Parameters
    ----------
    layout : Layout
    kind : {"rectangular", "radial", "icicle"}
    orientation : {"left", "right", "top", "bottom"}
        Side of the root, but for a radial tree.
    labels : list of str
        Label of each tip; empty for none.
    text_kw : dict or None
        Of the labels.
    """

    def __init__(self, layout, kind, orientation, labels, text_kw):
        from matplotlib.cbook import normalize_kwargs
        from matplotlib.text import Text

        self.text_kw = normalize_kwargs(text_kw, Text)
        self._take_labels(labels)
        self.layout = layout
        self.is_radial = kind == "radial"
        self.is_icicle = kind == "icicle"
        self.orientation = orientation
        self.aside = 0.0
        self.along_y = not self.is_radial and orientation in ("left", "right")
        self.n_tips = len(layout.tips)
        # Icicles have a cell above the root, and half a line takes room as well.
        room = 1 / max(self.n_tips, 12) if self.is_icicle else 0.01
        self.ceiling = layout.top + room * (layout.top - layout.base)

    def open(self, ax):
        """Take axes, or make a figure of a size that fits."""
        self.is_own = ax is None
        if self.is_own:
            from matplotlib import pyplot

            _, ax = pyplot.subplots(figsize=self._figure_size(), layout="constrained")
        self.ax, self.figure = ax, ax.figure

    def draw_axis(self, tree, heights):
        """Axis of the heights, and no other."""
        from matplotlib.ticker import MaxNLocator

        ax, layout = self.ax, self.layout
        ax.set_aspect("auto")
        if self.is_radial:
            ax.set_axis_off()
            return
        ax.set_axis_on()
        across, along = (ax.xaxis, ax.yaxis) if self.along_y else (ax.yaxis, ax.xaxis)
        across.set_visible(True)
        along.set_visible(False)
        ax.spines[:].set_visible(False)
        spine = ax.spines["bottom" if self.along_y else "left"]
        spine.set_visible(True)
        if heights == "rank":
            # After merge t there are n_leaves - t groups.
            ticks = MaxNLocator(6, integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]).tick_values(
                1, self.n_tips
            )
            ticks = np.unique(np.clip(ticks, 1, self.n_tips))
            at, label = tree.n_leaves - ticks, "number of groups"
        else:
            at = ticks = MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]).tick_values(
                layout.floor, layout.top
            )
            label = "score"
        inside = (at >= layout.floor) & (at <= layout.top)
        at, ticks = at[inside], ticks[inside]
        ends = self._project(np.array([[0.0, layout.floor], [0.0, layout.top]]))
        points = self._project(np.column_stack([np.zeros(len(at)), at]))
        axis = 0 if self.along_y else 1
        across.set_ticks(points[:, axis], [f"{tick:g}" for tick in ticks])
        across.set_label_text(label)
        spine.set_bounds(*sorted(ends[:, axis]))
        (ax.set_xlim if self.along_y else ax.set_ylim)(*sorted(ends[:, axis]))

    def draw_legend(self, title, entries):
        """Legend on the right of the tree, for which a new figure gets wider; None if it is not.

        The tree leaves it a part of the axes, so that it is in nobody's way.
        """
        width, height = self._box()
        most = LARGEST_PAGE * 72 if self.is_own else MOST_OF_LEGEND * width
        legend, self.aside = draw_legend(
            self.ax, title, entries, (most, height), at_top=not self.is_radial
        )
        if self.is_own:
            width, height = self.figure.get_size_inches()
            self.figure.set_size_inches(width + self.aside / 72, height)
        return legend

    def fit(self, has_tiles):
        """Choose the font, and the limits of the axes: the tree, its tiles and its labels."""
        from matplotlib.text import Text

        self.inset = TILE_GAP + TILE if has_tiles else 0.0
        box = np.maximum(self._box() - [self.aside, 0], 20.0)
        font = Text(**self.text_kw).get_fontsize() if "fontsize" in self.text_kw else None
        self.sizes = self._sizes(box, font)
        if self.labels and font is None and self.sizes.font < SMALL_FONT:
            self._take_labels(cut_long(self.labels))
            self.sizes = self._sizes(box, font)
            if self.sizes.font < SMALLEST_FONT:
                self._take_labels([])
        if not self.labels:
            self.sizes = self._sizes(box, 0.0)
        lower, upper = self._limits(box)
        upper[0] += (upper[0] - lower[0]) * self.aside / box[0]
        self.ax.set_xlim(lower[0], upper[0])
        self.ax.set_ylim(lower[1], upper[1])
        if self.is_radial:
            self.ax.set_aspect("equal")
        else:
            self._center_axis_label(lower, upper)

    def draw_links(self, tree, colors, widths, line_kw):
        """Stems, then bars, in the colours (n_nodes, 4) and widths (n_nodes,) of nodes."""
        from matplotlib.collections import LineCollection

        layout = self.layout
        nodes = np.append(tree.children[layout.merges - tree.n_leaves], layout.merges)
        paths = np.concatenate([layout.stems(tree), layout.bars(tree)])
        style = {
            "colors": colors[nodes],
            "linewidths": widths[nodes] * self.line_width,
            "capstyle": "round",
            "joinstyle": "round",
        }
        lines = LineCollection(self._paths(paths), **(style | (line_kw or {})))
        return self.ax.add_collection(lines, autolim=False)

    def draw_cells(self, tree, colors, line_kw):
        """Cells of an icicle: the root, then both of each merge."""
        layout = self.layout
        nodes = np.append(tree.n_nodes - 1, tree.children[layout.merges - tree.n_leaves])
        style = {
            "facecolors": colors[nodes],
            "edgecolors": "white",
            "linewidths": min(0.8, self.pitch / 10),
        }
        return self._add_polygons(layout.cells(tree), **(style | (line_kw or {})))

    def draw_triangles(self, tree, colors):
        """Triangles of the collapsed tips, None if there are none."""
        tips = self.layout.tips
        collapsed = tips[tips >= tree.n_leaves]
        if not len(collapsed):
            return None
        return self._add_polygons(
            self.layout.triangles(tree), facecolors=colors[collapsed], linewidths=0
        )

    def draw_tiles(self, colors):
        """Tile of each tip, in the colours (n_tips, 4)."""
        first = np.arange(self.n_tips) - 0.5
        lower = self.layout.base - (TILE_GAP + TILE) * self.height_per_point
        upper = self.layout.base - TILE_GAP * self.height_per_point
        corners = np.empty((self.n_tips, 4, 2))
        corners[..., 0] = first[:, np.newaxis] + [0, 0, 1, 1]
        corners[..., 1] = [lower, upper, upper, lower]
        width = 0.5 if self.pitch > 5 else 0.0
        return self._add_polygons(corners, facecolors=colors, edgecolors="white", linewidths=width)

    def draw_labels(self):
        """Label of each tip, and the lines to those of the outer ring, or None."""
        if not self.labels:
            return [], None
        draw = self._radial_labels if self.is_radial else self._rectangular_labels
        return draw({"fontsize": self.sizes.font, "parse_math": False, "usetex": False})

    def draw_node_labels(self, tree, texts, colors):
        """Texts {node: text} at merges; in the middle of the cells of an icicle."""
        layout = self.layout
        points = np.column_stack([layout.place, layout.height])
        if self.is_icicle:
            above = layout.height[tree.parents]
            above[-1] = self.ceiling
            points[:, 1] = (points[:, 1] + above) / 2
        style = {
            "fontsize": min(8.0, max(self.sizes.font, SMALLEST_FONT)),
            "horizontalalignment": "center",
            "verticalalignment": "center",
            "parse_math": False,
            "usetex": False,
        }
        if not self.is_icicle:
            style["bbox"] = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.8}
        drawn = []
        for node, text in texts.items():
            drawn.append(self.ax.text(*self._project(points[node]), text, **style))
            if self.is_icicle and colors[node, :3] @ LUMINANCE < 0.5:
                drawn[-1].set_color("white")
        return drawn

    def _take_labels(self, labels):
        from .labels import text_widths

        self.labels = labels
        self.widths = text_widths(labels, self.text_kw) if labels else np.zeros(1)

    def _figure_size(self):
        """Width and height in inches, up to what fits a page."""
        from matplotlib import rcParams

        if self.is_radial:
            return (radial_side(self.layout, self.widths, rcParams["font.size"]),) * 2
        longest = self.widths.max()
        return rectangular_size(self.n_tips, longest, rcParams["font.size"], self.along_y)

    def _box(self):
        """Width and height in points of the axes as they are laid out."""
        ax, engine = self.ax, self.figure.get_layout_engine()
        if engine is not None:
            engine.execute(self.figure.canvas.figure)
        locator = ax.get_axes_locator()
        ax.apply_aspect(None if locator is None else locator(ax, None))
        return ax.get_window_extent().size * 72 / self.figure.dpi

    def _center_axis_label(self, lower, upper):
        """Put the label of the axis at the middle of the heights, not of the axes."""
        heights = np.array([[0.0, self.layout.floor], [0.0, self.layout.top]])
        x, y = ((self._project(heights).mean(axis=0) - lower) / (upper - lower)).tolist()
        if self.along_y:
            self.ax.xaxis.label.set_x(x)
        else:
            self.ax.yaxis.label.set_y(y)

    def _sizes(self, box, font):
        """What fits a box (width, height), or goes with the font."""
        from matplotlib import rcParams

        inset = self.inset + LABEL_GAP
        largest = rcParams["font.size"]
        if self.is_radial:
            return fit_radial(self.layout, self.widths, box, inset, largest, font)
        box = box[::-1] if self.along_y else box
        longest = self.widths.max()
        return fit_rectangular(self.n_tips, longest, box, inset, largest, self.along_y, font)

    def _limits(self, box):
        """Lower and upper limits, (2, x and y), that fill a box; sets what a point measures."""
        layout = self.layout
        if self.is_radial:
            self.height_per_point = (layout.top - layout.base) / self.sizes.room
            self.pitch = 2 * math.pi * self.sizes.room / places_around(layout)
            half = box / 2 / self.sizes.room
            return np.array([-half, half])
        along, across = box[::-1] if self.along_y else box
        self.height_per_point = (self.ceiling - layout.base) / self.sizes.room
        self.pitch = along / self.n_tips
        outer = layout.base - (across - self.sizes.room) * self.height_per_point
        corners = np.array([[-0.5, outer], [self.n_tips - 0.5, self.ceiling]])
        return np.sort(self._project(corners), axis=0)

    @property
    def line_width(self):
        """Width of lines that leaves them apart."""
        return float(np.clip(0.3 * self.pitch, 0.15, 1.3))

    def _rectangular_labels(self, style):
        from matplotlib.transforms import ScaledTranslation

        direction, ha, va = OUTWARDS[self.orientation]
        shift = np.array(direction) * (self.inset + LABEL_GAP) / 72
        # The label is at its tip, and moved away from it by some points.
        transform = self.ax.transData + ScaledTranslation(*shift, self.figure.dpi_scale_trans)
        if self.sizes.turned:
            ha, va = TURNED[self.orientation], "center_baseline"
            style |= {"rotation": 90}
        style |= {"horizontalalignment": ha, "verticalalignment": va, "rotation_mode": "anchor"}
        style |= self.text_kw
        places = np.arange(self.n_tips)
        points = self._project(np.column_stack([places, np.full(self.n_tips, self.layout.base)]))
        return [
            self._add_label(*point, text, transform=transform, **style)
            for point, text in zip(points.tolist(), self.labels)
        ], None

    def _radial_labels(self, style):
        from matplotlib.collections import LineCollection

        rings = np.arange(self.n_tips) % self.sizes.n_rings
        gaps = self.inset + LABEL_GAP + rings * self.sizes.step
        heights = self.layout.base - gaps * self.height_per_point
        places = np.arange(self.n_tips)
        points = self._project(np.column_stack([places, heights]))
        angles = np.degrees(np.arctan2(points[:, 1], points[:, 0]))
        # To the left, text runs inwards: turned over, it is not upside down.
        over = np.abs(angles) > 90
        rotations = np.where(over, angles + 180, angles)
        style |= {"verticalalignment": "center_baseline", "rotation_mode": "anchor"}
        sides = np.where(over, "right", "left").tolist()
        texts = [
            self._add_label(
                *point,
                text,
                **(style | {"rotation": rotation, "horizontalalignment": side} | self.text_kw),
            )
            for point, text, rotation, side in zip(
                points.tolist(), self.labels, rotations.tolist(), sides
            )
        ]
        if self.sizes.n_rings == 1:
            return texts, None
        outer = np.flatnonzero(rings)
        ends = np.empty((len(outer), 2, 2))
        ends[..., 0] = outer[:, np.newaxis]
        ends[:, 0, 1] = self.layout.base - (self.inset + 1) * self.height_per_point
        ends[:, 1, 1] = heights[outer] + 1.5 * self.height_per_point
        lines = LineCollection(self._project(ends), colors="#b0b0b0", linewidths=0.2)
        return texts, self.ax.add_collection(lines, autolim=False)

    def _add_label(self, x, y, text, **style):
        from .labels import Label

        label = Label(x, y, text, **({"transform": self.ax.transData, "clip_on": False} | style))
        label.set_in_layout(False)  # the limits leave room for it, and to measure it takes long
        return self.ax.add_artist(label)

    def _add_polygons(self, corners, **style):
        from matplotlib.collections import PolyCollection

        closed = np.concatenate([corners, corners[:, :1]], axis=1)
        return self.ax.add_collection(PolyCollection(self._paths(closed), **style), autolim=False)

    def _paths(self, paths):
        if not self.is_radial or not len(paths):
            return self._project(np.asarray(paths))
        paths = bent(paths, self.layout)
        ends = np.cumsum([len(path) for path in paths])
        return np.split(self._project(np.concatenate(paths)), ends[:-1])

    def _project(self, points):
        if self.is_radial:
            return radial(points, self.layout)
        return rectangular(points, self.orientation)


def needs_matplotlib(user):
    """Raise the error that names the extra, where matplotlib is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ImportError(f'{user} needs matplotlib: pip install "skl2h[plot]"') from None
