"""The page and the notebook picture hold the tree, and no name can inject markup."""

import base64
import hashlib
import os
import re
import subprocess
import sys
from importlib.resources import files
from xml.etree import ElementTree

import numpy as np
import pytest
import sklearn
from helpers.orders import TREES, for_every
from helpers.pages import EVIL, Page
from helpers.trees import balanced, chain, with_rows
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skl2h import L2HClustering, MergeTree
from skl2h.datasets import make_hierarchical_logits
from skl2h.export import export_html, export_text

NOT_TEXT = re.compile("[\x00\x1b\x85\ud800\ufdd0\ufffe\uffff\U0010ffff]")
MERGES = [(i, i + 1) if i == 0 else (len(EVIL) + i - 1, i + 1) for i in range(len(EVIL) - 1)]
TREE = MergeTree(MERGES, scores=np.arange(15) / 7, names=EVIL, counts=range(16))
PLAIN = TREE.with_names(None)
MODEL = L2HClustering(KMeans(6, random_state=0, n_init=1), n_clusters=4)
POINTS = np.random.default_rng(0).normal(size=(60, 2))


@pytest.mark.parametrize("tree", [TREE, PLAIN, MergeTree([]), MergeTree([(1, 0)])], ids=repr)
def test_the_page_holds_the_tree(tree):
    data = Page(export_html(tree)).data()
    children = np.reshape(data["children"], (-1, 2)).astype(int)
    read = MergeTree(children, scores=data["scores"], names=data["names"], counts=data["counts"])
    assert read == tree
    assert len(data["colors"]) == 6 * tree.n_leaves


def test_names_change_no_markup():
    """Whatever the names, the tags of the page are the same ones."""
    evil, plain = Page(export_html(TREE, title="t")), Page(export_html(PLAIN, title="t"))
    assert evil.tags == plain.tags
    assert evil.text("style") == plain.text("style")


@pytest.mark.parametrize("title", EVIL)
def test_a_title_is_text(title):
    page = Page(export_html(PLAIN, title=title))
    assert page.tags == Page(export_html(PLAIN, title="t")).tags
    assert page.text("h1") == page.text("title") == NOT_TEXT.sub("\ufffd", title)


@pytest.mark.parametrize(
    ("n_leaves", "title"), [(1, "Tree of 1 leaf"), (2, "Tree of 2 leaves"), (1234, "of 1,234 lea")]
)
def test_title_of_its_own(n_leaves, title):
    assert title in Page(export_html(with_rows(balanced, n_leaves))).text("title")


@pytest.mark.parametrize("text", [export_html(TREE, title="\u4e2d"), TREE._repr_html_()])
def test_the_text_is_ascii(text):
    """So it can be written in any encoding."""
    assert text.isascii()


def test_the_same_tree_gives_the_same_text():
    again = MergeTree(MERGES, scores=np.arange(15) / 7, names=EVIL, counts=range(16))
    assert export_html(again) == export_html(TREE)
    assert again._repr_html_() == TREE._repr_html_()


def test_the_policy_allows_these_scripts_and_styles_and_no_more():
    page = Page(export_html(TREE))
    policy = next(
        attrs["content"]
        for tag, attrs in page.tags
        if attrs.get("http-equiv") == "Content-Security-Policy"
    )
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules.pop("default-src") == "'none'"
    scripts = [
        text
        for (tag, attrs), text in zip(page.tags, page.texts)
        if tag == "script" and "type" not in attrs
    ]
    assert rules.pop("script-src") == " ".join(map(sha256, scripts))
    assert rules.pop("style-src") == sha256(page.text("style"))
    assert rules == {"img-src": "data:", "base-uri": "'none'", "form-action": "'none'"}
    # The content security policy refuses these.
    assert not [attrs for _, attrs in page.tags for name in attrs if re.match("on|style", name)]


def sha256(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_nothing_is_asked_of_a_network():
    text = export_html(PLAIN)
    links = [value for _, attrs in Page(text).tags for key, value in attrs.items() if key in LINKS]
    assert links == ["data:,"]
    assert not re.search(r"https?:|url\(|@import|fetch\(|XMLHttpRequest|sendBeacon|import\(", text)


LINKS = ("src", "href", "action", "data", "poster", "srcset", "formaction", "background")


def test_every_file_is_in_the_page_once():
    page = export_html(PLAIN)
    parts = [
        file.read_text(encoding="utf-8")
        for file in files("skl2h.export").joinpath("page").iterdir()
    ]
    assert len(parts) > 5
    for text in parts:
        begin, *_ = re.split(r"\$\w+", text)  # page.html surrounds the others
        assert page.count(begin.strip()) == 1


def test_the_script_makes_no_markup_of_text():
    script = Page(export_html(PLAIN)).texts[-1]
    forbidden = "innerHTML|outerHTML|insertAdjacent|document.write|eval|Function|DOMParser"
    assert not re.search(rf"\b({forbidden}|createContextualFragment)\b", script)


@pytest.mark.parametrize("n_leaves", [1, 2, 10, 11])
def test_level_at_first(n_leaves):
    chain = MergeTree(
        [(0, 1)] * (n_leaves > 1) + [(n_leaves + i, i + 2) for i in range(n_leaves - 2)]
    )
    assert Page(export_html(chain)).data()["level"] == min(n_leaves, 10)
    assert Page(export_html(chain, level=np.int64(1))).data()["level"] == 1


def test_level_of_an_estimator():
    model = MODEL.fit(POINTS)
    assert Page(export_html(model)).data()["level"] == 4
    assert Page(export_html(model, level=5)).data()["level"] == 5
    assert export_html(model, level=6) == export_html(model.tree_, level=6)
    pipeline = make_pipeline(StandardScaler(), L2HClustering(KMeans(6), n_clusters=3)).fit(POINTS)
    assert Page(export_html(pipeline)).data()["level"] == 3
    assert export_html(L2HClustering(KMeans(6, random_state=0)).fit(POINTS).tree_)


@pytest.mark.parametrize("level", [0, 17, -1])
def test_no_such_level(level):
    with pytest.raises(ValueError, match=f"There is no level {level}"):
        export_html(TREE, level=level)


@pytest.mark.parametrize("level", [2.0, [2], "2", True], ids=repr)
def test_a_level_is_one_integer(level):
    with pytest.raises(TypeError, match="level must be an integer"):
        export_html(TREE, level=level)


def test_what_is_no_tree_is_refused():
    with pytest.raises(TypeError, match="A MergeTree or a fitted estimator is needed"):
        export_html([(0, 1)])
    with pytest.raises(NotFittedError, match="not fitted yet"):
        export_html(L2HClustering(KMeans(3)))


def test_1000_leaves_are_under_150_kB():
    _, _, planted = make_hierarchical_logits(1, 1000, random_state=0)
    tree = MergeTree(
        planted.children,
        scores=np.random.default_rng(0).random(999),  # with all digits of a float
        names=[f"a cluster of name {i}" for i in range(1000)],
        counts=np.random.default_rng(0).random(1000),
    )
    assert len(export_html(tree)) < 150_000


@pytest.mark.parametrize("make", [balanced, chain])
def test_20_000_leaves(make):
    """No recursion, and nothing that grows faster than the leaves."""
    tree = with_rows(make, 20_000)
    page = export_html(tree)
    assert "n19999" in page
    assert len(page) < 20_000 * 100
    assert len(labels(tree._repr_html_())) == 24


# ---- The picture in a notebook --------------------------------------------------------------


def svg(html):
    return ElementTree.fromstring(re.search("<svg.*</svg>", html, re.S)[0])


def tagged(element, tag):
    return element.iter(f"{{http://www.w3.org/2000/svg}}{tag}")


def labels(html):
    """Text of each line of the picture, from top to bottom, with its height."""
    texts = [("".join(text.itertext()), float(text.get("y"))) for text in tagged(svg(html), "text")]
    return sorted(texts, key=lambda text: text[1])


def points(path):
    """Start and end of a path."""
    x, y, across, end = map(float, re.fullmatch(r"M(\S+) (\S+)V(\S+)H(\S+)", path).groups())
    return (x, y), (end, across)


@for_every(TREES)
def test_the_picture_is_the_tree(merges):
    """The lines, followed from the labels to the root, are the merges."""
    html = MergeTree(merges, names=["n0", "n1", "n2", "n3", "n4"])._repr_html_()
    lines = [points(path.get("d")) for path in tagged(svg(html), "path")]
    assert len(lines) == 8
    node_at = {}
    for name, y in labels(html):
        ends = [end for _, end in lines if end[1] == y - 4]
        assert len(ends) == 1  # one line, and only one, ends beside the label
        node_at[ends[0]] = int(name[1:])
    joints = sorted({begin for begin, _ in lines}, reverse=True)
    node_at |= {place: 5 + t for t, place in enumerate(joints)}
    drawn = [{node_at[end] for begin, end in lines if begin == joint} for joint in joints]
    assert drawn == [set(pair) for pair in merges]


def test_lines_of_the_picture_have_the_colours_of_their_groups():
    html = MergeTree([(0, 1), (2, 3), (4, 5)])._repr_html_()
    assert len({circle.get("fill") for circle in tagged(svg(html), "circle")}) == 4
    model = L2HClustering("precomputed", n_clusters=2)
    model.fit([[3, 2, 0, 0], [2, 3, 0, 0], [0, 0, 4, 2], [0, 0, 2, 4]])
    fills = [circle.get("fill") for circle in tagged(svg(model._repr_html_()), "circle")]
    assert fills == [fills[0]] * 2 + [fills[2]] * 2
    assert fills[0] != fills[2]


@pytest.mark.parametrize("make", [balanced, chain])
def test_a_large_picture_says_what_it_holds_back(make):
    tree = with_rows(make, 1000)
    texts = [text for text, _ in labels(tree._repr_html_())]
    assert len(texts) == 24
    sizes = [int(match[1]) if (match := re.match(r"(\d+) leaves", text)) else 1 for text in texts]
    assert sum(sizes) == 1000
    counts = [int(re.search(r"\(([\d,]+)\)", text)[1].replace(",", "")) for text in texts]
    assert sum(counts) == sum(range(1000))


@pytest.mark.parametrize("html", [TREE._repr_html_(), MODEL.fit(POINTS).tree_._repr_html_()])
def test_pictures_do_not_meddle_with_each_other(html):
    tags = Page(html).tags
    assert {tag for tag, _ in tags} <= {
        "div",
        "svg",
        "g",
        "path",
        "circle",
        "polygon",
        "text",
        "tspan",
    }
    assert not [attrs for _, attrs in tags if {"id", "class", "href", "onload"} & set(attrs)]


def test_a_picture_shows_names_as_the_text_does():
    shown = [line.lstrip("|`- ") for line in export_text(TREE).split("\n")]
    shown = [re.sub(r" \((\d+) rows?\)$", r" (\1)", line) for line in shown if "score" not in line]
    assert [unmarked(text) for text, _ in labels(TREE._repr_html_())] == shown
    blank = MergeTree([(0, 1)], names=["", "\u200b "])._repr_html_()
    assert [text for text, _ in labels(blank)] == ["''", r"'\u200b '"]


def unmarked(text):
    """Text without the marks that isolate a name's direction."""
    return text.replace("\u2068", "").replace("\u2069", "")


def test_counts_stand_after_names_of_either_direction():
    """The mark that ends the direction of a name is before the count, for names of any length."""
    names = ["\u05e9\u05dc\u05d5\u05dd", "\u05d0" * 99, "abc"]
    html = MergeTree([(0, 1), (2, 3)], names=names, counts=[1, 2, 3])._repr_html_()
    found = {text[-3:]: text for text, _ in labels(html)}
    assert found["(1)"] == f"\u2068{names[0]}\u2069 (1)"
    assert found["(2)"] == "\u2068" + "\u05d0" * 63 + "\u2026\u2069 (2)"
    assert found["(3)"] == "abc (3)"


def test_wide_letters_take_the_place_of_two():
    html = MergeTree([(0, 1)], names=["\u4e2d" * 32, "\u4e2d" * 33])._repr_html_()
    assert [unmarked(text) for text, _ in labels(html)] == ["\u4e2d" * 32, "\u4e2d" * 31 + "\u2026"]


def test_long_names_are_shortened_in_a_picture():
    text = labels(MergeTree([(0, 1)], names=["x" * 500, "y"])._repr_html_())[0][0]
    assert unmarked(text) == "x" * 63 + "\u2026"


def test_one_leaf_is_a_picture():
    assert [text for text, _ in labels(MergeTree([], names=["<all>"])._repr_html_())] == ["<all>"]


def diagram():
    """The start of scikit-learn's diagram, or of its replacement if it cannot be made."""
    try:
        KMeans()._repr_html_()
    except UnicodeDecodeError:  # the locale is C, and UTF-8 mode is off
        return "<pre>"
    return "sk-top-container"


class TestEstimator:
    """scikit-learn's diagram stays, and the tree is below it."""

    def test_fitted(self):
        model = L2HClustering(KMeans(6, random_state=0), n_clusters=4).fit(POINTS)
        for html in (model._repr_html_(), model._repr_mimebundle_()["text/html"]):
            assert diagram() in html
            assert html.endswith(MODEL.fit(POINTS)._picture())
            assert "coloured by its 4 groups" in html
            assert html.index(diagram()) < html.index("<svg")
            assert html.count("<svg") == 1
        assert model._repr_mimebundle_()["text/plain"] == repr(model)

    def test_not_fitted(self):
        model = L2HClustering(KMeans(6))
        html = model._repr_html_()
        assert diagram() in html
        assert "<svg" not in html
        assert "<svg" not in model._repr_mimebundle_()["text/html"]

    @pytest.mark.parametrize("model", [MODEL.fit(POINTS), L2HClustering(KMeans(2))], ids=repr)
    def test_display_as_text(self, model):
        with sklearn.config_context(display="text"):
            assert not hasattr(model, "_repr_html_")
            assert set(model._repr_mimebundle_()) == {"text/plain"}
            assert not hasattr(BaseEstimator(), "_repr_html_")

    def test_in_an_encoding_of_ascii_the_picture_is_shown(self):
        """In such an encoding, scikit-learn cannot read the script of its diagram."""
        program = (
            "import numpy as np\n"
            "from skl2h import L2HClustering\n"
            "model = L2HClustering('precomputed').fit(np.eye(4) + [[0, 1, 2, 3]])\n"
            "for html in (model._repr_html_(), model._repr_mimebundle_()['text/html']):\n"
            "    print(html.count('<svg'), html.count('L2HClustering') > 0)\n"
        )
        ascii_alone = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | ascii_alone,
            capture_output=True,
            text=True,
        )
        assert done.stderr == ""
        assert done.stdout.splitlines() == ["1 True"] * 2
