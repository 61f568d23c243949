"""Real heights in pictures: those of an affinity tree, unless other heights are asked for."""

import numpy as np
import pytest
from helpers.orders import TREES, for_every
from helpers.trees import random_merges, random_tree
from numpy.testing import assert_allclose, assert_array_equal

from skl2h import DendrogramDisplay, MergeTree, affinity_tree, confusion_tree, l2h_tree
from skl2h.datasets import make_hierarchical_logits
from skl2h.plotting.files import picture
from skl2h.plotting.layout import lay_out

plt = pytest.importorskip("matplotlib.pyplot")
plt.switch_backend("agg")

LOGITS = make_hierarchical_logits(500, 12, random_state=0)[0]
AFFINITY = affinity_tree(LOGITS)
KINDS = ["rectangular", "radial", "icicle"]

# What is hard to draw, of 10 leaves.
ODD = {
    "all equal": [1.0] * 9,
    "0 first": [0, 0, 1, 2, 3, 3, 3, 5, 6],
    "one far larger": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1e6],
    "all but one 0": [0] * 8 + [1],
    "tiny": [1e-300] * 4 + [2e-300] * 5,
    "huge": [1e149] * 4 + [1e150] * 5,
}


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def odd_tree(heights, **fields):
    merges = random_merges(10, np.random.default_rng(0))
    return MergeTree(merges, scores=ODD[heights], method="affinity", **fields)


def label_of(display):
    """Label of the axis of heights."""
    axis = display.ax_.xaxis if display.ax_.xaxis.get_visible() else display.ax_.yaxis
    return axis.get_label_text()


@for_every(TREES)
def test_auto_takes_the_scores_of_affinity_trees_and_ranks_of_others(merges):
    """However the tree is drawn otherwise, the heights are the scores, or 1 to K - 1."""
    scores = [0.5, 0.5, 3.0, 7.0]
    for method in ("affinity", "l2h", None):
        tree = MergeTree(merges, scores=scores, method=method)
        layout, same = lay_out(tree), lay_out(tree, heights="auto")
        expected = scores if method == "affinity" else [1, 2, 3, 4]
        assert_array_equal(layout.height[5:], expected)
        assert_array_equal(same.height, layout.height)
        assert layout.measure == ("score" if method == "affinity" else "rank")
        assert_array_equal(lay_out(tree, heights="rank").height[5:], [1, 2, 3, 4])
        assert_array_equal(lay_out(tree, heights="score").height[5:], scores)


@pytest.mark.parametrize("orientation", ["left", "top"])
@pytest.mark.parametrize("layout", ["rectangular", "icicle"])
def test_the_axis_says_what_heights_are(layout, orientation):
    """The number of groups; or the height of an affinity tree, which is a score in any other."""

    def label(tree, heights):
        style = {"layout": layout, "orientation": orientation, "heights": heights}
        return label_of(DendrogramDisplay.from_tree(tree, **style))

    l2h, known = l2h_tree(LOGITS), confusion_tree(np.arange(16).reshape(4, 4))
    assert label(AFFINITY, "auto") == label(AFFINITY, "score") == label(known, "auto") == "height"
    assert label(l2h, "auto") == label(AFFINITY, "rank") == "number of groups"
    assert label(l2h, "score") == "score"


def test_every_way_to_a_picture_has_heights():
    """Also the files that the command line writes. A linkage matrix says nothing of its heights."""
    assert label_of(DendrogramDisplay(AFFINITY).plot()) == "height"
    assert label_of(DendrogramDisplay.from_tree(AFFINITY)) == "height"
    linkage = AFFINITY.to_linkage("score")
    assert label_of(DendrogramDisplay.from_linkage(linkage)) == "number of groups"
    other = MergeTree(AFFINITY.children, scores=AFFINITY.scores, counts=AFFINITY.counts)
    assert other == AFFINITY
    assert picture(AFFINITY, [], kind="svg") == picture(AFFINITY, [], kind="svg")
    assert picture(AFFINITY, [], kind="svg") != picture(other, [], kind="svg")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("max_leaves", [None, 4])
@pytest.mark.parametrize("layout", KINDS)
@pytest.mark.parametrize("heights", ODD)
def test_odd_heights_are_drawn(heights, layout, max_leaves):
    """Each merge is at its height, on axes that hold all of them, whatever the leaves count."""
    tree = odd_tree(heights, counts=[0, 3, 0, 0, 5, 1, 2, 0, 4, 0])
    display = DendrogramDisplay.from_tree(
        tree, layout=layout, max_leaves=max_leaves, level=3, show_counts=True, node_labels=True
    )
    display.figure_.draw_without_rendering()
    shown = display.layout_
    assert shown.measure == "score"
    merges = shown.merges - 10
    assert_array_equal(shown.height[10:][merges], tree.scores[merges])
    assert shown.base <= shown.floor == 0
    assert shown.top == tree.scores[-1]
    drawn = display.cells_ if layout == "icicle" else display.lines_
    corners = np.concatenate([path.vertices for path in drawn.get_paths()])
    (left, right), (low, high) = np.sort([display.ax_.get_xlim(), display.ax_.get_ylim()])
    size = max(abs(left), abs(right), abs(low), abs(high))
    assert np.isfinite(corners).all()
    assert left - 1e-9 * size <= corners[:, 0].min() <= corners[:, 0].max() <= right + 1e-9 * size
    assert low - 1e-9 * size <= corners[:, 1].min() <= corners[:, 1].max() <= high + 1e-9 * size


@pytest.mark.parametrize("scores", [None, [0, 0, 0], [1, 3, 2], [-1, 1, 2], [1, 2, 1e200]], ids=str)
@pytest.mark.parametrize("layout", KINDS)
def test_ranks_are_drawn_where_there_are_no_heights_to_see(layout, scores):
    """Nothing to see, or no heights of a linkage, as a file from somewhere may have them."""
    tree = MergeTree([(0, 1), (4, 2), (5, 3)], scores=scores, method="affinity")
    display = DendrogramDisplay.from_tree(tree, layout=layout)
    assert display.layout_.measure == "rank"
    assert_array_equal(display.layout_.height[4:], [1, 2, 3])
    assert len(path_ends(tree)) == 6


def test_two_leaves_have_ranks():
    """Their distance is 0, as it says nothing without another one."""
    tree = affinity_tree([[2, 1], [0, 3]])
    assert tree.scores == 0
    assert label_of(DendrogramDisplay.from_tree(tree)) == "number of groups"
    assert DendrogramDisplay.from_tree(MergeTree([], method="affinity")).layout_.measure == "rank"


def test_cells_without_a_height_have_no_label():
    """Of merges at one height, the last has the cell, and the label."""
    tree = MergeTree([(0, 1), (2, 4), (3, 5)], scores=[1, 2, 2], method="affinity")
    texts = DendrogramDisplay.from_tree(tree, layout="icicle", node_labels=True).node_texts_
    assert [text.get_text() for text in texts] == ["4", "6"]
    texts = DendrogramDisplay.from_tree(tree, node_labels=True).node_texts_
    assert [text.get_text() for text in texts] == ["4", "5", "6"]


def path_ends(tree):
    """Where the lines of a picture for a notebook begin and end across, (n_lines, 2)."""
    paths = tree._repr_html_().split('<path d="M')[1:]
    return np.array([[path.split()[0], path.split("H")[1].split('"')[0]] for path in paths], float)


@pytest.mark.parametrize("heights", [*ODD, "random"])
def test_lines_in_a_notebook_are_as_long_as_heights_say(heights):
    tree = random_tree(10, 0, method="affinity") if heights == "random" else odd_tree(heights)
    begins, ends = path_ends(tree).T
    expected = (1 - tree.scores / tree.scores[-1]).repeat(2)
    leaves = ends.max()
    assert_allclose((begins - begins.min()) / (leaves - begins.min()), expected, atol=1e-3)
    assert (ends[tree.children.ravel() < 10] == leaves).all()


def test_a_notebook_shows_the_upper_part_of_the_heights():
    """The tips are at the highest merge that is not shown, so that what is shown has room."""
    tree = random_tree(100, 0, method="affinity")
    begins, ends = path_ends(tree).T
    scores = tree.scores[-23:]
    expected = (tree.scores[-1] - scores) / (tree.scores[-1] - tree.scores[-24])
    width = ends.max() - begins.min()
    assert_allclose((begins - begins.min()) / width, expected.repeat(2), atol=1e-3)
    equal = MergeTree(tree.children, scores=np.ones(99), method="affinity")
    begins, ends = path_ends(equal).T
    assert (begins == begins[0]).all()
    assert (ends >= begins).all()
