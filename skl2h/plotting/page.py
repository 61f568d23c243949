"""A tree drawn on matplotlib axes, a kind of thing at a time, in sizes that fit.

`layout` says where everything stands, and `writing` adds texts. Lengths are in points, 1/72 of an
inch. matplotlib is imported inside the functions.
"""

import math
from contextlib import contextmanager
from itertools import chain
from weakref import WeakSet

import numpy as np

from ..exceptions.categories import DisplayWarning, warn
from .layout import bent, places_around, radial, rectangular
from .legend import draw_legend
from .sizes import (
    LABEL_GAP,
    LARGEST_PAGE,
    NEVER_CUT,
    SMALL_FONT,
    SMALLEST_FONT,
    TILE_GAP,
    cut_long,
    fit_radial,
    fit_rectangular,
    on_one_line,
    radial_side,
    rectangular_size,
)

__all__ = ["Page", "box_of", "needs_matplotlib", "redrawn"]

# What a legend may take of the width of axes that it did not make.
MOST_OF_LEGEND = 0.5

# Artists of all displays: who draws on the same axes again removes them.
_drawn = WeakSet()


class Page:
    """Axes for one tree.

    Parameters
    ----------
    layout : Layout
    kind : {"rectangular", "radial", "icicle"}
    orientation : {"left", "right", "top", "bottom"}
        Side of the root, but for a radial tree.
    captions : list of (str, str)
        Name of each tip, which may be cut, and what follows it; empty for no labels.
    text_kw : dict
        Of the labels.
    """

    def __init__(self, layout, kind, orientation, captions, text_kw):
        self.text_kw = text_kw
        self._take_captions(captions)
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

    @contextmanager
    def open(self, ax):
        """Take axes, or make a figure of a size that fits, which is closed if drawing fails."""
        from matplotlib import pyplot

        self.is_own = ax is None
        if self.is_own:
            _, ax = pyplot.subplots(figsize=self._figure_size(), layout="constrained")
        # Of axes in a SubFigure, the figure that holds it: it can be saved.
        self.ax, self.figure = ax, ax.figure.canvas.figure
        try:
            with redrawn(ax):
                yield
        except BaseException:
            if self.is_own:
                pyplot.close(self.figure)
            raise

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
            at = ticks = _score_ticks(layout.floor, layout.top)
            label = "score"
        inside = (at >= layout.floor) & (at <= layout.top)
        at, ticks = at[inside], ticks[inside]
        ends = self.project(np.array([[0.0, layout.floor], [0.0, layout.top]]))
        points = self.project(np.column_stack([np.zeros(len(at)), at]))
        axis = 0 if self.along_y else 1
        across.set_ticks([], minor=True)
        across.set_ticks(points[:, axis], [f"{tick:g}" for tick in ticks])
        across.set_label_text(label)
        spine.set_bounds(*sorted(ends[:, axis]))
        (ax.set_xlim if self.along_y else ax.set_ylim)(*sorted(ends[:, axis]))

    def draw_legend(self, title, entries):
        """Legend on the right of the tree, for which a new figure gets wider; None if it is not.

        The tree leaves it a part of the axes, so that it is in nobody's way.
        """
        width, height = box_of(self.ax)
        most = LARGEST_PAGE * 72 if self.is_own else MOST_OF_LEGEND * width
        legend, self.aside = draw_legend(
            self.ax, title, entries, (most, height), at_top=not self.is_radial
        )
        if self.is_own:
            width, height = self.figure.get_size_inches()
            self.figure.set_size_inches(width + self.aside / 72, height)
        return legend

    def fit(self, tile):
        """Choose the font, and the limits of the axes: the tree, its tiles and its labels.

        The tile of each tip is so wide; 0 for none.
        """
        from matplotlib.text import Text

        self.tile, self.inset = tile, TILE_GAP + tile if tile else 0.0

        box = np.maximum(box_of(self.ax) - [self.aside, 0], 20.0)
        font = Text(**self.text_kw).get_fontsize() if "fontsize" in self.text_kw else None
        self.sizes = self._sizes(box, font)
        if self.n_lines > 1 and self._sizes(box).font < (SMALL_FONT if font is None else font):
            self._take_captions(on_one_line(self.captions))
            self.sizes = self._sizes(box, font)
        if self.labels and font is None and self.sizes.font < SMALL_FONT:
            self._take_captions(cut_long(self.captions))
            self.sizes = self._sizes(box, font)
            if self.sizes.font < SMALLEST_FONT:
                self._take_captions(cut_long(self.captions, NEVER_CUT))
                self.sizes = self._sizes(box, font)
            if self.sizes.font < SMALLEST_FONT:
                self._take_captions([])
                warn(
                    f"Labels of {self.n_tips:,} leaves would be too small to read here, and are "
                    "left out: draw on larger axes, show fewer with max_leaves, or set their "
                    'size, as in text_kw={"fontsize": 2}. show_labels=False asks for none.',
                    DisplayWarning,
                )
        if not self.labels:
            self.sizes = self._sizes(box, 0.0)
        lower, upper = self._limits(box)
        self._box, self._corner, self._extent = box, lower, upper - lower
        upper[0] += (upper[0] - lower[0]) * self.aside / box[0]
        self.ax.set_xlim(lower[0], upper[0])
        self.ax.set_ylim(lower[1], upper[1])
        if self.is_radial:
            self.ax.set_aspect("equal")
        else:
            self._center_axis_label(lower, upper)

    def moves_inside(self, points, sizes):
        """Points to the right and upwards that keep texts off the rim and the legend.

        The texts have these sizes (n_texts, 2) in points, and their middles at (place, height).
        """
        middles = (self.project(points) - self._corner) / self._extent * self._box
        halves = np.minimum(sizes, self._box) / 2
        return np.clip(middles, halves, self._box - halves) - middles

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
        lines = LineCollection(self._paths(paths), **(style | line_kw))
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
        return self._add_polygons(layout.cells(tree), **(style | line_kw))

    def draw_triangles(self, tree, colors, widths):
        """Triangles of the collapsed tips, None if there are none."""
        tips = self.layout.tips
        collapsed = tips[tips >= tree.n_leaves]
        if not len(collapsed):
            return None
        return self._add_polygons(
            self.layout.triangles(tree),
            facecolors=colors[collapsed],
            # Without an edge, the apex would be thinner than the stem above it.
            edgecolors=colors[collapsed],
            linewidths=widths[collapsed] * self.line_width,
            joinstyle="round",
        )

    def draw_tiles(self, colors):
        """Tile of each tip, in the colours (n_tips, 4)."""
        first = np.arange(self.n_tips) - 0.5
        lower = self.layout.base - self.inset * self.height_per_point
        upper = self.layout.base - TILE_GAP * self.height_per_point
        corners = np.empty((self.n_tips, 4, 2))
        corners[..., 0] = first[:, np.newaxis] + [0, 0, 1, 1]
        corners[..., 1] = [lower, upper, upper, lower]
        width = 0.5 if self.tiles_are_apart else 0.0
        return self._add_polygons(corners, facecolors=colors, edgecolors="white", linewidths=width)

    @property
    def tiles_are_apart(self):
        """Whether a white line is between the tiles of one colour."""
        return self.tile > 0 and self.pitch > 5

    def _take_captions(self, captions):
        from .fast_text import text_widths

        self.captions = captions
        self.labels = [name + rest for name, rest in captions]
        lines = [label.split("\n") for label in self.labels]
        n_lines = [len(some) for some in lines] or [1]
        widths = text_widths(list(chain(*lines)), self.text_kw) if lines else np.zeros(1)
        # Of each label, that of its longest line.
        self.widths = np.maximum.reduceat(widths, np.cumsum([0, *n_lines[:-1]]))
        self.n_lines = max(n_lines)

    def _figure_size(self):
        """Width and height in inches, up to what fits a page."""
        from matplotlib import rcParams

        if self.is_radial:
            side = radial_side(self.layout, self.widths, self.n_lines, rcParams["font.size"])
            return side, side
        longest = self.widths.max()
        return rectangular_size(
            self.n_tips, longest, self.n_lines, rcParams["font.size"], self.along_y
        )

    def _center_axis_label(self, lower, upper):
        """Put the label of the axis at the middle of the heights, not of the axes."""
        heights = np.array([[0.0, self.layout.floor], [0.0, self.layout.top]])
        x, y = ((self.project(heights).mean(axis=0) - lower) / (upper - lower)).tolist()
        if self.along_y:
            self.ax.xaxis.label.set_x(x)
        else:
            self.ax.yaxis.label.set_y(y)

    def _sizes(self, box, font=None):
        """What fits a box (width, height), or goes with the font."""
        from matplotlib import rcParams

        inset = self.inset + LABEL_GAP
        largest = rcParams["font.size"]
        if self.is_radial:
            return fit_radial(self.layout, self.widths, self.n_lines, box, inset, largest, font)
        box = box[::-1] if self.along_y else box
        longest = self.widths.max()
        return fit_rectangular(
            self.n_tips, longest, self.n_lines, box, inset, largest, self.along_y, font
        )

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
        return np.sort(self.project(corners), axis=0)

    @property
    def line_width(self):
        """Width of lines that leaves them apart."""
        return float(np.clip(0.3 * self.pitch, 0.15, 1.3))

    def _add_polygons(self, corners, **style):
        from matplotlib.collections import PolyCollection

        closed = np.concatenate([corners, corners[:, :1]], axis=1)
        return self.ax.add_collection(PolyCollection(self._paths(closed), **style), autolim=False)

    def _paths(self, paths):
        if not self.is_radial or not len(paths):
            return self.project(np.asarray(paths))
        paths = bent(paths, self.layout)
        ends = np.cumsum([len(path) for path in paths])
        return np.split(self.project(np.concatenate(paths)), ends[:-1])

    def project(self, points):
        """(x, y) of (place, height) points."""
        if self.is_radial:
            return radial(points, self.layout)
        return rectangular(points, self.orientation)


def _score_ticks(floor, top):
    """Round scores, and last the largest one, rounded down to a hundredth of the range or less."""
    from matplotlib.ticker import MaxNLocator

    ticks = MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]).tick_values(floor, top)
    unit = 10.0 ** (math.floor(math.log10(top - floor)) - 2)
    last = math.floor(top / unit) * unit if unit else top
    # Not so near below it that the two would touch.
    return np.append(ticks[ticks <= last - 0.5 * (ticks[1] - ticks[0])], last)


def box_of(ax):
    """Width and height in points of axes as they are laid out."""
    figure = ax.figure.canvas.figure
    engine, locator = figure.get_layout_engine(), ax.get_axes_locator()
    if engine is not None:
        engine.execute(figure)
    ax.apply_aspect(None if locator is None else locator(ax, None))
    return ax.get_window_extent().size * 72 / figure.dpi


@contextmanager
def redrawn(ax):
    """Remove what displays drew on axes, and remember what this one draws."""
    for artist in ax.get_children():
        if artist in _drawn:
            artist.remove()
    others = set(ax.get_children())
    try:
        yield
    finally:
        _drawn.update(set(ax.get_children()) - others)


def needs_matplotlib(user):
    """Raise the error that names the extra, where matplotlib is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ImportError(f'{user} needs matplotlib: pip install "skl2h[plot]"') from None
