"""Flags, counts, choices and numbers: public functions refuse wrong values in our own words."""

import inspect
import re
import warnings
from fractions import Fraction

import numpy as np
import pytest
from helpers.public import PUBLIC
from sklearn.exceptions import ConvergenceWarning

import skl2h
from skl2h import (
    TEMI,
    TURTLE,
    DendrogramDisplay,
    L2HClustering,
    MergeTree,
    ProfileMatrixDisplay,
    datasets,
    export,
    metrics,
)
from skl2h.exceptions.texts import shown
from skl2h.tree.leaf_order import order_leaves
from skl2h.tree.palette import group_colors

LOGITS = np.random.default_rng(0).normal(size=(40, 4))
CLASSES = [0, 0, 1, 1]
MODEL = L2HClustering("precomputed").fit(LOGITS)
TREE = MODEL.tree_
EVIDENCE = skl2h.merge_evidence(MODEL, LOGITS)


def drawn(make):
    """Call a function that makes a display, and close its figures."""

    def draw(**arguments):
        pytest.importorskip("matplotlib").use("Agg")
        from matplotlib import pyplot

        try:
            return make(**arguments)
        finally:
            pyplot.close("all")

    return draw


def fitted(make, **needed):
    return lambda **arguments: make(**(needed | arguments)).fit(LOGITS)


# Every public callable with a flag, count, choice or number, and the other arguments it needs.
CALLS = {
    L2HClustering: fitted(L2HClustering, estimator="precomputed"),
    L2HClustering.predict: lambda **kw: MODEL.predict(LOGITS, **kw),
    L2HClustering.predict_proba: lambda **kw: MODEL.predict_proba(LOGITS, **kw),
    L2HClustering.predict_node: lambda **kw: MODEL.predict_node(LOGITS, **kw),
    L2HClustering.cut: MODEL.cut,
    TURTLE: fitted(TURTLE, n_clusters=2, max_iter=2),
    TEMI: fitted(TEMI, n_clusters=2, max_iter=2, hidden_layer_sizes=(3,)),
    MergeTree: lambda **kw: MergeTree(TREE.children, **kw),
    MergeTree.cut: TREE.cut,
    MergeTree.members: TREE.members,
    MergeTree.path: TREE.path,
    MergeTree.lca: lambda **kw: TREE.lca(**({"a": 0, "b": 1} | kw)),
    MergeTree.to_linkage: TREE.to_linkage,
    skl2h.l2h_tree: lambda **kw: skl2h.l2h_tree(LOGITS, **kw),
    skl2h.affinity_tree: lambda **kw: skl2h.affinity_tree(LOGITS, **kw),
    skl2h.affinities: lambda **kw: skl2h.affinities(LOGITS, **kw),
    skl2h.suggest_levels: lambda **kw: skl2h.suggest_levels(TREE, LOGITS, **kw),
    skl2h.bootstrap_support: lambda **kw: skl2h.bootstrap_support(
        MODEL, LOGITS, **({"n_resamples": 2} | kw)
    ),
    skl2h.merge_evidence: lambda **kw: skl2h.merge_evidence(MODEL, LOGITS, **kw),
    datasets.make_hierarchical_logits: datasets.make_hierarchical_logits,
    group_colors: group_colors,
    order_leaves: lambda **kw: order_leaves(TREE, **kw),
    metrics.dendrogram_purity: lambda **kw: metrics.dendrogram_purity(
        TREE, [0, 1, 2], [0, 0, 1], **kw
    ),
    metrics.superclass_purity: lambda **kw: metrics.superclass_purity(TREE, CLASSES, **kw),
    metrics.reassignment_within: lambda **kw: metrics.reassignment_within(
        TREE, np.ones((4, 4)), **kw
    ),
    metrics.make_tree_scorer: lambda **kw: metrics.make_tree_scorer(
        metrics.dendrogram_purity, **kw
    ),
    export.from_newick: lambda **kw: export.from_newick("(a,b);", **kw),
    **{
        function: lambda function=function, **kw: function(TREE, **kw)
        for function in (
            export.export_csv,
            export.export_html,
            export.export_json,
            export.export_networkx,
            export.export_newick,
            export.export_pandas,
            export.export_text,
        )
    },
    DendrogramDisplay.plot: drawn(lambda **kw: DendrogramDisplay(TREE).plot(**kw)),
    ProfileMatrixDisplay: drawn(
        lambda **kw: ProfileMatrixDisplay(TREE, np.ones((4, 4)), **kw).plot()
    ),
    ProfileMatrixDisplay.plot: drawn(
        lambda **kw: ProfileMatrixDisplay(TREE, np.ones((4, 4))).plot(**kw)
    ),
}

# Wrong for every kind, except where the kind accepts it.
WRONG = {
    "no": "no", "nothing": "", "bytes": b"1", "half": 1.5, "nan": np.nan, "inf": -np.inf,
    "minus": -1, "list": [], "lists": [1, [2]], "dict": {"a": 1}, "set": {1}, "object": object,
    "array": np.ones(3), "huge": 10**400, "complex": 1j, "None": None, "True": True,
    "text array": np.array(["a"]),
}  # fmt: skip

# Sequences have tests of their own.
SEQUENCE = {"list", "lists", "array", "text array"}
KINDS = {  # the parameters of each kind, and which of the values above it accepts
    "flag": (
        {"persist", "warm_start_inner", "scale_features", "adjusted", "greater_is_better",
         "nested", "safe", "show_labels", "show_counts", "normalize", "confusion"},
        {"True"},
    ),
    "flag or None": ({"legend"}, {"True", "None"}),
    "flag or choice": ({"node_labels"}, {"True"}),
    "choice": ({"aggregation", "input", "layout", "orientation", "heights", "method"}, set()),
    "choice or order": ({"leaf_order"}, SEQUENCE),
    "count": (
        {"n_clusters", "n_levels", "n_resamples", "n_rows", "decimals", "n_groups", "n_samples",
         "n_leaves", "max_iter", "inner_steps", "batch_size", "n_init", "n_neighbors", "n_heads"},
        set(),
    ),
    "count or None": ({"max_leaves", "max_depth"}, {"None"}),
    "level or None": ({"level"}, {"None", *SEQUENCE}),
    "levels": ({"levels"}, {"list", "None"}),
    "node": ({"node", "a", "b"}, {"lists", "None"}),
    "threads": ({"n_jobs"}, {"None", "minus"}),
    "verbosity": ({"verbose"}, {"True"}),
    "seed": ({"random_state"}, {"None"}),
    "number": (
        {"temperature", "gamma", "tol", "outer_learning_rate", "inner_learning_rate", "beta",
         "learning_rate", "warmup", "weight_decay", "teacher_momentum", "prior_momentum",
         "separation", "noise", "min_confidence"},
        {"half"},
    ),
    "score": ({"score"}, {"half", "inf", "minus", "None", *SEQUENCE}),
    "text or None": ({"title"}, {"no", "nothing", "None"}),
    "dtype": ({"dtype"}, set()),
}  # fmt: skip

# Parameters of no such kind: data, trees, models, names, colours and styles.
OTHERS = {
    "X", "y", "children", "scores", "names", "counts", "support", "logits", "sample_weight",
    "linkage", "tree", "estimator", "reference", "evidence", "source", "similarity", "profiles",
    "leaf_labels", "leaf_classes", "affinity", "text", "leaves", "inner", "places", "score_func",
    "kwargs", "params", "plot_kw", "line_kw", "text_kw", "ax", "cmap", "highlight",
    "response_method", "matrix", "feature_groups", "hidden_layer_sizes",
}  # fmt: skip

# Values that these parameters accept, although their kind does not.
ALSO_FINE = {
    (L2HClustering, "n_clusters"): {"None"},
    (MergeTree, "method"): {"None"},
    (export.export_newick, "heights"): {"None"},
    (export.from_newick, "node_labels"): {"None"},
    (MergeTree.lca, "a"): {"list"},
    (MergeTree.lca, "b"): {"list"},
}


# Parameters whose message is about their content.
NOUNS = {"levels": r"levels?(\[0\])?", "a": "a|node", "b": "b|node"}


def parameters_of(public):
    return set(inspect.signature(public).parameters) - {"self"}


def kind_of(name):
    return next((kind for kind, (names, _) in KINDS.items() if name in names), None)


CASES = [
    pytest.param(public, name, id=f"{public.__qualname__}-{name}")
    for public in CALLS
    for name in sorted(parameters_of(public))
    if kind_of(name)
]


@pytest.mark.parametrize("public", PUBLIC, ids=lambda public: public.__qualname__)
def test_every_parameter_is_of_a_kind(public):
    """Every callable with a flag, count, choice or number is called below."""
    names = parameters_of(public)
    kinds = {name: kind_of(name) for name in names - OTHERS}
    assert None not in kinds.values(), kinds
    assert not kinds or public in CALLS


@pytest.mark.parametrize(("public", "name"), CASES)
def test_wrong_values_are_refused(public, name):
    """The message has the name and the value, and no text of another library."""
    fine = KINDS[kind_of(name)][1] | ALSO_FINE.get((public, name), set())
    for wrong in [wrong for wrong in WRONG if wrong not in fine]:
        try:
            check_refused(CALLS[public], name, WRONG[wrong])
        except BaseException as error:
            error.add_note(f"for the wrong value {wrong!r}")
            raise


def check_refused(call, name, value):
    with pytest.raises((TypeError, ValueError)) as raised:
        call(**{name: value})
    message = str(raised.value)
    assert re.search(rf"\b({NOUNS.get(name, name)})\b", message)
    several = [*value] if isinstance(value, (list, dict, np.ndarray)) else []
    assert any(shown(part) in message for part in [value, *several])


GOOD = {
    "flag": [np.True_, np.False_],
    "count": [np.int64(2), np.uint8(2), np.array(2)],
    "count or None": [np.int64(2)],
    "level or None": [np.int64(2)],
    "node": [np.int64(4)],
    "threads": [np.int64(2), -1],
    "verbosity": [np.False_, False, 0, np.int64(0)],
    "seed": [np.int64(2), np.random.RandomState(0)],
    "number": [np.float32(0.5), np.float64(0.5), Fraction(1, 2), 1, np.int64(1)],
    "score": [np.float32(0.5), 1, [0.5, 1]],
    "text or None": [np.str_("title")],
}


@pytest.mark.parametrize(
    ("public", "name"),
    [
        pytest.param(public, name, id=f"{public.__qualname__}-{name}")
        for public in CALLS
        for name in sorted(parameters_of(public))
        if kind_of(name) in GOOD
    ],
)
def test_numbers_of_numpy_are_numbers(public, name):
    for value in GOOD[kind_of(name)]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            CALLS[public](**{name: value})


def test_no_flag_is_read_by_its_truth():
    """The text "no" does not count as true."""
    with pytest.raises(TypeError, match="adjusted must be True or False, got 'no'"):
        metrics.superclass_purity(TREE, CLASSES, adjusted="no")


@pytest.mark.parametrize("score", [np.nan, [0.5, np.nan]], ids=str)
def test_no_score_is_nan(score):
    with pytest.raises(ValueError, match=r"score must not be NaN, got .*nan"):
        TREE.cut(score=score)


@pytest.mark.parametrize("wrong", ["no", 1.5, [0.5, "a"], [[1], [1, 2]], {"a": 1}, ...], ids=repr)
@pytest.mark.parametrize("name", ["scores", "counts", "support", "sample_weight", "similarity"])
def test_what_is_no_array_of_numbers(name, wrong):
    calls = {
        "sample_weight": lambda: skl2h.l2h_tree(LOGITS, sample_weight=wrong),
        "similarity": lambda: metrics.dasgupta_cost(TREE, wrong),
    }
    call = calls.get(name, lambda: MergeTree(TREE.children, **{name: wrong}))
    with pytest.raises(
        ValueError, match=rf"{name} must (be real numbers|have the shape)|of {name} must"
    ):
        call()


@pytest.mark.parametrize("places", ["no", 1.5, None, True, 99, [[0]], {0}, [True]], ids=repr)
def test_entries_are_taken_by_their_places(places):
    with pytest.raises(
        IndexError, match=r"places must say which of the 3 entries to take, .*, got"
    ):
        EVIDENCE.take(places)


def test_long_values_are_cut_in_messages():
    with pytest.raises(TypeError, match=r"^adjusted must be True or False, got .{0,210}$"):
        metrics.superclass_purity(TREE, CLASSES, adjusted="x" * 10**6)
