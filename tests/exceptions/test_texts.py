"""Errors quote values from outside in short, on one line."""

import ast
from collections import deque
from pathlib import Path

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skl2h
from skl2h import (
    TEMI,
    DendrogramDisplay,
    L2HClustering,
    MergeTree,
    bootstrap_support,
    l2h_tree,
    suggest_levels,
    surprises,
)
from skl2h.datasets import make_hierarchical_logits
from skl2h.exceptions.texts import MOST_OF_VALUE, shown, shown_text
from skl2h.export import export_json, export_newick, export_text
from skl2h.metrics import make_tree_scorer, triplet_accuracy

pytest.importorskip("matplotlib").use("Agg")

SHORT = [
    "cat",
    "it's",
    "",
    "\n\x1b\ufeff\ud800",
    3,
    -2.5,
    None,
    True,
    (1, 2),
    ["a"],
    {"a": 1},
    b"x",
]
X = np.random.default_rng(0).normal(size=(20, 3))
TREE = MergeTree([(0, 1), (2, 3)], scores=[1, 2], names=["n" * 10**6, "b", "c"])
LONG = "x" * 10**6
HUGE = -(10**5000)  # Python refuses to write it out


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


class Mute:
    def __repr__(self):
        raise RuntimeError


@pytest.mark.parametrize("value", SHORT, ids=repr)
def test_a_short_value_is_shown_as_python_writes_it(value):
    assert shown(value) == repr(value)


@pytest.mark.parametrize(
    "value",
    [
        LONG, [LONG] * 1000, {LONG: LONG}, HUGE, [HUGE], nested(10**5), deque([nested(10**5)]),
        np.zeros((1000, 1000)), np.array([LONG, "a"]), b"x" * 10**6,
        make_pipeline(*(StandardScaler() for _ in range(30))), Mute(), range(10**9), "\n" * 10**6,
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_a_long_value_is_cut_and_on_one_line(value):
    text = shown(value)
    assert 0 < len(text) <= MOST_OF_VALUE
    assert "\n" not in text


def test_texts_are_cut_and_on_one_line():
    assert shown_text("logits.npy") == "logits.npy"
    assert shown_text("logits\n.npy") == r"'logits\n.npy'"
    assert shown_text(ValueError("one\n  two")) == "one two"
    assert len(shown_text(LONG)) == len(shown_text(ValueError(LONG))) == 200


def test_both_ends_are_shown():
    text = shown("a" * 1000 + "z" * 1000)
    assert text.startswith("'aaa")
    assert text.endswith("zzz'")
    assert "a…z" in text


CALLS = {
    "level of a tree": lambda: TREE.cut(HUGE),
    "levels": lambda: export_json(TREE, levels=LONG),
    "heights of a linkage": lambda: TREE.to_linkage(LONG),
    "score to cut at": lambda: TREE.cut(score=np.full((99, 99), np.nan)),
    "name of a leaf": lambda: TREE.node_names({0: "a"}),
    "node": lambda: TREE.members(LONG),
    "names": lambda: l2h_tree(X).with_names(HUGE),
    "attribute": lambda: setattr(TREE, LONG, 1),
    "heights in Newick": lambda: export_newick(TREE, heights=LONG),
    "labels in Newick": lambda: export_newick(TREE, node_labels=LONG),
    "decimals": lambda: export_text(TREE, decimals=HUGE),
    "no tree": lambda: export_text(LONG),
    "aggregation": lambda: l2h_tree(X, aggregation=LONG),
    "temperature": lambda: L2HClustering(KMeans(3), temperature=LONG).fit(X),
    "number of groups": lambda: L2HClustering(KMeans(3), n_clusters=HUGE).fit(X),
    "groups by a word": lambda: L2HClustering(KMeans(3), n_clusters=LONG).fit(X),
    "response": lambda: L2HClustering(KMeans(3), response_method=LONG).fit(X),
    "no response": lambda: L2HClustering(KMeans(3), response_method=[LONG]).fit(X),
    "inner model": lambda: L2HClustering(LONG).fit(X),
    "argument of fit": lambda: L2HClustering("precomputed").fit(X, **{LONG: 1}),
    "level of probabilities": lambda: (
        L2HClustering(KMeans(3, n_init=1)).fit(X).predict_proba(X, level=[1] * 1000)
    ),
    "flag": lambda: suggest_levels(TREE, LONG),
    "count": lambda: bootstrap_support(X, n_samples=HUGE),
    "sizes of layers": lambda: TEMI(3, hidden_layer_sizes=LONG).fit(X),
    "sizes of data": lambda: make_hierarchical_logits(n_leaves=HUGE),
    "reference": lambda: triplet_accuracy(TREE, MergeTree(TREE.children, names="xyz")),
    "evidence": lambda: surprises(TREE, TREE, evidence=LONG),
    "function to score by": lambda: make_tree_scorer(LONG),
    "layout": lambda: DendrogramDisplay(TREE).plot(layout=LONG),
    "flag of a picture": lambda: DendrogramDisplay(TREE).plot(show_labels=LONG),
    "node of a picture": lambda: DendrogramDisplay(TREE).plot(node_labels={HUGE: "a"}),
    "highlight": lambda: DendrogramDisplay(TREE).plot(highlight=LONG),
    "order": lambda: DendrogramDisplay(TREE).plot(leaf_order=LONG),
    "style": lambda: DendrogramDisplay(TREE).plot(text_kw=LONG),
    "value of a style": lambda: DendrogramDisplay(TREE).plot(text_kw={"color": LONG}),
    "no display": lambda: DendrogramDisplay(LONG).plot(),
    "files": lambda: l2h_tree(LONG),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_errors_repeat_little(name):
    with pytest.raises((AttributeError, TypeError, ValueError)) as error:
        CALLS[name]()
    assert len(str(error.value)) <= 350
    assert "digits" not in str(error.value)


def test_no_error_repeats_a_value_as_it_is():
    """A raise or warn uses `shown`, and not `!r`."""
    found = []
    for path in Path(skl2h.__file__).parent.rglob("*.py"):
        for statement in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = isinstance(statement, ast.Call) and getattr(statement.func, "id", "")
            if isinstance(statement, ast.Raise) or called in ("warn", "_fail"):
                found += [
                    f"{path.name}:{piece.lineno}"
                    for piece in ast.walk(statement)
                    if isinstance(piece, ast.FormattedValue) and piece.conversion == ord("r")
                ]
    assert found == []
