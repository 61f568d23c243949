"""Values with the names of leaves as keys are read by name everywhere, never by position."""

import inspect

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.cluster import AgglomerativeClustering, FeatureAgglomeration

import skl2h
from skl2h import MergeTree, metrics, surprises
from skl2h.export import from_newick
from skl2h.tree import leaf_order

pandas = pytest.importorskip("pandas")

NAMES = ("cat", "dog", "car", "bus", "ant")
TREE = MergeTree([(0, 1), (2, 3), (4, 5), (6, 7)], names=NAMES)
CLASSES = ["pet", "pet", "traffic", "traffic", "pest"]
NUMBERS = [3, 1, 4, 0, 5]
SHUFFLED = [3, 0, 4, 2, 1]

LOGITS = pandas.DataFrame(np.random.default_rng(0).normal(size=(50, 5)), columns=NAMES)
MODEL = skl2h.L2HClustering("precomputed").fit(LOGITS)


def legend_and_tiles(**arguments):
    """Classes of the legend and colours of the tiles."""
    pytest.importorskip("matplotlib").use("Agg")
    from matplotlib import pyplot

    display = skl2h.DendrogramDisplay.from_tree(TREE, **arguments)
    pyplot.close(display.figure_)
    texts = [text.get_text() for text in display.legend_.get_texts()]
    colors = display.tiles_.get_facecolor().tolist()
    return str([texts, display.layout_.tips.tolist(), colors])


def scored(values):
    """Score of a model with these leaves, from a scorer that has the classes of the leaves."""
    scorer = metrics.make_tree_scorer(metrics.superclass_purity, leaf_classes=values)
    return scorer(MODEL, LOGITS)


# Every function that takes one value for each leaf: its result, and example values.
BY_LEAF = {
    "superclass_purity": (lambda values: metrics.superclass_purity(TREE, values), CLASSES),
    "triplet_accuracy": (lambda values: metrics.triplet_accuracy(TREE, values), CLASSES),
    "shared_clades": (lambda values: metrics.shared_clades(TREE, values), CLASSES),
    "cophenetic": (lambda values: metrics.cophenetic_correlation(TREE, values), CLASSES),
    "surprises": (lambda values: str(surprises(TREE, values)), ["a", "b", "a", "b", "b"]),
    "leaf_classes": (lambda values: legend_and_tiles(leaf_classes=values), CLASSES),
    "counts": (lambda values: MergeTree(TREE.children, names=NAMES, counts=values).counts, NUMBERS),
    "counts of a linkage": (
        lambda values: MergeTree.from_linkage(
            TREE.to_linkage(), names=NAMES, counts=values
        ).counts,
        NUMBERS,
    ),
    "scorer": (scored, CLASSES),
}  # fmt: skip


@pytest.fixture(params=BY_LEAF)
def by_leaf(request):
    return BY_LEAF[request.param]


def by_name(values, order=SHUFFLED):
    return {NAMES[leaf]: values[leaf] for leaf in order}


def test_keys_are_read_by_name(by_leaf):
    """In any order: dicts by name or number, and pandas objects."""
    of, values = by_leaf
    expected = of(values)
    same = [
        by_name(values),
        by_name(values, range(5)),
        {leaf: values[leaf] for leaf in SHUFFLED},
        {np.int64(leaf): values[leaf] for leaf in SHUFFLED},
        {"dog": values[1], 0: values[0], 4: values[4], "bus": values[3], "car": values[2]},
        pandas.Series(by_name(values)),
        pandas.Series(by_name(values), dtype=None if values is NUMBERS else "category"),
        pandas.Series(values),
        np.array(values),
        tuple(values),
        dict(zip(NAMES, values)).values(),
        (value for value in values),
    ]
    for other in same:
        assert_array_equal(of(other), expected)


SERIES = "give .*to_numpy\\(\\) if it is in the order of the leaves"
BAD = {
    "missing": (lambda values: dict(zip(NAMES[:2], values)), "lacks 'car', 'bus', 'ant'"),
    "many missing": (lambda _: {}, "lacks 'cat', 'dog', 'car' and 2 more"),
    "extra": (lambda values: by_name(values) | {"cow": 0}, "holds 'cow', which the tree"),
    "both": (
        lambda values: dict(zip([*"uvwx", "cat"], values)),
        "lacks 'dog', 'car', 'bus' and 1 more and holds 'u', 'v', 'w' and 1 more, which",
    ),
    "number": (lambda values: dict(enumerate(values, 1)), "lacks 'cat' and holds 5"),
    "bool": (lambda values: by_name(values) | {True: 0}, "holds True"),
    "twice": (lambda values: by_name(values) | {0: values[0]}, "two entries for 'cat': 'cat', 0"),
    "twice in an index": (
        lambda values: pandas.Series(values, index=["cat", *NAMES[:4]]),
        "two entries for 'cat'",
    ),
    "other index": (lambda values: pandas.Series(values, index=range(1, 6)), SERIES),
    "no names": (lambda values: pandas.Series(values, index=list("vwxyz")), SERIES),
    "float index": (lambda values: pandas.Series(values, index=np.arange(5.0)), SERIES),
    "short": (lambda values: pandas.Series(values[:4]), "lacks 'ant'"),
    "shuffled numbers": (
        lambda values: pandas.Series(values)[::-1],
        "0 to 4 stand in another order, .*Give .*sort_index",
    ),
}


@pytest.mark.parametrize("bad", BAD)
def test_other_keys_are_refused(by_leaf, bad):
    (of, values), (make, message) = by_leaf, BAD[bad]
    keyed = make(values)
    with pytest.raises(ValueError, match=message):
        of(keyed)


@pytest.mark.parametrize("series", [False, True])
def test_leaves_of_one_name_cannot_be_told_apart(series):
    tree = MergeTree([(0, 1), (2, 3)], names=["crane", "crane", "bus"])
    classes = pandas.Series([1, 1, 2], index=tree.names) if series else {"crane": 1, "bus": 2}
    message = "Two leaves are named 'crane', .* give a list in the order of the leaves"
    for metric in (metrics.superclass_purity, metrics.triplet_accuracy, surprises):
        with pytest.raises(ValueError, match=message):
            metric(tree, classes)
    assert metrics.superclass_purity(tree, {2: "x", 1: "y", 0: "y"}) == 1.0


def test_classes_that_are_whole_numbers_are_names():
    tree = MergeTree([(0, 1), (2, 3)], names=[1, 2, 3])
    for classes in (
        pandas.Series(["b", "a", "a"], index=[3, 1, 2]),
        {3: "b", 2: "a", 1: "a"},
        {"3": "b", "2": "a", "1": "a"},
        {2: "b", 1: "a", 0: "a"},
    ):
        assert metrics.superclass_purity(tree, classes) == 1.0


def test_a_number_may_not_be_two_leaves():
    tree = MergeTree([(0, 1), (2, 3)], names=[1, 2, 0])
    message = "key 0, which is the number of the leaf '1' and the name of another: .* '0'"
    with pytest.raises(ValueError, match=message):
        metrics.superclass_purity(tree, {0: "a", 1: "a", 2: "b"})
    with pytest.raises(ValueError, match="key 1, which is the number of the leaf '2' and"):
        tree.with_names({1: "one"})


AS_TEXTS = sorted(map(str, range(12)))  # "10" is before "2", as texts are sorted
SORTED = MergeTree([(0, 1), *((leaf, 10 + leaf) for leaf in range(2, 12))], names=AS_TEXTS)
ODD = [int(name) % 2 for name in AS_TEXTS]


@pytest.mark.parametrize(
    "values",
    [
        pandas.Series({leaf: leaf % 2 for leaf in range(12)}),
        pandas.Series({int(name): int(name) % 2 for name in AS_TEXTS}),
        pandas.Series(ODD),
        pandas.DataFrame({"odd": ODD, "half": [0] * 6 + [1] * 6}),
        dict(enumerate(ODD)),
    ],
    ids=["numbers", "numbers in the order of the texts", "default", "frame", "dict"],
)
def test_the_index_may_not_number_and_name_the_leaves(values):
    message = "has the key (2|10), which is the number of the leaf '(10|8)' and the name of another"
    with pytest.raises(ValueError, match=message):
        metrics.triplet_accuracy(SORTED, values)
    with pytest.raises(ValueError, match=message):
        SORTED.with_names(values if isinstance(values, dict) else values.squeeze())


def test_texts_and_arrays_say_which_leaf_they_mean():
    expected = metrics.superclass_purity(SORTED, ODD)
    by_text = pandas.Series({str(leaf): leaf % 2 for leaf in range(12)})
    assert metrics.superclass_purity(SORTED, by_text) == expected
    assert metrics.superclass_purity(SORTED, pandas.Series(ODD).to_numpy()) == expected
    frame = pandas.DataFrame(np.arange(144.0).reshape(12, 12), index=AS_TEXTS, columns=AS_TEXTS)
    expected = metrics.dasgupta_cost(SORTED, frame.to_numpy())
    moved = frame.loc[map(str, range(12)), AS_TEXTS[::-1]]
    assert metrics.dasgupta_cost(SORTED, moved) == expected


@pytest.mark.parametrize("side", ["index", "columns"])
def test_numbers_and_names_of_a_matrix(side):
    frame = pandas.DataFrame(np.ones((12, 12)), **{"index": AS_TEXTS, "columns": AS_TEXTS})
    frame = frame.set_axis(range(12), axis=side)
    with pytest.raises(ValueError, match=f"similarity has the key 2, .* Set its {side} to the"):
        metrics.dasgupta_cost(SORTED, frame)


def test_nested_columns_are_read_by_name():
    columns = {"coarse": ["alive", "alive", "thing", "thing", "alive"], "fine": CLASSES}
    nested = pandas.DataFrame(columns, index=NAMES)
    expected = metrics.triplet_accuracy(TREE, nested.to_numpy())
    for same in (
        nested.iloc[SHUFFLED],
        nested.reset_index(drop=True),
        {name: tuple(nested.loc[name]) for name in reversed(NAMES)},
    ):
        assert metrics.triplet_accuracy(TREE, same) == expected
    with pytest.raises(ValueError, match="index of reference must name all 5 leaves, but lacks"):
        metrics.triplet_accuracy(TREE, nested.iloc[:4])


def test_a_linkage_may_be_a_frame():
    linkage = TREE.to_linkage()
    assert metrics.triplet_accuracy(TREE, pandas.DataFrame(linkage)) == 1.0


MATRICES = {
    "dasgupta_cost": lambda matrix: metrics.dasgupta_cost(TREE, matrix),
    "reassignment_within": lambda matrix: metrics.reassignment_within(TREE, matrix),
    "order_leaves": lambda matrix: leaf_order.order_leaves(TREE, "similarity", matrix),
    "profiles": lambda matrix: drawn_profiles(matrix),
}


def drawn_profiles(matrix):
    pytest.importorskip("matplotlib").use("Agg")
    from matplotlib import pyplot

    display = skl2h.ProfileMatrixDisplay(TREE, matrix).plot(leaf_order="merge")
    pyplot.close(display.figure_)
    return np.asarray(display.image_.get_array())


@pytest.mark.parametrize("of", MATRICES.values(), ids=MATRICES)
def test_both_sides_of_a_matrix_are_read_by_name(of):
    matrix = np.random.default_rng(0).random((5, 5))
    frame = pandas.DataFrame(matrix, index=NAMES, columns=NAMES)
    expected = of(matrix)
    assert_array_equal(of(frame), expected)
    assert_array_equal(of(frame.iloc[SHUFFLED, SHUFFLED[::-1]]), expected)
    assert_array_equal(of(pandas.DataFrame(matrix)), expected)
    for bad, fault in (
        (frame.iloc[1:], "lacks 'cat'"),
        (frame.rename(columns={"cat": "cow"}), "The columns of .* lacks 'cat' and holds 'cow'"),
    ):
        with pytest.raises(ValueError, match=fault):
            of(bad)


@pytest.mark.parametrize("what", ["scores", "support"])
def test_values_of_merges_are_read_by_their_numbers(what):
    values = [0.25, 0.5, 0.75, 1.0]
    of_merges = dict(zip(range(5, 9), values))
    for same in (
        values,
        pandas.Series(values),
        pandas.Series(of_merges)[::-1],
        dict(reversed(of_merges.items())),
        dict(reversed(list(enumerate(values)))),
    ):
        assert_array_equal(getattr(MergeTree(TREE.children, **{what: same}), what), values)
    message = "Give .* if they number the merges. Set its index to the node numbers of the merges"
    bad = pandas.Series(values)[::-1]
    with pytest.raises(ValueError, match=message):
        MergeTree(TREE.children, **{what: bad})


# -- names ---------------------------------------------------------------------------------------


def test_a_mapping_renames_what_it_names():
    assert TREE.with_names({"cat": "Katze", 3: "Bus"}).names == (
        "Katze",
        "dog",
        "car",
        "Bus",
        "ant",
    )
    assert TREE.with_names({}).names == NAMES
    assert TREE.with_names(dict(zip(NAMES, NAMES[::-1]))).names == NAMES[::-1]
    assert TREE.with_names({"cat": "dog", "dog": "cat"}).names[:2] == ("dog", "cat")


def test_a_mapping_gives_names_wherever_names_are_given():
    numbered = MergeTree(TREE.children, names={1: "dog", 4: "ant"})
    assert numbered.names == ("0", "dog", "2", "3", "ant")
    assert MergeTree.from_linkage(TREE.to_linkage(), names={0: "cat"}).names[:2] == ("cat", "1")
    pytest.importorskip("matplotlib").use("Agg")
    from matplotlib import pyplot

    X = pandas.DataFrame(np.random.default_rng(0).random((9, 3)), columns=["x", "y", "z"])
    rows = AgglomerativeClustering(compute_distances=True).fit(X)
    columns = FeatureAgglomeration(2, compute_distances=True).fit(X)
    display = skl2h.DendrogramDisplay
    for model, names, expected in (
        (rows, {8: "last"}, (*map(str, range(8)), "last")),
        (columns, {"y": "Y"}, ("x", "Y", "z")),
    ):
        drawn = display.from_estimator(model, names=names)
        assert drawn.tree.names == expected
    drawn = display.from_linkage(TREE.to_linkage(), names={2: "car"})
    assert drawn.tree.names == ("0", "1", "car", "3", "4")
    drawn = skl2h.ProfileMatrixDisplay.from_estimator(MODEL, LOGITS, names={"dog": "Hund"})
    assert drawn.tree.names == ("cat", "Hund", "car", "bus", "ant")
    pyplot.close("all")


def test_a_series_names_all_leaves():
    new = pandas.Series({name: name.upper() for name in reversed(NAMES)})
    assert TREE.with_names(new).names == tuple(map(str.upper, NAMES))
    assert MergeTree(TREE.children, names=pandas.Series(NAMES)).names == NAMES
    with pytest.raises(ValueError, match="index of names must name all 5 leaves, but lacks 'cat'"):
        TREE.with_names(new[:-1])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"cow": "x"}, "names renames 'cow', but no leaf has .*: the leaves are 'cat', 'dog'"),
        ({7: "x", -1: "y"}, "names renames 7, -1, but"),
        ({True: "x"}, "names renames True, but"),
        (dict.fromkeys("abcdef", "x"), "names renames 'a', 'b', 'c' and 3 more, but"),
        ({"cat": "x", 0: "y"}, "names has two entries for 'cat': 'cat', 0"),
    ],
)
def test_keys_that_are_no_leaves_are_refused(names, message):
    with pytest.raises(ValueError, match=message):
        TREE.with_names(names)


def test_a_name_of_two_leaves_renames_none():
    tree = MergeTree([(0, 1), (2, 3)], names=["crane", "crane", "bus"])
    with pytest.raises(ValueError, match="Two leaves are named 'crane'"):
        tree.with_names({"crane": "bird"})
    assert tree.with_names({0: "bird"}).names == ("bird", "crane", "bus")


MISSING = [None, np.nan, float("nan"), pandas.NA, pandas.NaT, np.datetime64("NaT", "s")]


@pytest.mark.parametrize("missing", MISSING, ids=repr)
def test_what_is_missing_is_no_name(missing):
    names, message = ["a", missing, "c"], r"(names|leaves)\[1\] is .*, which is not a name"
    children = [(0, 1), (2, 3)]
    tree = MergeTree(children)
    for of in (
        lambda: MergeTree(children, names=names),
        lambda: MergeTree.from_linkage(tree.to_linkage(), names=names),
        lambda: tree.with_names(names),
        lambda: tree.with_names({1: missing}),
        lambda: tree.with_names(pandas.Series(names, dtype=object)),
        lambda: tree.with_names(np.array(names, dtype=object)),
        lambda: from_newick("(a,(b,c));", leaves=names),
        lambda: skl2h.l2h_tree(pandas.DataFrame(2 * np.eye(3), columns=names)),
    ):
        with pytest.raises(ValueError, match=message):
            of()
    with pytest.raises(ValueError, match=r"inner\[3\] is .*, which is not a text"):
        tree.node_names({3: missing})


@pytest.mark.parametrize("inner", [3, "all", ["a"], {3}])
def test_names_of_nodes_are_a_dict(inner):
    with pytest.raises(TypeError, match=r"inner must be a dict \{node: text\}, got"):
        TREE.node_names(inner)


def test_leaves_of_newick_are_in_order():
    text = "(a,(b,c));"
    expected = from_newick(text, leaves=["c", "a", "b"])
    assert from_newick(text, leaves={2: "b", 0: "c", 1: "a"}) == expected
    assert from_newick(text, leaves=pandas.Series(["c", "a", "b"])) == expected
    for bad in ({"a": 1}, {"c": 0, "a": 1, "b": 2}, pandas.Series({"c": 0, "a": 1, "b": 2})):
        with pytest.raises(TypeError, match="leaves must be a sequence of the names of the leaves"):
            from_newick(text, leaves=bad)
    with pytest.raises(ValueError, match="keys of leaves must name all 3 leaves, but lacks '1'"):
        from_newick(text, leaves={0: "c", 2: "b", 5: "a"})


def test_all_metrics_of_leaves_are_tested():
    """All metrics that take classes of leaves, a reference or a matrix of leaves by leaves."""
    wanted = {"leaf_classes", "reference", "similarity", "profiles"}
    takers = {
        name
        for name in metrics.__all__
        if wanted & inspect.signature(getattr(metrics, name)).parameters.keys()
    }
    tested = {*BY_LEAF, *MATRICES, "cophenetic_correlation"}
    assert takers <= tested


# -- pictures ------------------------------------------------------------------------------------


def display():
    pytest.importorskip("matplotlib").use("Agg")
    return skl2h.DendrogramDisplay(TREE)


def test_labels_of_nodes_may_be_a_series():
    texts = {
        kind: [text.get_text() for text in display().plot(node_labels=labels).ax_.texts]
        for kind, labels in {
            "dict": {5: "p", 7: "q"},
            "Series": pandas.Series({7: "q", 5: "p"}),
        }.items()
    }
    assert texts["Series"] == texts["dict"]
    assert {"p", "q"} <= set(texts["Series"])
    bad = pandas.Series({5: None})
    with pytest.raises(ValueError, match=r"node_labels\[5\] is .*, which is not a text"):
        display().plot(node_labels=bad)


def test_what_is_highlighted_has_no_values():
    bad = pandas.Series(["red"], index=["cat"])
    with pytest.raises(ValueError, match=r"give highlight\.index\.tolist\(\) or highlight\.tolist"):
        display().plot(highlight=bad)
    chosen = pandas.Series(NAMES)[[1, 3]]
    names, series = (display().plot(highlight=some).lines_ for some in (["dog", "bus"], chosen))
    assert_array_equal(names.get_linewidths(), series.get_linewidths())


def test_an_order_of_leaves_has_no_names():
    message = r"leaf_order must hold the numbers .*, 0 to 4, got \['cat'\]: of a name, tree.names"
    for shown in (display(), skl2h.ProfileMatrixDisplay(TREE, np.ones((5, 5)))):
        with pytest.raises(ValueError, match=message):
            shown.plot(leaf_order=["cat"])
