"""Laws of the pictures: what stands where, what has which colour, what is said of what."""

import io
import re
import subprocess
import sys
from collections import Counter
from itertools import combinations, pairwise, product
from xml.etree import ElementTree

import numpy as np
import pytest
import scipy.sparse
from helpers.orders import TREES
from helpers.trees import chain, random_tree
from numpy.testing import assert_allclose, assert_array_equal
from scipy.cluster.hierarchy import linkage
from sklearn.cluster import AgglomerativeClustering, FeatureAgglomeration, KMeans
from sklearn.datasets import make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skl2h import (
    DendrogramDisplay,
    L2HClustering,
    MergeTree,
    ProfileMatrixDisplay,
    l2h_tree,
)
from skl2h.datasets import make_hierarchical_logits
from skl2h.plotting.layout import ORIENTATIONS, lay_out
from skl2h.tree.leaf_order import order_leaves
from skl2h.tree.palette import PETROFF, group_colors

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402 (after the backend is chosen)
from matplotlib.colors import to_hex  # noqa: E402

NAMES = ["e", "b", "d", "a", "c"]
WEIGHTS = [1, 2, 4, 8, 16]  # a sum of some tells which ones
KINDS = [*(("rectangular", side) for side in ORIENTATIONS), ("radial", "left")]
all_kinds = pytest.mark.parametrize(("layout", "orientation"), KINDS, ids=str)


@pytest.mark.parametrize("time", ["once", "again"])
def test_no_figure_stays_open_after_a_test(time):
    """Whatever ran before, doctests among it."""
    assert plt.get_fignums() == []
    plt.figure()


@pytest.fixture(scope="module")
def planted():
    """Tree of 24 leaves with counts and scores."""
    logits, _, _ = make_hierarchical_logits(600, 24, random_state=0)
    return l2h_tree(logits).with_names([f"leaf {leaf}" for leaf in range(24)])


def place_and_height(points, layout, orientation):
    """What a reader of the picture sees: how far along the leaves, how far above them."""
    x, y = np.asarray(points, dtype=float).T
    if layout == "radial":
        clockwise = np.degrees(np.arctan2(x, y)) % 360
        return np.column_stack([clockwise, 1 - np.hypot(x, y)])
    along = -y if orientation in ("left", "right") else x
    return np.column_stack([along, {"left": -x, "right": x, "top": y, "bottom": -y}[orientation]])


def merges_in_the_picture(display, layout, orientation):
    """Merges that the lines show, from the lowest up: of which leaves, by the labels' rows.

    Looks at nothing but what is drawn: texts and their positions, and ends of lines.
    """
    texts = [
        (place_and_height([text.get_position()], layout, orientation)[0], text.get_text())
        for text in display.texts_
    ]
    at_place = {}
    for (place, height), text in texts:
        assert height <= display.layout_.base + 1e-9  # outside the tree
        rows = int(re.search(r"(\d+) rows?\)?$", text)[1])
        leaves = frozenset(leaf for leaf in range(5) if rows >> leaf & 1)
        if len(leaves) > 1:
            assert text == f"{len(leaves)} leaves, {rows} rows"
        else:
            assert text.split()[0] == NAMES[min(leaves)]
        at_place[round(place, 6)] = leaves
    assert len(at_place) == len(texts)  # no two at one place
    lines = [
        place_and_height(path.vertices, layout, orientation) for path in display.lines_.get_paths()
    ]
    n_stems = 2 * len(texts) - 2
    stems, bars = lines[:n_stems], lines[n_stems:]
    known, merges = {}, []
    for bar in sorted(bars, key=lambda bar: bar[0, 1]):
        height = bar[0, 1]
        assert_allclose(bar[:, 1], height, atol=1e-9)
        joined = [stem for stem in stems if abs(stem[1, 1] - height) < 1e-6]
        if layout == "rectangular" or height < 1 - 1e-6:  # the root of a radial tree is a point
            ends = sorted([bar[0, 0], bar[-1, 0]])
            assert_allclose(sorted(stem[1, 0] for stem in joined), ends, atol=1e-6)
        assert len(joined) == 2
        parts = []
        for (place, lower), (upper_place, _) in joined:
            if height < 1 - 1e-6:
                assert abs(place - upper_place) < 1e-6
            key = round(place, 6), round(lower, 6)
            parts.append(known[key] if key in known else at_place[round(place, 6)])
        middle = sum(stem[0, 0] for stem in joined) / 2
        merges.append(parts[0] | parts[1])
        known[round(middle, 6), round(height, 6)] = merges[-1]
    return merges


def merges_of(tree, n_tips):
    shown = range(2 * tree.n_leaves - n_tips, tree.n_nodes)
    return [frozenset(tree.members(node).tolist()) for node in shown]


# -- every label stands at its leaf ------------------------------------------------------------


@all_kinds
def test_every_label_stands_at_its_leaf(layout, orientation):
    """The merges can be read from the lines and labels alone.

    Each kind of picture shows a fifth of the orders of five leaves, and all kinds show them all.
    """
    ax = plt.subplots()[1]
    for merges in TREES[KINDS.index((layout, orientation)) :: len(KINDS)]:
        tree = MergeTree(merges, names=NAMES, counts=WEIGHTS)
        display = DendrogramDisplay.from_tree(
            tree, ax=ax, layout=layout, orientation=orientation, show_counts=True
        )
        assert merges_in_the_picture(display, layout, orientation) == merges_of(tree, 5)


@all_kinds
@pytest.mark.parametrize("max_leaves", [2, 3, 4])
def test_every_label_stands_at_its_leaf_when_collapsed_and_reordered(
    layout, orientation, max_leaves
):
    orders = ["merge", "size", "name", "similarity"]
    ax = plt.subplots()[1]
    for at, merges in enumerate(TREES[max_leaves::45]):
        tree = MergeTree(merges, names=NAMES, counts=WEIGHTS)
        affinity = np.random.default_rng(at).random((5, 5))
        display = DendrogramDisplay.from_tree(
            tree,
            ax=ax,
            affinity=affinity,
            layout=layout,
            orientation=orientation,
            leaf_order=orders[at % 4],
            max_leaves=max_leaves,
            show_counts=True,
            level=2,
        )
        assert len(display.texts_) == max_leaves
        assert merges_in_the_picture(display, layout, orientation) == merges_of(tree, max_leaves)


def test_tips_stand_in_the_leaf_order():
    """For all 2,880 orders of five leaves, with the two of each merge either way round."""
    for merges, flips in product(TREES, product([False, True], repeat=4)):
        children = [pair[::-1] if flip else pair for pair, flip in zip(merges, flips)]
        tree = MergeTree(children)
        layout = lay_out(tree)
        assert_array_equal(layout.tips, tree.leaf_order)
        assert_array_equal(layout.place[layout.tips], np.arange(5))
        for first, second in children:
            assert layout.place[first] < layout.place[second]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("max_leaves", [1, 2, 7, 29, 30, 99])
def test_tips_are_the_groups_of_the_level(seed, max_leaves):
    """Side by side in the order of their leaves, each once."""
    tree = random_tree(30, seed)
    leaves = order_leaves(tree, "size")
    tips = lay_out(tree, leaf_order=leaves, max_leaves=max_leaves).tips
    groups = tree.cut(min(max_leaves, 30))
    assert [frozenset(tree.members(tip)) for tip in tips] == [
        frozenset(np.flatnonzero(groups == group)) for group in dict.fromkeys(groups[leaves])
    ]


@pytest.mark.parametrize(
    ("kind", "orientation"),
    [
        *product(["rectangular", "icicle"], ORIENTATIONS),
        ("radial", "left"),
        ("radial", "top"),
    ],
)
@pytest.mark.parametrize("n_leaves", [1, 2, 40])
def test_labels_are_whole_and_do_not_touch(kind, orientation, n_leaves):
    names = [f"a rather long name, number {leaf}" for leaf in range(n_leaves)]
    tree = random_tree(n_leaves, 0, names=names)
    level = min(3, n_leaves)
    display = DendrogramDisplay.from_tree(tree, layout=kind, orientation=orientation, level=level)
    display.figure_.draw_without_rendering()
    page = display.figure_.bbox
    texts = display.texts_
    boxes = [text.get_window_extent() for text in texts]
    assert len(texts) == n_leaves
    assert all(page.x0 <= box.x0 and box.x1 <= page.x1 for box in boxes)
    assert all(page.y0 <= box.y0 and box.y1 <= page.y1 for box in boxes)
    if kind != "radial":
        assert not any(a.overlaps(b) for a, b in pairwise(boxes))


def test_labels_of_a_full_radial_tree_do_not_touch():
    """Two rings, so that each label has twice the room; turned to read outwards."""
    tree = random_tree(600, 0)
    display = DendrogramDisplay.from_tree(tree, layout="radial")
    display.figure_.draw_without_rendering()
    positions = np.array([text.get_position() for text in display.texts_])
    angles = np.degrees(np.arctan2(*positions.T[::-1]))
    rotations = np.array([text.get_rotation() for text in display.texts_])
    assert_allclose((rotations - angles + 90) % 180, 90, atol=1e-6)
    assert (np.cos(np.radians(rotations)) > -1e-9).all()  # none is upside down
    radii = np.hypot(*positions.T)
    assert len(np.unique(radii.round(6))) == 2
    assert len(display.leaders_.get_paths()) == 300
    scale = display.ax_.transData.transform([[0, 0], [1, 0]])[:, 0] @ [-1, 1]
    neighbours = 2 * np.pi * radii.min() * scale / 601  # pixels
    assert display.texts_[0].get_fontsize() * display.figure_.dpi / 72 < 2 * neighbours
    assert display.texts_[0].get_fontsize() > 4


def test_labels_that_could_not_be_read_are_not_drawn():
    tree = random_tree(400, 0)
    _, axes = plt.subplots(4, 4)
    with pytest.warns(UserWarning, match="too small to read"):
        display = DendrogramDisplay.from_tree(tree, ax=axes[0, 0], max_leaves=None)
    assert display.texts_ == []
    display = DendrogramDisplay.from_tree(tree, ax=axes[0, 1], max_leaves=None, text_kw={"size": 1})
    assert len(display.texts_) == 400


def test_a_chain_of_20_000_leaves():
    """No recursion: it is laid out, and drawn."""
    tree = chain(20_000)
    layout = lay_out(tree)
    assert_array_equal(layout.tips, np.arange(20_000))
    with pytest.warns(UserWarning, match="Labels of 20,000 leaves would be too small"):
        display = DendrogramDisplay.from_tree(tree, layout="radial", max_leaves=None, legend=False)
    assert len(display.lines_.get_paths()) == 3 * 19_999
    assert display.texts_ == []


# -- orders ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(15))
def test_similarity_is_the_best_of_all_flips(seed):
    rng = np.random.default_rng(seed)
    tree, affinity = random_tree(6, seed), rng.random((6, 6))

    def alike(leaves):
        return sum(affinity[a, b] + affinity[b, a] for a, b in pairwise(leaves))

    best = max(
        alike(MergeTree([p[::f] for p, f in zip(tree.children, flips)]).leaf_order)
        for flips in product([1, -1], repeat=5)
    )
    assert_allclose(alike(order_leaves(tree, "similarity", affinity)), best)


def test_orders_by_size_and_by_name():
    tree = MergeTree([(0, 1), (2, 5), (4, 3), (7, 6)], names=["a10", "a9", "b", "A1", "c"])
    assert order_leaves(tree, "merge").tolist() == [4, 3, 2, 0, 1]
    assert order_leaves(tree, "size").tolist() == [0, 1, 2, 4, 3]
    assert order_leaves(tree, "name").tolist() == [3, 4, 1, 0, 2]
    assert order_leaves(tree, [2, 1, 0, 3, 4]).tolist() == [2, 1, 0, 3, 4]


@pytest.mark.parametrize("name", ["9" * 5000, "", "\uff10\uff11", "a\n1", "007", "7"])
def test_any_name_has_a_place(name):
    assert sorted(order_leaves(MergeTree([(0, 1)], names=[name, "a2"]), "name")) == [0, 1]


# -- colours -----------------------------------------------------------------------------------


def test_colors_are_distinct_and_keep_their_number():
    many = group_colors(5000)
    assert many[:10] == list(PETROFF)
    assert len(set(many)) == 5000
    assert all(re.fullmatch("#[0-9a-f]{6}", color) for color in many)
    for n_groups in (0, 1, 10, 11, 300, 513):
        assert group_colors(n_groups) == many[:n_groups]


def test_petroff_is_that_of_matplotlib():
    if "petroff10" not in matplotlib.style.available:
        pytest.skip("this matplotlib has no petroff10")
    cycle = matplotlib.style.library["petroff10"]["axes.prop_cycle"]
    assert tuple(cycle.by_key()["color"]) == PETROFF


@pytest.mark.parametrize("n_groups", [-1, 1_000_001])
def test_as_many_colors_as_there_are(n_groups):
    with pytest.raises(ValueError, match="n_groups must be 0 to 1,000,000"):
        group_colors(n_groups)


@all_kinds
@pytest.mark.parametrize(("leaf_order", "max_leaves"), [("merge", None), ("name", 14)])
def test_a_group_has_one_color_in_every_picture(
    planted, layout, orientation, leaf_order, max_leaves
):
    display = DendrogramDisplay.from_tree(
        planted,
        layout=layout,
        orientation=orientation,
        leaf_order=leaf_order,
        max_leaves=max_leaves,
        level=12,
    )
    groups, colors = planted.cut(12), group_colors(12)
    tiles = [to_hex(color) for color in display.tiles_.get_facecolor()]
    tips = display.layout_.tips
    assert tiles == [colors[groups[planted.members(tip)[0]]] for tip in tips]
    # A line within a group has its colour, one above is neutral.
    merges = display.layout_.merges
    nodes = [*planted.children[merges - 24].ravel(), *merges]
    for node, color in zip(nodes, display.lines_.get_color()):
        of = set(groups[planted.members(node)])
        assert to_hex(color) == (colors[of.pop()] if len(of) == 1 else "#4d4d4d")
    legend = [text.get_text() for text in display.legend_.get_texts()]
    sizes = Counter(groups)
    for group in range(12):
        leaves = f"{sizes[group]} leaves"
        if sizes[group] == 1:
            leaves = f"leaf {np.flatnonzero(groups == group)[0]}"
        assert legend[group] == f"{group}: {leaves}"


def test_an_icicle_has_the_groups_of_every_level_across(planted):
    display = DendrogramDisplay.from_tree(planted, layout="icicle", orientation="top", level=5)
    boxes = np.array([path.get_extents().extents for path in display.cells_.get_paths()])
    boxes += [0.5, 0, 0.5, 0]
    for level in range(1, 25):
        height = 24 - level + 0.5
        across = boxes[(boxes[:, 1] < height) & (boxes[:, 3] > height)]
        groups = planted.cut(level)[planted.leaf_order]
        changes = np.flatnonzero(np.diff(groups, prepend=-1, append=-1))
        assert_allclose(np.sort(across[:, 0]), changes[:-1])
        assert_allclose(np.sort(across[:, 2]), changes[1:])


def test_leaf_classes_color_tiles_and_pure_branches(planted):
    classes = np.array(["x", "y"])[planted.cut(2)]
    classes[planted.members(24)] = "z"
    display = DendrogramDisplay.from_tree(planted, layout="radial", leaf_classes=classes)
    of = dict(zip("xyz", group_colors(3)))
    assert [text.get_text() for text in display.legend_.get_texts()] == ["x", "y", "z"]
    tiles = [to_hex(color) for color in display.tiles_.get_facecolor()]
    assert tiles == [of[classes[tip]] for tip in display.layout_.tips]
    both = DendrogramDisplay.from_tree(planted, leaf_classes=classes, level=4)
    tiles = {to_hex(color) for color in both.tiles_.get_facecolor()}
    assert tiles.isdisjoint(to_hex(color) for color in both.lines_.get_color())


def test_legends_are_shown_up_to_30_entries_or_on_request():
    tree = random_tree(40, 0)
    assert DendrogramDisplay.from_tree(tree).legend_ is None
    assert DendrogramDisplay.from_tree(tree, level=30).legend_ is not None
    assert DendrogramDisplay.from_tree(tree, level=31).legend_ is None
    assert len(DendrogramDisplay.from_tree(tree, level=31, legend=True).legend_.get_texts()) == 31
    assert DendrogramDisplay.from_tree(tree, level=3, legend=False).legend_ is None


def test_highlight_fades_the_rest(planted):
    node = 30
    display = DendrogramDisplay.from_tree(planted, highlight=[node, "leaf 3"])
    below = {3, *planted.members(node).tolist()}
    faded = {
        tip
        for tip, text in zip(display.layout_.tips, display.texts_)
        if text.get_alpha() is not None
    }
    assert faded == set(range(24)) - below
    alphas = display.lines_.get_color()[:, 3]
    children = planted.children.ravel().tolist()
    alphas_of = dict(zip(children, alphas))
    assert all((alphas_of[leaf] == 1) == (leaf in below) for leaf in range(24))
    hidden = DendrogramDisplay.from_tree(planted, highlight=3, max_leaves=2)
    bright = [text.get_alpha() is None for text in hidden.texts_]
    assert bright == [3 in planted.members(tip) for tip in hidden.layout_.tips]


# -- what is told ------------------------------------------------------------------------------


@pytest.mark.parametrize("counts", [None, np.arange(24), np.arange(24) / 4])
def test_triangles_tell_all_leaves_and_rows(planted, counts):
    tree = MergeTree(planted.children, names=planted.names, counts=counts)
    display = DendrogramDisplay.from_tree(tree, max_leaves=6, show_counts=counts is not None)
    leaves, rows = [], []
    for text in display.texts_:
        told = re.fullmatch(r"(\d+) leaves(?:, (.*) rows?)?|leaf \d+(?: \((.*) rows?\))?",
                            text.get_text())  # fmt: skip
        leaves.append(int(told[1] or 1))
        rows.append(float(told[2] or told[3] or 0))
    assert sum(leaves) == 24
    assert sum(rows) == (0 if counts is None else counts.sum())
    assert len(display.triangles_.get_paths()) == sum(n > 1 for n in leaves)


def test_node_labels():
    tree = MergeTree([(0, 2), (1, 3)])
    told = DendrogramDisplay.from_tree(tree, node_labels=True).node_texts_
    assert [text.get_text() for text in told] == ["3", "4"]
    told = DendrogramDisplay.from_tree(tree, node_labels={4: "all"}, orientation="top").node_texts_
    assert [text.get_text() for text in told] == ["all"]
    assert told[0].get_position() == (0.75, 2)


with_icicles = pytest.mark.parametrize(
    ("layout", "orientation"), [*KINDS, *(("icicle", side) for side in ORIENTATIONS)], ids=str
)


@with_icicles
def test_a_collapsed_merge_has_its_label_and_below_it_its_leaves(planted, layout, orientation):
    for node_labels, label, counts in (
        (dict.fromkeys(range(24, 47), "mammals"), lambda node: "mammals", np.arange(24)),
        (True, str, None),
        ("support", lambda node: f"{(node - 24) / 100:.2f}", np.arange(24)),
    ):
        tree = MergeTree(planted.children, counts=counts, support=np.arange(23) / 100)
        display = DendrogramDisplay.from_tree(
            tree, layout=layout, orientation=orientation, max_leaves=6, node_labels=node_labels
        )
        tips, merges = display.layout_.tips.tolist(), display.layout_.merges.tolist()
        assert [text.get_text() for text in display.node_texts_] == list(map(label, merges))
        for node, text in zip(tips, display.texts_):
            if node >= 24:
                first, below = text.get_text().split("\n")
                assert first == label(node)
                assert re.fullmatch(f"{tree.sizes[node]} leaves(, .* rows?)?", below)
        display.figure_.draw_without_rendering()
        if layout != "radial" and orientation in ("left", "right"):
            boxes = [text.get_window_extent() for text in display.texts_]
            assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
            middles = [(box.y0 + box.y1) / 2 for box in boxes]
            places = display.ax_.transData.transform(np.arange(len(tips))[:, np.newaxis] * [0, -1])
            assert_allclose(middles, places[:, 1], atol=2)


def test_labels_of_some_collapsed_merges():
    tree = MergeTree([(0, 2), (1, 3)], names=["cat", "hen", "dog"])
    shown = {"max_leaves": 2, "node_labels": {3: "pets", 4: "all"}}
    display = DendrogramDisplay.from_tree(tree, **shown)
    assert [text.get_text() for text in display.node_texts_] == ["all"]
    assert sorted(text.get_text() for text in display.texts_) == ["hen", "pets\n2 leaves"]
    few = DendrogramDisplay.from_tree(tree, max_leaves=2, node_labels={4: "all"})
    assert sorted(text.get_text() for text in few.texts_) == ["2 leaves", "hen"]


@pytest.mark.parametrize(
    ("layout", "orientation"),
    [
        ("radial", "left"),
        ("rectangular", "left"),
        ("rectangular", "bottom"),
        ("icicle", "right"),
        ("icicle", "top"),
    ],
)
def test_without_names_of_leaves_collapsed_merges_keep_their_labels(planted, layout, orientation):
    """And a picture of no collapsed merges, or of none with a label, has no labels at its tips."""
    kind = {"layout": layout, "orientation": orientation, "show_labels": False}
    display = DendrogramDisplay.from_tree(planted, **kind, max_leaves=10)
    assert display.texts_ == []
    first, *others = (tip for tip in display.layout_.tips.tolist() if tip >= 24)
    assert others
    for node_labels, labelled in (
        ({first: "pets", 46: "all"}, {first: "pets"}),
        (True, {tip: str(tip) for tip in [first, *others]}),
        ({46: "all"}, {}),
    ):
        display.plot(node_labels=node_labels, max_leaves=10, **kind)
        texts = [text.get_text() for text in display.texts_]
        assert len(texts) == (10 if labelled else 0)
        for tip, text in zip(display.layout_.tips.tolist(), texts):
            if tip in labelled:
                assert text.startswith(f"{labelled[tip]}\n{planted.sizes[tip]} leaves")
            else:
                assert text == ""
        display.figure_.draw_without_rendering()
    assert DendrogramDisplay.from_tree(planted, **kind, node_labels=True).texts_ == []


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_labels_in_an_icicle_fit_their_cells(planted, orientation):
    labels = {node: f"group {node} of things" for node in range(24, 47)}
    display = DendrogramDisplay.from_tree(
        planted, layout="icicle", orientation=orientation, max_leaves=8, node_labels=labels
    )
    display.figure_.canvas.draw()
    data = display.ax_.transData
    cells = [path.get_extents(data) for path in display.cells_.get_paths()]
    assert len(display.node_texts_) == 7
    for text in display.node_texts_:
        box = text.get_window_extent()
        middle = data.transform(text.get_position())
        (cell,) = (cell for cell in cells if cell.contains(*middle))
        assert (box.min >= cell.min - 1).all()
        assert (box.max <= cell.max + 1).all()
        assert text.get_fontsize() >= 4


@with_icicles
def test_where_lines_are_close_leaves_stand_beside_the_label(planted, layout, orientation):
    labels = dict.fromkeys(range(24, 47), "pets")
    small = plt.subplots(figsize=(2, 2))[1]
    display = DendrogramDisplay(planted).plot(
        small, layout=layout, orientation=orientation, max_leaves=20, node_labels=labels
    )
    collapsed = [text.get_text() for text in display.texts_ if "leaves" in text.get_text()]
    assert collapsed
    assert all(re.fullmatch(r"pets \(\d leaves(, .* rows?)?\)", text) for text in collapsed)


@pytest.mark.parametrize("layout", ["rectangular", "radial", "icicle"])
def test_support_of_the_merges_that_are_shown(layout):
    tree = MergeTree([(0, 1), (2, 3), (4, 5)], support=[0.5, 2 / 3, 1])
    told = DendrogramDisplay.from_tree(tree, node_labels="support", layout=layout).node_texts_
    assert sorted(text.get_text() for text in told) == ["0.50", "0.67", "1.00"]
    few = DendrogramDisplay.from_tree(
        tree, node_labels="support", layout=layout, max_leaves=2
    ).node_texts_
    assert sorted(text.get_text() for text in few) == ["1.00"]


# Control characters, ends of lines, marks and turns of direction, no characters, and half of one.
ODD = "\x00\t\n\r\x1b\x7f\x85\xad\u200e\u200f\u202e\u2066\u2028\ufeff\ufffe\uffff\ufdd0\ud800"


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({}, "png"),
        ({"svg.fonttype": "path"}, "svg"),
        ({"svg.fonttype": "none"}, "svg"),
        *(({"pdf.fonttype": number}, "pdf") for number in (3, 42)),
        ({"ps.fonttype": 3}, "ps"),
        ({"ps.fonttype": 42}, "eps"),
    ],
    ids=str,
)
def test_odd_letters_break_no_file(settings, kind):
    names = [f"a{letter}b" for letter in ODD] + [ODD, "\ufeff", "\u200b"]
    tree = chain(len(names)).with_names(names)
    labels = dict(enumerate(names[1:], tree.n_leaves))
    figure, axes = plt.subplots(1, 2, figsize=(20, 8))
    with plt.rc_context(settings):
        display = DendrogramDisplay.from_tree(
            tree, ax=axes[0], node_labels=labels, level=3, leaf_classes=names, legend=True
        )
        ProfileMatrixDisplay(profiles=np.eye(len(names)), tree=tree).plot(axes[1])
        assert len(display.texts_) == len(display.legend_.get_texts()) == len(names)
        file = io.BytesIO()
        figure.savefig(file, format=kind, dpi=50)
    written = file.getvalue()
    if kind == "svg":
        ElementTree.fromstring(written)
    begins, holds = {
        "png": (b"\x89PNG", b"IEND"), "svg": (b"<?xml", b"</svg>"), "pdf": (b"%PDF", b"%%EOF"),
        "ps": (b"%!PS", b"showpage"), "eps": (b"%!PS", b"showpage"),
    }[kind]  # fmt: skip
    assert written.startswith(begins)
    assert holds in written


def test_names_survive():
    names = ["$a_b$ $", "", "two\nlines", r"\frac{1}{2}", "é<>&'\"", "x" * 500, "same", "same"]
    display = DendrogramDisplay.from_tree(chain(8).with_names(names), level=8)
    display.figure_.draw_without_rendering()
    told = [text.get_text() for text in display.texts_]
    cut = "xxxxxx…xxxxxx"  # there is no room for 500
    assert told == ["$a_b$ $", "''", "'two\\nlines'", *names[3:5], cut, "same", "same"]


def test_the_axis_tells_the_number_of_groups(planted):
    ax = DendrogramDisplay.from_tree(planted, orientation="top", max_leaves=20).ax_
    for tick, label in zip(ax.get_yticks(), ax.get_yticklabels()):
        assert tick == 24 - int(label.get_text())
    ax = DendrogramDisplay.from_tree(planted, orientation="right", heights="score").ax_
    *ticks, last = ax.get_xticks()
    *labels, of_last = (float(label.get_text()) for label in ax.get_xticklabels())
    assert_allclose(ticks, labels)
    # The axis ends at the largest score, which is written with two decimals as it is below 10.
    assert last == planted.scores[-1]
    assert of_last == round(planted.scores[-1], 2)


@pytest.mark.parametrize(
    ("orientation", "max_leaves"), [("left", None), ("right", 3), ("top", 3), ("bottom", None)]
)
@pytest.mark.parametrize(
    "scores", [[1, 2, 9], [3.1, 20, 39.7], [-7, -3, -1.5], [0, 0, 0], [1e-300] * 3, [0, 0, 5e-324]]
)
def test_the_axis_of_scores_spans_them(orientation, max_leaves, scores):
    """From the leaves to the top, and not down to the feet of triangles."""
    tree = MergeTree([(0, 1), (4, 2), (5, 3)], scores=scores)
    display = DendrogramDisplay.from_tree(
        tree, orientation=orientation, heights="score", max_leaves=max_leaves
    )
    ax, shown = display.ax_, display.layout_
    axis = ax.xaxis if orientation in ("left", "right") else ax.yaxis
    sign = -1 if orientation in ("left", "bottom") else 1
    ticks = np.sort(sign * axis.get_ticklocs())
    assert shown.floor <= ticks[0]
    assert_allclose(ticks[-1], shown.top, atol=0.01 * (shown.top - shown.floor))
    assert ticks[-1] <= shown.top
    spine = ax.spines["bottom" if orientation in ("left", "right") else "left"]
    assert sorted(sign * np.array(spine.get_bounds())) == [shown.floor, shown.top]


def test_the_figure_of_a_subfigure_can_be_saved(planted, tmp_path):
    """It is the whole one."""
    figure = plt.figure(figsize=(8, 4))
    first, second = figure.subfigures(1, 2)
    tree = DendrogramDisplay.from_tree(planted, ax=first.subplots(), level=3)
    matrix = ProfileMatrixDisplay(planted, np.ones((24, 24))).plot(second.subplots(), level=3)
    for display in (tree, matrix):
        assert display.figure_ is figure
        display.figure_.savefig(tmp_path / "tree.png")


def test_heights_are_scores_on_request(planted):
    layout = DendrogramDisplay.from_tree(planted, heights="score").layout_
    assert_array_equal(layout.height[24:], planted.scores)


def test_style_is_passed_on(planted):
    display = DendrogramDisplay.from_tree(
        planted,
        line_kw={"linewidth": 3, "color": "red"},
        text_kw={"size": 4, "ha": "center", "color": "blue"},
    )
    assert set(display.lines_.get_linewidth()) == {3}
    assert {to_hex(color) for color in display.lines_.get_color()} == {"#ff0000"}
    for text in display.texts_:
        assert (text.get_fontsize(), text.get_ha(), text.get_color()) == (4, "center", "blue")


def test_a_picture_of_1000_leaves_is_few_artists():
    """Lines and tiles are drawn in one go; only the labels are apart."""
    display = DendrogramDisplay.from_tree(random_tree(1000, 0), layout="radial", level=20)
    assert len(display.texts_) == 1000
    assert len(display.ax_.collections) == 3


def test_it_draws_where_it_is_told_to(planted):
    figure, (ax, other) = plt.subplots(1, 2)
    display = DendrogramDisplay(planted).plot(ax, level=3)
    assert (display.ax_, display.figure_) == (ax, figure)
    assert not other.has_data()
    assert plt.get_fignums() == [figure.number]
    again = display.plot(other, layout="icicle")
    assert again is display
    assert display.lines_ is None


# -- where trees come from ---------------------------------------------------------------------


def leaf_sets(display):
    return merges_of(display.tree, display.tree.n_leaves)


@pytest.mark.parametrize("distances", [False, True])
def test_from_agglomerative_clustering(distances):
    X, _ = make_blobs(30, random_state=0)
    model = AgglomerativeClustering(3, compute_distances=distances).fit(X)
    display = DendrogramDisplay.from_estimator(model, X, leaf_order="similarity")
    assert_array_equal(display.tree.children, model.children_)
    assert_array_equal(
        display.tree.cut(3) == display.tree.cut(3)[0], model.labels_ == model.labels_[0]
    )
    assert len(display.legend_.get_texts()) == 3
    if distances:
        assert_array_equal(display.tree.scores, model.distances_)
        DendrogramDisplay.from_estimator(model, heights="score")
    else:
        with pytest.raises(ValueError, match="This tree has no scores"):
            DendrogramDisplay.from_estimator(model, heights="score")


def test_from_feature_agglomeration_and_pipelines():
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame(np.random.default_rng(0).random((20, 5)), columns=list("vwxyz"))
    scale = StandardScaler().set_output(transform="pandas")
    model = make_pipeline(scale, FeatureAgglomeration(2)).fit(X)
    display = DendrogramDisplay.from_estimator(model, X, leaf_order="similarity")
    assert display.tree.names == tuple("vwxyz")
    assert sorted(text.get_text() for text in display.texts_) == list("vwxyz")


@pytest.mark.parametrize("kind", [scipy.sparse.csr_matrix, scipy.sparse.coo_matrix])
def test_features_are_compared_in_sparse_data(kind):
    X = np.random.default_rng(0).integers(0, 3, (20, 6)).astype(float)
    model = FeatureAgglomeration(2).fit(X)
    dense, sparse = (
        DendrogramDisplay.from_estimator(model, data, leaf_order="similarity")
        for data in (X, kind(X))
    )
    assert_allclose(sparse.affinity, dense.affinity)
    assert_array_equal(sparse.layout_.tips, dense.layout_.tips)


def test_from_l2h_clustering_takes_names_and_level():
    X, y = make_blobs(60, centers=6, random_state=0)
    model = L2HClustering(LogisticRegression(max_iter=1000), n_clusters=2).fit(
        X, np.array(list("fedcba"))[y]
    )
    display = DendrogramDisplay.from_estimator(model, X, leaf_order="similarity")
    assert display.tree is model.tree_
    assert sorted(text.get_text() for text in display.texts_) == list("abcdef")
    assert len(display.legend_.get_texts()) == 2
    named = DendrogramDisplay.from_estimator(model, names=list("uvwxyz"), level=None)
    assert sorted(text.get_text() for text in named.texts_) == list("uvwxyz")
    assert named.legend_ is None


@pytest.mark.parametrize("method", ["single", "centroid"])
def test_from_linkage(method):
    """Heights are those of SciPy, where merges are lower than what they join as well."""
    X = np.random.default_rng(1).random((12, 2))
    Z = linkage(X, method)
    display = DendrogramDisplay.from_linkage(
        Z, names=list("abcdefghijkl"), counts=[2] * 12, heights="score", max_leaves=5
    )
    assert leaf_sets(display) == merges_of(MergeTree(Z[:, :2]), 12)
    assert_array_equal(display.tree.scores, Z[:, 2])


@pytest.mark.parametrize(
    ("estimator", "error", "message"),
    [
        (KMeans(2, random_state=0).fit(np.eye(4)), TypeError, "KMeans has no tree"),
        (AgglomerativeClustering(), NotFittedError, "not fitted"),
        (L2HClustering("precomputed"), NotFittedError, "not fitted"),
        (MergeTree([(0, 1)]), TypeError, "A fitted estimator is needed"),
        (
            AgglomerativeClustering(3, connectivity=np.ones((6, 6)), compute_full_tree=False).fit(
                np.arange(12.0).reshape(6, 2)
            ),
            ValueError,
            "is not whole: 3 merges of 6 leaves. Fit it with compute_full_tree=True",
        ),
    ],
)
def test_estimators_without_a_whole_tree_are_refused(estimator, error, message):
    with pytest.raises(error, match=message):
        DendrogramDisplay.from_estimator(estimator)


def test_from_tree_wants_a_tree():
    with pytest.raises(TypeError, match="DendrogramDisplay needs a MergeTree, got 3"):
        DendrogramDisplay.from_tree(3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layout": "round"}, "layout must be .*, got 'round'"),
        ({"orientation": "up"}, "orientation must be .*, got 'up'"),
        ({"heights": "depth"}, "heights must be 'auto', 'rank' or 'score', got 'depth'"),
        ({"heights": "score"}, "This tree has no scores"),
        ({"leaf_order": "best"}, "leaf_order, unless it is an array, must be .*, got 'best'"),
        ({"leaf_order": [0, 1, 2]}, "In this leaf_order branches cross: the leaves of node 3"),
        ({"leaf_order": [0, 1]}, "leaf_order must hold each of the leaves 0 to 2 once"),
        ({"leaf_order": [0, 0, 1]}, "leaf_order must hold each of the leaves 0 to 2 once"),
        ({"leaf_order": "similarity"}, "needs to know how alike the leaves are"),
        ({"leaf_order": "similarity", "affinity": np.eye(2)}, r"shape \(3, 3\), got \(2, 2\)"),
        (
            {"leaf_order": "similarity", "affinity": np.full((3, 3), np.nan)},
            "affinity holds NaN or infinity",
        ),
        ({"max_leaves": 0}, "max_leaves must be at least 1, got 0"),
        ({"max_leaves": "all"}, "max_leaves must be an integer, None or 'auto', got 'all'"),
        ({"level": 4}, "There is no level 4"),
        ({"leaf_classes": "ab"}, r"leaf_classes must have the shape \(3,\)"),
        ({"highlight": 9}, "There is no node 9"),
        ({"highlight": "zebra"}, "highlight names 'zebra', but no leaf has this name"),
        ({"show_counts": True}, "This tree has no counts to show"),
        ({"node_labels": "scores"}, "node_labels, if it is a text, must be"),
        ({"node_labels": "support"}, "This tree has no support: bootstrap_support gives"),
        ({"node_labels": {1: "leaf"}}, "node_labels names 1, but the merges are 3 to 4"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)  # fmt: skip
def test_bad_arguments_are_refused_before_anything_is_drawn(arguments, message):
    tree = MergeTree([(0, 2), (1, 3)])
    with pytest.raises(ValueError, match=message):
        DendrogramDisplay.from_tree(tree, **arguments)
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    "display",
    [
        DendrogramDisplay(MergeTree([(0, 1)])),
        ProfileMatrixDisplay(MergeTree([(0, 1)]), np.zeros((2, 2))),
    ],
    ids=lambda display: type(display).__name__,
)
def test_without_matplotlib_the_error_names_the_extra(display, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r'needs matplotlib: pip install "skl2h\[plot\]"'):
        display.plot()


def test_importing_the_package_does_not_import_matplotlib():
    code = "import sys, skl2h; sys.exit('matplotlib' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("layout", ["rectangular", "radial", "icicle"])
def test_scores_below_zero_stand_between_floor_and_top(layout):
    """As for the logarithms of probabilities: the leaves stand below the lowest merge."""
    tree = MergeTree([(0, 1), (4, 2), (5, 3)], scores=[-20.0, -15.0, -12.0])
    shown = DendrogramDisplay.from_tree(tree, layout=layout, heights="score").layout_
    assert shown.top == -12
    assert shown.height[:4].max() < -20
    assert_array_equal(shown.height[4:], tree.scores)


def test_an_icicle_of_falling_scores_is_refused():
    tree = MergeTree([(0, 1), (3, 2)], scores=[2.0, 1.0])
    DendrogramDisplay.from_tree(tree, heights="score")
    with pytest.raises(ValueError, match="Some scores are smaller than those of merges below"):
        DendrogramDisplay.from_tree(tree, heights="score", layout="icicle")


@pytest.mark.parametrize("score", [1e-300, 1.0, -3.0, 1e100])
def test_scores_that_fall_by_rounding_make_an_icicle(score):
    """As those of equally good merges can, and averages of equal distances."""
    tree = MergeTree([(0, 1), (3, 2)], scores=[score, np.nextafter(score, -np.inf)])
    display = DendrogramDisplay.from_tree(tree, heights="score", layout="icicle")
    display.figure_.draw_without_rendering()


def test_names_never_reach_tex():
    """Not even where matplotlib is told to give all text to it."""
    tree = MergeTree([(0, 1), (3, 2)], names=["$x", "a_b", "\\input{c}"])
    display = DendrogramDisplay.from_tree(tree, level=2, node_labels={3: "%"})
    texts = [*display.texts_, *display.node_texts_, *display.legend_.get_texts()]
    assert len(texts) == 6
    for text in texts:
        assert not text.get_usetex()
        assert not text.get_parse_math()


def test_leaves_are_compared_only_to_be_ordered_by_it():
    X = make_blobs(30, random_state=0)[0]
    model = AgglomerativeClustering().fit(X)
    assert DendrogramDisplay.from_estimator(model, X).affinity is None
    display = DendrogramDisplay.from_estimator(model, X, leaf_order="similarity")
    assert display.affinity.shape == (30, 30)


@pytest.mark.parametrize("name", ["\u05e9\u05dc\u05d5\u05dd", "\u0633\u0644\u0627\u0645 2", "abc"])
def test_names_from_right_to_left_leave_counts_in_their_order(name):
    """By the rules of Unicode, a mark ends what is turned round."""
    tree = MergeTree([(0, 1)], names=[name, "b"], counts=[85, 7])
    display = DendrogramDisplay.from_tree(tree, level=2, show_counts=True)
    mark = "" if name == "abc" else "\u200e"
    assert display.texts_[0].get_text() == f"{mark}{name}{mark} (85 rows)"
    assert display.texts_[1].get_text() == "b (7 rows)"
    assert display.legend_.get_texts()[0].get_text() == f"0: {mark}{name}{mark}"
    assert DendrogramDisplay.from_tree(tree).texts_[0].get_text() == name
