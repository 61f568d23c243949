"""Axes to draw on, and the axis of the heights of a tree. Lengths are in points, 1/72 of an inch.

matplotlib is imported inside the functions.
"""

import math
from contextlib import contextmanager
from weakref import WeakSet

import numpy as np

from ..tree.heights import word_for_scores

__all__ = ["box_of", "draw_axis", "figure_of", "opened"]

# What displays have drawn. It is removed if a display draws on the same axes again.
_drawn = WeakSet()


@contextmanager
def opened(ax, **figure_kw):
    """Give these axes without what displays drew on them, or those of a new figure if None.

    Everything drawn on them inside this context counts as drawn by a display. If that fails, the
    new figure is closed.
    """
    from matplotlib import pyplot

    is_new = ax is None
    if is_new:
        ax = pyplot.subplots(**figure_kw)[1]
    for artist in ax.get_children():
        if artist in _drawn:
            artist.remove()
    others = set(ax.get_children())
    try:
        yield ax
    except BaseException:
        if is_new:
            pyplot.close(ax.figure)
        raise
    finally:
        _drawn.update(set(ax.get_children()) - others)


def figure_of(ax):
    """Figure that holds axes, which can be saved: not a SubFigure."""
    return ax.figure.canvas.figure


def box_of(ax):
    """Width and height of axes in their layout."""
    figure = figure_of(ax)
    engine, locator = figure.get_layout_engine(), ax.get_axes_locator()
    if engine is not None:
        engine.execute(figure)
    ax.apply_aspect(None if locator is None else locator(ax, None))
    return ax.get_window_extent().size * 72 / figure.dpi


def draw_axis(ax, view, tree):
    """Draw the axis of heights and hide the other; a radial tree has no axis."""
    ax.set_aspect("auto")
    if view.is_radial:
        ax.set_axis_off()
        return
    ax.set_axis_on()
    layout, axis = view.layout, 0 if view.along_y else 1
    across, along = (ax.xaxis, ax.yaxis) if view.along_y else (ax.yaxis, ax.xaxis)
    across.set_visible(True)
    along.set_visible(False)
    ax.spines[:].set_visible(False)
    spine = ax.spines["bottom" if view.along_y else "left"]
    spine.set_visible(True)
    if layout.measure == "rank":
        # After merge t there are n_leaves - t groups.
        ticks = _rank_ticks(view.n_tips)
        at, label = tree.n_leaves - ticks, "number of groups"
    else:
        at, ticks = _score_ticks(layout.floor, layout.top)
        label = word_for_scores(tree)
    inside = (at >= layout.floor) & (at <= layout.top)
    at, ticks = at[inside], ticks[inside]
    ends = view.project(np.array([[0.0, layout.floor], [0.0, layout.top]]))
    points = view.project(np.column_stack([np.zeros(len(at)), at]))
    across.set_ticks([], minor=True)
    across.set_ticks(points[:, axis], [f"{tick:g}" for tick in ticks])
    across.set_label_text(label)
    spine.set_bounds(*sorted(ends[:, axis]))
    (ax.set_xlim if view.along_y else ax.set_ylim)(*sorted(ends[:, axis]))


def _rank_ticks(n_tips):
    """Round numbers of groups, from 1 to the number of tips."""
    from matplotlib.ticker import MaxNLocator

    locator = MaxNLocator(6, integer=True, min_n_ticks=1, steps=[1, 2, 5, 10])
    return np.unique(np.clip(locator.tick_values(1, n_tips), 1, n_tips))


def _score_ticks(floor, top):
    """Round scores and the largest score, and how they are written.

    The largest is rounded to a hundredth of the range or less.
    """
    from matplotlib.ticker import MaxNLocator

    ticks = MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]).tick_values(floor, top)
    unit = 10.0 ** (math.floor(math.log10(top - floor)) - 2)
    # Without a round score so near that the two would touch.
    ticks = ticks[ticks <= top - 0.5 * (ticks[1] - ticks[0])]
    return np.append(ticks, top), np.append(ticks, round(top / unit) * unit if unit else top)
