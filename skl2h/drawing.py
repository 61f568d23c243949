"""A tree drawn on matplotlib axes, a kind of thing at a time, in sizes that fit.

`layout` says where everything stands. Lengths are in points, 1/72 of an inch. matplotlib is
imported inside the functions.
"""

import math

import numpy as np

from .layout import bent, places_around, radial, rectangular

__all__ = ["SMALLEST_FONT", "Page", "longest", "needs_matplotlib"]

# Labels smaller than this cannot be read, and are not drawn.
SMALLEST_FONT = 2.0

# Below this, the labels of a radial tree stand in two rings, so that each has twice the room.
SMALL_FONT = 6.0

# Height of a line of text, for a font of size 1.
LINE_HEIGHT = 1.2

# Small letters are drawn up to this much wider, to meet the pixels.
HINTING = 1.08

# What labels may take of the picture, across.
MOST_OF_LABELS = 0.55

# Coloured tile of a tip, the gaps on its inner and outer side, and one between labels in line.
TILE, TILE_GAP, LABEL_GAP, RING_GAP = 6.0, 2.0, 3.0, 4.0

# Of red, green and blue.
LUMINANCE = (0.2126, 0.7152, 0.0722)

# Direction from the tips outwards, and how a label is aligned.
OUTWARDS = {
    "left": ((1, 0), "left", "center_baseline"),
    "right": ((-1, 0), "right", "center_baseline"),
    "top": ((0, -1), "center", "top"),
    "bottom": ((0, 1), "center", "bottom"),
}


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

        self.labels = labels
        self.text_kw = normalize_kwargs(text_kw, Text)
        self.longest = longest(labels, self.text_kw)
        self.layout = layout
        self.is_radial = kind == "radial"
        self.is_icicle = kind == "icicle"
        self.orientation = orientation
        self.along_y = not self.is_radial and orientation in ("left", "right")
        self.n_tips = len(layout.tips)
        # Icicles have a cell above the root, and half a line takes room as well.
        room = 1 / max(self.n_tips, 12) if self.is_icicle else 0.01
        self.ceiling = layout.top + room * (layout.top - layout.base)

    def open(self, ax):
        """Take axes, or make a figure of a size that fits."""
        if ax is None:
            from matplotlib import pyplot

            _, ax = pyplot.subplots(figsize=self._figure_size(), layout="constrained")
        self.ax, self.figure = ax, ax.figure

    def draw_axis(self, tree, heights):
        """Axis of the heights, and no other."""
        from matplotlib.ticker import MaxNLocator

        ax, layout = self.ax, self.layout
        if self.is_radial:
            ax.set_axis_off()
            ax.set_aspect("equal")
            return
        across, along = (ax.xaxis, ax.yaxis) if self.along_y else (ax.yaxis, ax.xaxis)
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

    def draw_legend(self, title, entries, widen):
        """Legend of (color, text) entries on the right, in a figure made wider for it or not."""
        from matplotlib.patches import Patch

        legend = self.ax.legend(
            handles=[Patch(color=color, label=text) for color, text in entries],
            title=title,
            loc="center left" if self.is_radial else "upper left",
            bbox_to_anchor=(1.0, 0.5) if self.is_radial else (1.01, 1.0),
            ncol=math.ceil(len(entries) / 30),
            frameon=False,
            alignment="left",
            handlelength=1.0,
            handleheight=1.0,
        )
        for text in legend.get_texts():
            text.set_parse_math(False)
            text.set_usetex(False)
        if widen:
            size = legend.get_window_extent().size / self.figure.dpi + 0.2
            width, height = self.figure.get_size_inches()
            self.figure.set_size_inches(width + size[0], max(height, size[1]))
        return legend

    def fit(self, has_tiles):
        """Choose the font, and the limits of the axes: the tree, its tiles and its labels."""
        engine = self.figure.get_layout_engine()
        if engine is not None:
            engine.execute(self.figure.canvas.figure)
        self.inset = TILE_GAP + TILE if has_tiles else 0.0
        box = self.ax.get_window_extent()
        width, height = np.maximum(box.size * 72 / self.figure.dpi, 20.0)
        if self.is_radial:
            self._fit_radial(min(width, height) / 2)
        elif self.along_y:
            self._fit_rectangular(height, width)
        else:
            self._fit_rectangular(width, height)

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
        return draw({"fontsize": self.font, "parse_math": False, "usetex": False})

    def draw_node_labels(self, tree, texts, colors):
        """Texts {node: text} at merges; in the middle of the cells of an icicle."""
        layout = self.layout
        points = np.column_stack([layout.place, layout.height])
        if self.is_icicle:
            above = layout.height[tree.parents]
            above[-1] = self.ceiling
            points[:, 1] = (points[:, 1] + above) / 2
        style = {
            "fontsize": min(8.0, max(self.font, SMALLEST_FONT)),
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

    def _figure_size(self):
        """Width and height in inches, up to what fits a page."""
        from matplotlib import rcParams

        font = rcParams["font.size"]
        length = min(self.longest * font / 72, 3.0)
        if self.is_radial:
            around = self.n_tips * LINE_HEIGHT * font / 72
            return (float(np.clip(around / math.pi + 2 * length, 5.0, 11.0)),) * 2
        along = float(np.clip(self.n_tips * 1.5 * font / 72 + 0.6, 2.5, 16.0))
        across = 4.0 + length
        return (across + 1.0, along) if self.along_y else (max(along, 4.0), across)

    def _fit_radial(self, half):
        from matplotlib import rcParams

        half -= 2.0  # half a line, at the rim
        # With r rings the font is r * room of the circle at the labels: f = r room (half - r l f).
        around = places_around(self.layout)
        room = 2 * math.pi / around / LINE_HEIGHT
        self.n_rings, self.font = 1, 0.0
        for n_rings in (1, 2):
            if self.font < SMALL_FONT:
                length = n_rings * self.longest
                font = n_rings * room * half / (1 + n_rings * room * length)
                font = min(font, MOST_OF_LABELS * half / max(length, 1e-9))
                if font > self.font:
                    self.n_rings, self.font = n_rings, font
        self._set_font(min(self.font, rcParams["font.size"]))
        length = self.n_rings * (self.longest * self.font) + (self.n_rings - 1) * RING_GAP
        if not self.labels:
            length = 0.0
        self.radius = max(half - self.inset - LABEL_GAP - length, 0.25 * half)
        self.pitch = 2 * math.pi * self.radius / around
        self.height_per_point = (self.layout.top - self.layout.base) / self.radius
        limit = (half + 2.0) / self.radius
        self.ax.set_xlim(-limit, limit)
        self.ax.set_ylim(-limit, limit)

    def _fit_rectangular(self, along, across):
        from matplotlib import rcParams

        self.pitch = along / self.n_tips
        largest = rcParams["font.size"]
        # Below a tree, labels are turned unless they fit side by side.
        self.turned = not self.along_y and self.longest * SMALL_FONT * 1.1 > self.pitch
        if self.along_y or self.turned:
            font = self.pitch / LINE_HEIGHT
            font = min(font, largest, MOST_OF_LABELS * across / max(self.longest, 1e-9))
        else:
            font = min(largest, self.pitch / (1.1 * max(self.longest, 1e-9)))
        self._set_font(font)
        length = self.font * (self.longest if self.along_y or self.turned else LINE_HEIGHT)
        if not self.labels:
            length = 0.0
        room = max(across - self.inset - LABEL_GAP - length, 0.25 * across)
        self.height_per_point = (self.ceiling - self.layout.base) / room
        outer = self.layout.base - (across - room) * self.height_per_point
        corners = [[-0.5, outer], [self.n_tips - 0.5, self.ceiling]]
        x, y = self._project(np.array(corners)).T
        self.ax.set_xlim(*sorted(x))
        self.ax.set_ylim(*sorted(y))

    def _set_font(self, font):
        """Take the size of the user, or what fits; without labels, if that is too small."""
        from matplotlib.text import Text

        if "fontsize" in self.text_kw:
            font = Text(**self.text_kw).get_fontsize()
        elif font < SMALLEST_FONT:
            self.labels = []
        self.font = font

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
        style |= {"horizontalalignment": ha, "verticalalignment": va}
        style |= {"rotation": 90 if self.turned else 0} | self.text_kw
        places = np.arange(self.n_tips)
        points = self._project(np.column_stack([places, np.full(self.n_tips, self.layout.base)]))
        return [
            self._add_text(*point, text, transform=transform, **style)
            for point, text in zip(points.tolist(), self.labels)
        ], None

    def _radial_labels(self, style):
        from matplotlib.collections import LineCollection

        rings = np.arange(self.n_tips) % self.n_rings
        step = self.longest * self.font + RING_GAP
        gaps = self.inset + LABEL_GAP + rings * step
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
            self._add_text(
                *point,
                text,
                **(style | {"rotation": rotation, "horizontalalignment": side} | self.text_kw),
            )
            for point, text, rotation, side in zip(
                points.tolist(), self.labels, rotations.tolist(), sides
            )
        ]
        if self.n_rings == 1:
            return texts, None
        outer = np.flatnonzero(rings)
        ends = np.empty((len(outer), 2, 2))
        ends[..., 0] = outer[:, np.newaxis]
        ends[:, 0, 1] = self.layout.base - (self.inset + 1) * self.height_per_point
        ends[:, 1, 1] = heights[outer] + 1.5 * self.height_per_point
        lines = LineCollection(self._project(ends), colors="#b0b0b0", linewidths=0.2)
        return texts, self.ax.add_collection(lines, autolim=False)

    def _add_text(self, x, y, text, **style):
        text = self.ax.text(x, y, text, **style)
        text.set_in_layout(False)  # the limits leave room for it, and to measure it takes long
        return text

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


def longest(labels, text_kw):
    """Width of the longest label in a font of size 1."""
    from matplotlib.text import Text
    from matplotlib.textpath import text_to_path

    font = Text(**text_kw).get_fontproperties().copy()
    font.set_size(10)
    # Of many labels, those with the most characters are the longest, or nearly so.
    some = sorted(set(labels), key=len)[-50:]
    widths = [text_to_path.get_text_width_height_descent(text, font, False)[0] for text in some]
    return HINTING * max(widths, default=0.0) / 10
