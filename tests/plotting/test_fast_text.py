"""Laws of the labels of leaves: where and how large they are, and that they are drawn fast."""

import io
import warnings

import numpy as np
import pytest
from helpers.trees import random_tree
from numpy.testing import assert_allclose

from skl2h import DendrogramDisplay, MergeTree

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402 (after the backend is chosen)
from matplotlib.backends.backend_agg import RendererAgg  # noqa: E402
from matplotlib.path import Path  # noqa: E402
from matplotlib.text import Text  # noqa: E402
from matplotlib.textpath import text_to_path  # noqa: E402

from skl2h.plotting.fast_text import Label, text_widths  # noqa: E402


def ink(kind, text, **style):
    """First and last row and column that a text blackens, and the text."""
    figure = plt.figure(figsize=(4, 4), dpi=400)
    style = {"va": "center_baseline", "rotation_mode": "anchor", "fontsize": 12} | style
    drawn = figure.add_artist(kind(0.5, 0.5, text, transform=figure.transFigure, **style))
    drawn.set_clip_on(False)
    figure.canvas.draw()
    rows, columns = np.nonzero(np.asarray(figure.canvas.buffer_rgba())[..., 0] < 128)
    return np.array([rows.min(), rows.max(), columns.min(), columns.max()]), drawn


@pytest.mark.parametrize("rotation", [0, 30, 90, 200, 300])
@pytest.mark.parametrize("ha", ["left", "center", "right"])
def test_a_label_is_drawn_where_a_text_is(rotation, ha):
    """Some pixels apart, by which matplotlib moves characters to meet them."""
    name = "a rather long Name, é_10"
    label, artist = ink(Label, name, rotation=rotation, ha=ha)
    text, _ = ink(Text, name, rotation=rotation, ha=ha)
    assert_allclose(label, text, atol=10)
    box = artist.get_window_extent()
    rows, columns = 1600 - label[1::-1], label[2:]
    assert box.x0 - 1 <= columns[0] <= columns[1] <= box.x1 + 1
    assert box.y0 - 1 <= rows[0] <= rows[1] <= box.y1 + 1


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("שלום", {}),
        ("e\u0301", {}),
        ("two\nlines", {}),
        ("name", {"va": "top"}),
        ("name", {"bbox": {"facecolor": "yellow"}}),
        ("name", {"rotation_mode": "default", "rotation": 45}),
    ],
    ids=str,
)
def test_a_label_of_any_other_style_is_a_text(text, style):
    label, artist = ink(Label, text, **style)
    plain, other = ink(Text, text, **style)
    assert (label == plain).all()
    assert artist.get_window_extent().bounds == other.get_window_extent().bounds


@pytest.mark.parametrize("texts", [["a", "wide name", "", "…"], ["i" * 60], ["a b  c "]])
@pytest.mark.parametrize("style", [{}, {"fontfamily": "monospace", "fontweight": "bold"}])
def test_widths_are_those_of_the_font(texts, style):
    from matplotlib.textpath import TextPath

    widths = text_widths(texts, style)
    font = Text(**style).get_fontproperties()
    for text, width in zip(texts, widths):
        # A mark at the end, so that spaces have a width.
        ends = [
            TextPath((0, 0), more, size=1, prop=font).get_extents().x1 for more in (text + "|", "|")
        ]
        assert_allclose(width, ends[0] - ends[1], atol=0.06 * len(text))


def test_labels_are_drawn_without_an_image_of_each_character(monkeypatch):
    """That took seconds for 1,000; in files of vectors they are texts still."""
    names = [f"a name of 36 characters, the {leaf:7d}" for leaf in range(250)]
    tree = random_tree(250, 0).with_names(names)
    display = DendrogramDisplay.from_tree(tree, layout="radial")
    assert len(display.texts_) == 250
    with plt.rc_context({"svg.fonttype": "none"}):
        file = io.StringIO()
        display.figure_.savefig(file, format="svg")
    assert all(name in file.getvalue() for name in names)

    def refuse(*_):
        raise AssertionError

    monkeypatch.setattr(RendererAgg, "draw_text", refuse)
    display.figure_.canvas.draw()
    black = (np.asarray(display.figure_.canvas.buffer_rgba())[..., :3] < 100).all(axis=2)
    for text in display.texts_[::25]:
        box = text.get_window_extent()
        rows = slice(*sorted(black.shape[0] - np.array([box.y0, box.y1]).astype(int)))
        assert black[rows, int(box.x0) : int(box.x1)].any()


def test_outlines_are_made_once_for_each_character(monkeypatch):
    """And not for each name: a loop over their curves took 5 to 30 seconds for 1,000 leaves."""
    made = []
    make, size = text_to_path.get_text_path, text_to_path.get_text_width_height_descent

    def path_made(font, text, *args, **kwargs):
        made.append(text)
        return make(font, text, *args, **kwargs)

    def size_taken(text, *args, **kwargs):
        made.append(text)
        return size(text, *args, **kwargs)

    def refuse(*_, **__):
        raise AssertionError

    names = [f"{leaf:07d}" for leaf in range(300)]
    tree = random_tree(300, 0).with_names(names)
    # In a font whose characters no other test has made.
    style = {"fontfamily": "DejaVu Serif", "fontweight": "bold", "fontstyle": "italic"}
    display = DendrogramDisplay.from_tree(tree, layout="radial")
    monkeypatch.setattr(text_to_path, "get_text_path", path_made)
    monkeypatch.setattr(text_to_path, "get_text_width_height_descent", size_taken)
    widths = text_widths(names, style)
    assert (widths > 0).all()
    monkeypatch.setattr(Path, "get_extents", refuse)
    renderer = display.figure_.canvas.get_renderer()
    for text in display.texts_:
        text.set(**style)
        text.draw(renderer)
        box = text.get_window_extent()
        assert box.width > 0
        assert box.height > 0
    # For each of ten digits its outline and its width, and the height of a line and its ends.
    assert 10 < len(made) <= 2 * 10 + 2


@pytest.mark.parametrize("length", [1, 6, 12])
def test_1000_labels_around_a_tree_can_be_read(length):
    """On a page of its own, with a legend beside it."""
    names = [f"{leaf:03d}".rjust(length, "w")[:length] for leaf in range(1000)]
    tree = random_tree(1000, 0).with_names(names)
    display = DendrogramDisplay.from_tree(tree, layout="radial", level=20)
    assert display.texts_[0].get_fontsize() >= 5
    assert display.figure_.get_figheight() <= 16.54  # A2


@pytest.mark.parametrize("layout", ["radial", "rectangular"])
def test_a_few_long_names_do_not_make_all_labels_small(layout):
    names = [f"name {leaf}" for leaf in range(160)]
    sizes = []
    for long in ("name 7", "x" * 59):
        names[7] = long
        tree = random_tree(160, 0).with_names(names)
        ax = plt.subplots(figsize=(8, 10))[1]
        display = DendrogramDisplay.from_tree(tree, ax=ax, layout=layout)
        sizes.append(display.texts_[0].get_fontsize())
        told = {text.get_text() for text in display.texts_}
        assert len(told) == 160
        assert (long in told) == (long == "name 7")
    assert sizes[1] > 0.8 * sizes[0]
    # Where there is room for them, names are whole.
    display = DendrogramDisplay.from_tree(tree.with_names(names), layout="icicle", max_leaves=10)
    assert not any("…" in text.get_text() for text in display.texts_)


def test_names_lose_their_middle_only_where_room_is_short():
    """So that names which differ at their ends are told apart."""
    names = ["x" * 59 + str(leaf) for leaf in range(40)]
    tree = random_tree(40, 0).with_names(names)
    large, small = plt.subplots(figsize=(20, 10))[1], plt.subplots(figsize=(4, 4))[1]
    for ax in (large, small):
        display = DendrogramDisplay.from_tree(tree, ax=ax)
        told = [text.get_text() for text in display.texts_]
        assert len(set(told)) == 40
        assert (set(told) == set(names)) == (ax is large)


@pytest.mark.parametrize("layout", ["radial", "rectangular"])
def test_counts_are_never_cut(layout):
    names = [f"{leaf}" if leaf % 20 else "long " * 30 + str(leaf) for leaf in range(200)]
    counts = np.arange(200) + 123_456
    plain = random_tree(200, 0)
    tree = MergeTree(plain.children, names=names, counts=counts)
    ax = plt.subplots(figsize=(8, 10))[1]
    display = DendrogramDisplay.from_tree(tree, ax=ax, layout=layout, show_counts=True)
    told = [text.get_text() for text in display.texts_]
    assert sum("…" in text for text in told) == 10
    for leaf, text in zip(display.layout_.tips, told):
        assert text.endswith(f" ({counts[leaf]:,} rows)")


def test_labels_too_small_to_read_are_left_out_with_a_warning():
    tree = random_tree(1000, 0)
    ax = plt.subplots(figsize=(3, 3))[1]
    with pytest.warns(UserWarning, match=r"1,000 leaves would be too small.* larger axes.*text_kw"):
        display = DendrogramDisplay.from_tree(tree, ax=ax, layout="radial")
    assert not display.texts_
    display.plot(ax, layout="radial", text_kw={"fontsize": 1})
    assert len(display.texts_) == 1000
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        display.plot(ax, layout="radial", show_labels=False)


def test_1000_leaves_on_a4_have_labels():
    """Of names that are longer than there is room for, too."""
    tree = random_tree(1000, 0).with_names(
        [f"a name of some length {leaf}" for leaf in range(1000)]
    )
    ax = plt.subplots(figsize=(8.27, 11.69), layout="constrained")[1]
    display = DendrogramDisplay.from_tree(tree, ax=ax, layout="radial", level=12)
    assert len({text.get_text() for text in display.texts_}) == 1000
