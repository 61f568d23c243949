"""Laws of legends: they say what can be seen, and are in nobody's way."""

import functools
import io
from itertools import product

import numpy as np
import pytest
from helpers.trees import random_tree

from skl2h import DendrogramDisplay, ProfileMatrixDisplay
from skl2h.plotting.layout import ORIENTATIONS

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402 (after the backend is chosen)


def check_it_is_in_nobodys_way(display, others):
    """The legend is on the page, and touches neither other axes nor the tree and its labels."""
    figure, legend = display.figure_, display.legend_.get_window_extent()
    assert figure.bbox.x0 <= legend.x0
    assert legend.x1 <= figure.bbox.x1
    assert figure.bbox.y0 <= legend.y0
    assert legend.y1 <= figure.bbox.y1
    for other in others:
        assert not legend.overlaps(other.get_tightbbox())
    for text in display.texts_:
        assert not legend.overlaps(text.get_window_extent())
    for drawn in (display.lines_, display.cells_, display.tiles_):
        if drawn is not None:
            vertices = np.concatenate([path.vertices for path in drawn.get_paths()])
            seen = drawn.get_transform().transform(vertices)
            assert not ((seen >= legend.min) & (seen <= legend.max)).all(axis=1).any()


KINDS = [("radial", "left"), ("rectangular", "left"), ("rectangular", "top"), ("icicle", "right")]
TIMES = [(1, False), (3, False), (2, True)]


@pytest.mark.parametrize(
    ("kind", "times", "engine"),
    [
        (kind, times, [None, "constrained"][(i + j) % 2])  # two of them at a time in all ways
        for i, kind in enumerate(KINDS)
        for j, times in enumerate(TIMES)
    ],
    ids=str,
)
def test_it_is_in_nobodys_way(kind, times, engine):
    """However often it is drawn on the same axes, which stay where they are."""
    (layout, orientation), (n_plots, clear) = kind, times
    tree = random_tree(20, 0)
    figure, axes = plt.subplots(1, 2, figsize=(10, 5), layout=engine)
    ax, other = axes[::-1] if clear else axes
    before = ax.get_position(original=True).bounds
    for _ in range(n_plots):
        if clear:
            ax.clear()
        display = DendrogramDisplay.from_tree(
            tree, ax=ax, layout=layout, orientation=orientation, level=12
        )
    figure.canvas.draw()
    check_it_is_in_nobodys_way(display, [other])
    if engine is None:
        assert ax.get_position(original=True).bounds == before


@pytest.mark.parametrize(
    ("layout", "level", "n_leaves"),
    [
        ("rectangular", 2, 30),
        ("rectangular", 30, 150),
        ("radial", 30, 30),
        ("radial", 2, 150),
        ("radial", 30, 150),
    ],
)
def test_a_figure_of_its_own_has_room_for_it(layout, level, n_leaves):
    display = DendrogramDisplay.from_tree(random_tree(n_leaves, 0), layout=layout, level=level)
    display.figure_.canvas.draw()
    check_it_is_in_nobodys_way(display, [])


@pytest.mark.parametrize(
    ("layout", "orientation", "show_labels"),
    [
        *product(["radial"], ["left"], [True, False]),
        *(("rectangular", side, at % 2 == 0) for at, side in enumerate(ORIENTATIONS)),
        *(("icicle", side, at % 2 == 1) for at, side in enumerate(ORIENTATIONS)),
    ],
)
def test_labels_of_merges_leave_it_room(layout, orientation, show_labels):
    """They stay within the axes, which do not shrink for them."""
    tree = random_tree(30, 0)
    labels = {node: f"group {node} of things" for node in range(30, 59)}
    display = DendrogramDisplay.from_tree(
        tree, layout=layout, orientation=orientation, max_leaves=8, level=4, node_labels=labels,
        show_labels=show_labels,
    )  # fmt: skip
    display.figure_.canvas.draw()
    check_it_is_in_nobodys_way(display, [])
    page, legend = display.ax_.get_window_extent(), display.legend_.get_window_extent()
    for text in display.node_texts_:
        box = text.get_window_extent()
        assert not box.overlaps(legend)
        # To the pixel, and for the taller letters of some fonts.
        assert (box.min >= page.min - 2).all()
        assert (box.max <= page.max + 2).all()


def draw_kinds():
    """One way to plot for each kind of picture."""
    tree = random_tree(12, 0)
    display = DendrogramDisplay(tree)
    return {
        "left": lambda ax: display.plot(ax, level=3),
        "top": lambda ax: display.plot(ax, orientation="top", heights="score", max_leaves=9),
        "radial": lambda ax: display.plot(ax, layout="radial", level=5, node_labels=True),
        "icicle": lambda ax: display.plot(ax, layout="icicle", orientation="right", level=2),
        "matrix": lambda ax: ProfileMatrixDisplay(tree, np.ones((12, 12))).plot(ax, level=4),
    }


def pixels(figure):
    file = io.BytesIO()
    figure.savefig(file, format="raw")
    return file.getvalue()


@functools.cache
def on_fresh_axes(kind):
    """Types of artists and pixels."""
    ax = plt.subplots(figsize=(5, 4))[1]
    draw_kinds()[kind](ax)
    return [type(one) for one in ax.get_children()], pixels(ax.figure)


@pytest.mark.parametrize("first", draw_kinds())
@pytest.mark.parametrize("second", draw_kinds())
def test_plotting_again_leaves_nothing_of_the_first_picture(first, second):
    """As on fresh axes, to the artist and to the pixel, also after another size."""
    figure, ax = plt.subplots(figsize=(8, 4))
    draw_kinds()[first](ax)
    figure.set_size_inches(5, 4)
    draw_kinds()[second](ax)
    artists, drawn = on_fresh_axes(second)
    assert [type(one) for one in ax.get_children()] == artists
    assert len(figure.axes) == 1
    assert pixels(figure) == drawn


def test_plotting_again_keeps_what_others_drew():
    ax = plt.subplots()[1]
    mark, title = ax.axvline(-2), ax.set_title("mine")
    for kind in draw_kinds().values():
        kind(ax)
        assert mark in ax.get_children()
        assert ax.get_title() == title.get_text() == "mine"


def test_axes_can_be_used_again_for_another_layout():
    """A circle leaves neither its aspect nor its hidden axis behind."""
    tree = random_tree(20, 0)
    figure, ax = plt.subplots(figsize=(8, 4))
    pictures = []
    for first in ("radial", "rectangular"):
        DendrogramDisplay.from_tree(tree, ax=ax, layout=first, orientation="top", level=3)
        ax.clear()
        DendrogramDisplay.from_tree(tree, ax=ax, level=3)
        file = io.BytesIO()
        figure.savefig(file, format="raw")
        pictures.append(file.getvalue())
        ax.clear()
    assert pictures[0] == pictures[1]
    fresh = plt.subplots(figsize=(8, 4))[1]
    display = DendrogramDisplay.from_tree(tree, ax=fresh, level=3)
    file = io.BytesIO()
    display.figure_.savefig(file, format="raw")
    assert file.getvalue() == pictures[0]
