"""Bad arguments of pictures: one clear error each, and nothing drawn or left open."""

import re
import warnings
from itertools import product

import numpy as np
import pytest
from helpers.trees import random_tree
from numpy.testing import assert_array_equal
from sklearn.cluster import KMeans

from skl2h import DendrogramDisplay, MergeTree, ProfileMatrixDisplay

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402 (after the backend is chosen)
from matplotlib.colors import to_rgb  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

TREE = MergeTree([(0, 2), (1, 3)], scores=[1.0, 2.0])

BAD = [
    ({"highlight": 2.5}, TypeError, "highlight, .*, must be an integer, got 2.5"),
    ({"highlight": True}, TypeError, "highlight, .*, must be an integer, got True"),
    ({"highlight": [0, None]}, TypeError, "highlight, .*, must be an integer, got None"),
    ({"highlight": []}, ValueError, "highlight is empty: name a node or a leaf, or give None"),
    ({"level": True}, TypeError, "level must be an integer, got True"),
    ({"level": 2.0}, TypeError, "level must be an integer, got 2.0"),
    ({"max_leaves": True}, TypeError, "max_leaves must be an integer, None or 'auto', got True"),
    ({"max_leaves": 2.5}, TypeError, "max_leaves must be an integer, None or 'auto', got 2.5"),
    ({"layout": ["radial"]}, ValueError, r"layout must be .*, got \['radial'\]"),
    ({"layout": np.zeros(2)}, ValueError, "layout must be .*, got array"),
    ({"leaf_classes": [[0], 1, 2]}, TypeError, "leaf_classes must hold names or numbers"),
    ({"leaf_classes": [[0], [1], [2, 3]]}, TypeError, "leaf_classes must hold names or numbers"),
    ({"leaf_classes": "abc"}, ValueError, r"leaf_classes must have the shape \(3,\)"),
    ({"line_kw": {"colour": "red"}}, ValueError, "line_kw is no style of a Line.*: .*colour"),
    ({"line_kw": {"color": "rad"}}, ValueError, "line_kw is no style of a LineCollection: .*rad"),
    ({"line_kw": {"lw": 1, "linewidth": 2}}, ValueError, "line_kw is no style"),
    ({"line_kw": 3}, TypeError, "line_kw must be a dict or None, got 3"),
    (
        {"line_kw": {"capstyle": "bad"}, "layout": "icicle"},
        ValueError,
        "line_kw is no style of a PolyCollection",
    ),
    ({"text_kw": {"colour": "red"}}, ValueError, "text_kw is no style of a Text: .*colour"),
    ({"text_kw": {"size": "enormous"}}, ValueError, "text_kw is no style of a Text"),
    ({"text_kw": {"x": 3}}, ValueError, "text_kw is no style of a Text"),
    ({"text_kw": {"fontsize": 0}}, ValueError, "text_kw must have a fontsize above 0, got 0"),
    ({"text_kw": {"size": -3.5}}, ValueError, "text_kw must have a fontsize above 0, got -3.5"),
    ({"text_kw": {"size": np.nan}}, ValueError, "text_kw must have a fontsize above 0, got nan"),
    ({"show_labels": "no"}, TypeError, "show_labels must be True or False, got 'no'"),
    ({"show_counts": None}, TypeError, "show_counts must be True or False, got None"),
    ({"legend": "yes"}, TypeError, "legend must be True, False or None, got 'yes'"),
    ({"node_labels": [3]}, TypeError, r"node_labels must be True, .* or a dict .*, got \[3\]"),
    ({"node_labels": None}, TypeError, "node_labels must be True, .* or a dict .*, got None"),
    ({"node_labels": "yes"}, ValueError, "node_labels, if it is a text, must be .*, got 'yes'"),
    ({"node_labels": {"a": "b"}}, TypeError, "node_labels, .*, must be an integer, got 'a'"),
    ({"node_labels": {45: "b"}}, ValueError, "node_labels names 45, but the merges are 3 to 4"),
    ({"text_kw": "red"}, TypeError, "text_kw must be a dict or None, got 'red'"),
]  # fmt: skip


@pytest.fixture(scope="module")
def drawn():
    """A display that was drawn and closed, and axes of a figure that is not open."""
    display = DendrogramDisplay.from_tree(TREE)
    plt.close(display.figure_)
    return display, Figure().subplots()


@pytest.mark.parametrize(("arguments", "error", "message"), BAD, ids=lambda bad: str(bad)[:40])
def test_nothing_is_drawn(drawn, arguments, error, message):
    """No figure is left open, axes and display are as they were."""
    display, ax = drawn
    before = dict(vars(display))
    empty = (len(ax.get_children()), ax.get_xlim(), ax.axison, ax.get_aspect())
    for where in (None, ax):
        with pytest.raises(error, match=message):
            display.plot(where, **arguments)
        assert plt.get_fignums() == []
        assert vars(display) == before
    assert (len(ax.get_children()), ax.get_xlim(), ax.axison, ax.get_aspect()) == empty


def test_a_figure_is_closed_if_drawing_fails(monkeypatch):
    """Whatever the reason: here, that the user interrupts it."""

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("skl2h.plotting.dendrogram.write_labels", interrupt)
    for display in (DendrogramDisplay(TREE), ProfileMatrixDisplay(TREE, np.ones((3, 3)))):
        before = dict(vars(display))
        with pytest.raises(KeyboardInterrupt):
            display.plot()
        assert plt.get_fignums() == []
        assert vars(display) == before


@pytest.mark.parametrize("projection", ["polar", "3d"])
def test_axes_are_rectilinear(projection):
    ax = plt.figure().add_subplot(projection=projection)
    display, matrix = DendrogramDisplay(TREE), ProfileMatrixDisplay(TREE, np.ones((3, 3)))
    message = f"ax must be rectilinear axes, as .* makes them, got {projection} axes"
    for plot in (display.plot, matrix.plot):
        with pytest.raises(ValueError, match=message):
            plot(ax)
        with pytest.raises(TypeError, match="ax must be matplotlib Axes or None, got ndarray"):
            plot(np.array([ax]))


@pytest.mark.parametrize("name", ["x", "y"])
def test_axes_are_linear(name):
    ax = plt.subplots()[1]
    getattr(ax, f"set_{name}scale")("log")
    for display in (DendrogramDisplay(TREE), ProfileMatrixDisplay(TREE, np.ones((3, 3)))):
        with pytest.raises(ValueError, match=rf"got a log one: ax.set_{name}scale\('linear'\)"):
            display.plot(ax)


@pytest.mark.parametrize("not_a_tree", [None, KMeans(3)])
def test_displays_are_of_trees(not_a_tree):
    """The constructor takes anything, as in scikit-learn; `plot` says what it is not."""
    for display in (DendrogramDisplay(not_a_tree), ProfileMatrixDisplay(not_a_tree, np.eye(3))):
        name = type(display).__name__
        with pytest.raises(TypeError, match=f"{name} needs a MergeTree, .*: see {name}.from_est"):
            display.plot()


@pytest.mark.parametrize("scores", [[-1e308, 1e308], [0.0, 1.7e308], [-1e200, 0.0]])
@pytest.mark.parametrize("layout", ["rectangular", "radial", "icicle"])
def test_scores_beyond_drawing_are_refused(scores, layout):
    tree = MergeTree([(0, 2), (1, 3)], scores=scores)
    with pytest.raises(ValueError, match="is too large to draw: scale the scores down, or use"):
        DendrogramDisplay.from_tree(tree, heights="score", layout=layout)
    DendrogramDisplay.from_tree(tree, layout=layout)


@pytest.mark.parametrize("scores", [[1e149, 1e150], [-1e150, 1e150], [0.0, 1e-300]])
@pytest.mark.parametrize("layout", ["rectangular", "radial", "icicle"])
def test_scores_of_any_other_size_are_drawn(scores, layout):
    tree = MergeTree([(0, 2), (1, 3)], scores=scores)
    display = DendrogramDisplay.from_tree(tree, heights="score", layout=layout, max_leaves=2)
    display.figure_.canvas.draw()


@pytest.mark.parametrize("missing", [[None, None], [np.nan, float("nan")]], ids=str)
@pytest.mark.parametrize("classes", [["b", "a"], [3, 1], [2.5, 0.0], ["a", 1]])
def test_leaves_may_have_no_class(missing, classes):
    tree = MergeTree([(0, 2), (1, 4), (3, 5)])
    display = DendrogramDisplay.from_tree(tree, leaf_classes=[*classes, *missing])
    told = [text.get_text() for text in display.legend_.get_texts()]
    assert told[:2] == sorted(map(str, classes))
    assert told[2:] == ["no class"]
    colors = dict(zip(display.layout_.tips, display.tiles_.get_facecolor()))
    assert (colors[2] == colors[3]).all()
    assert len({tuple(color) for color in colors.values()}) == 3


def test_pandas_categories_may_be_missing():
    pandas = pytest.importorskip("pandas")
    classes = pandas.Series(["x", pandas.NA, "y"], dtype="string")
    display = DendrogramDisplay.from_tree(TREE, leaf_classes=classes)
    assert [text.get_text() for text in display.legend_.get_texts()] == ["x", "y", "no class"]


@pytest.mark.parametrize(
    ("profiles", "told"),
    [
        (np.full((3, 3), np.nan), "profiles[0, 0] is nan"),
        (np.diag([1, 1, np.inf]), "profiles[2, 2] is inf"),
        (np.array([[0, 1, 2], [1, 0, -2], [1, 1, 0]]), "profiles[1, 2] is -2.0"),
    ],
)
def test_profiles_are_finite_and_not_negative(profiles, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        ProfileMatrixDisplay(TREE, profiles).plot()
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"level": True}, TypeError, "level must be an integer"),
        ({"level": 9}, ValueError, "There is no level 9"),
        ({"cmap": "no such map"}, ValueError, "no such map"),
        ({"text_kw": {"colour": "red"}}, ValueError, "text_kw is no style of a Text"),
    ],
)
def test_bad_arguments_of_the_matrix(arguments, error, message):
    ax = plt.subplots()[1]
    before = len(ax.get_children())
    for where in (None, ax):
        with pytest.raises(error, match=message):
            ProfileMatrixDisplay(TREE, np.ones((3, 3))).plot(where, **arguments)
    assert plt.get_fignums() == [ax.figure.number]
    assert (len(ax.get_children()), len(ax.child_axes), ax.axison) == (before, 0, True)


def test_labels_of_the_matrix_may_be_turned_otherwise():
    display = ProfileMatrixDisplay(TREE, np.ones((3, 3))).plot(text_kw={"rotation": 45})
    assert {label.get_rotation() for label in display.ax_.get_xticklabels()} == {45}


# -- keys to many groups -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layout", "orientation"),
    [("radial", "left"), *product(["rectangular", "icicle"], ["left", "bottom"])],
)
@pytest.mark.parametrize("max_leaves", [None, 60])
def test_many_groups_have_their_numbers_on_them(layout, orientation, max_leaves):
    """Each number stands within its group, whose colour surrounds it."""
    tree = random_tree(70, 0)
    display = DendrogramDisplay.from_tree(
        tree, layout=layout, orientation=orientation, level=50, max_leaves=max_leaves
    )
    assert display.legend_ is None
    assert sorted(int(text.get_text()) for text in display.group_texts_) == list(range(50))
    groups, tips = tree.cut(50), display.layout_.tips
    drawn = display.cells_ if layout == "icicle" else display.tiles_
    paths, colors = drawn.get_paths(), drawn.get_facecolor()
    children = tree.children[display.layout_.merges - tree.n_leaves].ravel()
    nodes = [tree.n_nodes - 1, *children] if layout == "icicle" else tips
    for text in display.group_texts_:
        # On the border of two cells a hair to the side decides.
        x, y = text.get_position()
        around = [(x + dx, y + dy) for dx in (-1e-6, 1e-6) for dy in (-1e-6, 1e-6)]
        below = [at for at, path in enumerate(paths) if path.contains_points(around).any()]
        assert below
        for at in below:
            assert set(groups[tree.members(nodes[at])]) == {int(text.get_text())}
    assert len({tuple(color) for color in colors}) >= 50


def test_the_legend_lists_what_is_seen():
    """Groups within a triangle have no colour, and no entry."""
    tree = random_tree(60, 0)
    display = DendrogramDisplay.from_tree(tree, level=25, max_leaves=10)
    groups, tips = tree.cut(25), display.layout_.tips
    whole = [set(groups[tree.members(tip)]) for tip in tips]
    seen = sorted({min(some) for some in whole if len(some) == 1})
    told = [text.get_text() for text in display.legend_.get_texts()]
    assert [int(text.split(":")[0]) for text in told[:-1]] == seen
    assert told[-1] == "several groups"
    patches = [patch.get_facecolor() for patch in display.legend_.get_patches()]
    tiles = {tuple(color) for color in display.tiles_.get_facecolor()}
    assert tiles == {tuple(color) for color in patches}


def test_a_legend_that_does_not_fit_is_left_out():
    ax = plt.subplots(figsize=(2, 2))[1]
    display = DendrogramDisplay.from_tree(random_tree(40, 0), ax=ax, level=25)
    assert display.legend_ is None
    with pytest.warns(UserWarning, match="A legend of 25 entries does not fit: draw on larger"):
        display.plot(ax, level=25, legend=True)
    assert display.legend_ is None
    assert ax.get_legend() is None


@pytest.mark.parametrize("layout", ["rectangular", "radial", "icicle"])
@pytest.mark.parametrize(
    ("level", "legend", "size"),
    [(28, None, 2), (28, None, 6), (28, True, 2), (40, None, 2), (40, True, 9), (300, True, 6)],
)
@pytest.mark.filterwarnings("ignore:A legend of")
def test_groups_have_a_legend_or_their_numbers(layout, level, legend, size):
    """Never both, and neither only if it is asked for."""
    ax = plt.subplots(figsize=(size, size))[1]
    style = {"level": level, "layout": layout, "max_leaves": None, "show_labels": False}
    display = DendrogramDisplay.from_tree(random_tree(400, 0), ax=ax, **style, legend=legend)
    assert (display.legend_ is None) == bool(display.group_texts_)
    display.plot(ax, **style, legend=False)
    assert display.legend_ is None
    assert display.group_texts_ == []


@pytest.mark.parametrize(
    ("n_classes", "legend", "message"),
    [
        (31, None, "A legend of 31 entries needs legend=True, or give legend=False"),
        (30, None, "A legend of 30 entries does not fit: draw on larger axes, or give legend"),
        (31, True, "A legend of 31 entries does not fit: draw on larger axes, or give legend"),
        (31, False, None),
        (2, None, None),
    ],
)
def test_colors_that_nothing_explains_are_told(n_classes, legend, message):
    """In the line of the caller, through `plot` and through `from_tree`."""
    tree, classes = random_tree(40, 0), np.arange(40) % n_classes
    ax = plt.subplots(figsize=(2, 2))[1]
    for plot in (
        lambda **style: DendrogramDisplay(tree).plot(ax, **style),
        lambda **style: DendrogramDisplay.from_tree(tree, ax=ax, **style),
    ):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            plot(leaf_classes=classes, legend=legend)
        assert len(told) == (message is not None)
        for one in told:
            assert str(one.message).startswith(message)
            assert one.filename == __file__


@pytest.mark.parametrize(("level", "is_told"), [(40, False), (300, True)])
def test_numbers_too_small_to_read_explain_nothing(level, is_told):
    ax = plt.subplots(figsize=(2, 2))[1]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        DendrogramDisplay.from_tree(random_tree(400, 0), ax=ax, level=level, max_leaves=None)
    labels, *legend = (str(one.message) for one in told)
    assert labels.startswith("Labels of 400 leaves would be too small to read here")
    messages = [f"A legend of {level} entries needs legend=True, or give legend=False for none."]
    assert legend == messages * is_told
    assert all(one.filename == __file__ for one in told)


def contrast(color, ground):
    """Of two opaque colours, as WCAG 2 defines it: from 1 to 21."""
    linear = np.array([color[:3], ground[:3]])
    linear = np.where(linear > 0.04045, ((linear + 0.055) / 1.055) ** 2.4, linear / 12.92)
    low, high = sorted(linear @ [0.2126, 0.7152, 0.0722])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("layout", ["rectangular", "icicle"])
@pytest.mark.parametrize("highlight", [None, 0, 105])
def test_texts_are_as_faded_as_what_they_stand_on(layout, highlight):
    """And no white on what is nearly white."""
    tree = random_tree(60, 0)
    display = DendrogramDisplay.from_tree(
        tree, layout=layout, level=40, highlight=highlight, node_labels=True
    )
    drawn = display.cells_ if layout == "icicle" else display.tiles_
    paths, colors = drawn.get_paths(), drawn.get_facecolor()
    texts = display.group_texts_ + (display.node_texts_ if layout == "icicle" else [])
    assert len(texts) >= 40
    for text in texts:
        # On the border of two tiles a hair to the side decides.
        x, y = text.get_position()
        under = [color for path, color in zip(paths, colors)
                 if path.contains_point((x, y + 1e-6))]  # fmt: skip
        assert len(under) == 1
        assert (text.get_alpha() or 1) == (1 if under[0][3] == 1 else 0.5)
        seen = 1 - under[0][3] * (1 - under[0][:3])
        assert contrast(to_rgb(text.get_color()), seen) > 2
    hidden = ~np.isin(display.layout_.merges, below(tree, highlight))
    faded = [text.get_alpha() == 0.5 for text in display.node_texts_]
    assert_array_equal(faded, hidden)


def below(tree, node):
    """All nodes below one, and it."""
    if node is None:
        return np.arange(tree.n_nodes)
    return [other for other in range(tree.n_nodes) if node in tree.path(other)]


def test_the_apex_of_a_triangle_is_as_wide_as_its_stem():
    display = DendrogramDisplay.from_tree(random_tree(60, 0), max_leaves=10, level=5)
    assert set(display.triangles_.get_linewidth()) == set(display.lines_.get_linewidth())
    assert (display.triangles_.get_edgecolor() == display.triangles_.get_facecolor()).all()
