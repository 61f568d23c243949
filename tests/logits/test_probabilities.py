"""Probabilities in place of logits are accepted if announced, and warned about otherwise."""

import pickle
import warnings

import joblib
import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.special import softmax
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.utils import get_tags

from skl2h import L2HClustering, bootstrap_support, l2h_tree, merge_evidence, suggest_levels
from skl2h.__main__ import main
from skl2h.datasets import make_hierarchical_logits
from skl2h.exceptions import LogitsWarning
from skl2h.logits.blocks import CACHE_BYTES
from skl2h.logits.matrix import as_logits
from skl2h.metrics import make_tree_scorer, reassignment_within

LOGITS = make_hierarchical_logits(200, 6, random_state=0)[0]
P = softmax(LOGITS, axis=1)
WEIGHTS = np.random.default_rng(0).random(200)
LOOK = "looks like probabilities"


def as_dask(array):
    da = pytest.importorskip("dask.array")
    return da.from_array(array, chunks=(60, 4))


def as_frame(array):
    return pytest.importorskip("pandas").DataFrame(array)


def as_memory_map(array, folder):
    np.save(folder / "scores.npy", array)
    return np.load(folder / "scores.npy", mmap_mode="r")


def as_files(array, folder):
    paths = [folder / "one.npy", folder / "two.npy"]
    for path, rows in zip(paths, np.array_split(array, 2)):
        np.save(path, rows)
    return paths


ROWS = {
    "array": lambda array, folder: array,
    "float32": lambda array, folder: array.astype(np.float32),
    "list": lambda array, folder: array.tolist(),
    "sparse": lambda array, folder: csr_matrix(array),
    "frame": lambda array, folder: as_frame(array),
    "memory map": as_memory_map,
    "Dask": lambda array, folder: as_dask(array),
}
GIVEN = ROWS | {"files": as_files}


def impossible_leaves():
    """Probabilities, many of which are 0."""
    p = np.where(P < 0.02, 0.0, P)
    return p / p.sum(axis=1, keepdims=True)


@pytest.mark.filterwarnings("ignore::skl2h.exceptions.StrandedGroupWarning")
@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("kind", GIVEN)
def test_a_tree_of_probabilities_is_that_of_their_logarithms(kind, weights, tmp_path):
    """An entry that a sparse matrix does not store is a probability of 0."""
    p = impossible_leaves()
    with np.errstate(divide="ignore"):
        expected = l2h_tree(np.log(p), sample_weight=weights)
    tree = l2h_tree(GIVEN[kind](p, tmp_path), sample_weight=weights, input="probabilities")
    assert np.array_equal(tree.children, expected.children)
    np.testing.assert_allclose(tree.scores, expected.scores, rtol=1e-6)


READERS = {
    "predict": lambda model, X: model.predict(X, level=[6, 3]),
    "predict_proba": lambda model, X: model.predict_proba(X, level=4),
    "predict_node": lambda model, X: model.predict_node(X, min_confidence=0.8),
    "suggest_levels": lambda model, X: suggest_levels(model, X)[1],
    "merge_evidence": lambda model, X: merge_evidence(model, X).margins,
    "bootstrap_support": lambda model, X: (
        bootstrap_support(model, X, n_resamples=5, random_state=0).support
    ),
    "scorer": lambda model, X: make_tree_scorer(reassignment_within, level=2)(model, X),
}
LAZY = ["predict", "predict_proba", "predict_node"]


@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.parametrize("reader", READERS)
def test_a_fitted_model_reads_what_it_was_fitted_on(reader, kind, tmp_path):
    if kind == "Dask" and reader not in LAZY:
        pytest.skip("it takes no Dask arrays")
    temperature = {"temperature": 2.0}
    expected = L2HClustering("precomputed", **temperature).fit(LOGITS)
    model = L2HClustering("precomputed", input="probabilities", **temperature)
    model.fit(ROWS[kind](P, tmp_path))
    for copy in (model, pickle.loads(pickle.dumps(model))):
        found = READERS[reader](copy, ROWS[kind](P, tmp_path))
        # float32 has seven digits, and rows are resampled and added up in float64.
        np.testing.assert_allclose(found, READERS[reader](expected, LOGITS), rtol=1e-4, atol=1e-6)


def test_fitting_again_and_cloning_keep_the_input():
    model = L2HClustering("precomputed", input="probabilities").fit(P)
    assert clone(model).input == "probabilities"
    model.set_params(input="logits")  # it stays as it was fitted until the next fit
    np.testing.assert_allclose(model.predict_proba(P), softmax(LOGITS, axis=1), rtol=1e-9)
    model.fit(LOGITS)
    np.testing.assert_allclose(model.predict_proba(LOGITS), softmax(LOGITS, axis=1), rtol=1e-9)


def test_levels_of_a_tree_alone():
    tree = l2h_tree(LOGITS)
    found, expected = suggest_levels(tree, P, input="probabilities"), suggest_levels(tree, LOGITS)
    assert np.array_equal(found[0], expected[0])
    np.testing.assert_allclose(found[1], expected[1])


def test_rows_need_not_sum_to_one():
    expected = l2h_tree(LOGITS)
    tree = l2h_tree(100 * P, input="probabilities")
    assert np.array_equal(tree.children, expected.children)


def test_tags_ask_for_what_is_not_negative():
    tags = get_tags(L2HClustering("precomputed", input="probabilities")).input_tags
    assert tags.positive_only
    assert tags.sparse
    assert not get_tags(L2HClustering("precomputed")).input_tags.positive_only


NEGATIVE = P.copy()
NEGATIVE[7, 2] = -0.1
FOREST = FrozenEstimator(RandomForestClassifier(5, random_state=0).fit(P, P.argmax(axis=1)))
BAD = {
    "tree": (
        lambda: l2h_tree(P, input="proba"),
        "input must be 'logits' or .*, got 'proba'",
    ),
    "no text": (
        lambda: l2h_tree(P, input=["logits"]),
        r"input must be 'logits' or .*, got \['logits'\]",
    ),
    "model": (
        lambda: L2HClustering("precomputed", input="distances").fit(P),
        "input must be 'logits' or 'probabilities', got 'distances'",
    ),
    "inner model": (
        lambda: L2HClustering(FOREST, input="probabilities").fit(P),
        "an inner model is asked for its scores. Leave input out, and choose .* response_method",
    ),
    "negative": (
        lambda: l2h_tree(NEGATIVE, input="probabilities"),
        "Row 7 of the probabilities has a negative probability in column 2",
    ),
    "negative to predict": (
        lambda: L2HClustering("precomputed", input="probabilities").fit(P).predict(NEGATIVE),
        "Row 7 of the probabilities has a negative probability in column 2",
    ),
    "levels": (
        lambda: suggest_levels(l2h_tree(LOGITS), P, input="p"),
        "input must be 'logits', 'probabilities' or 'confusion', got 'p'",
    ),
    "levels of a model": (
        lambda: suggest_levels(
            L2HClustering("precomputed").fit(LOGITS), LOGITS, input="probabilities"
        ),
        "a model knows what it was fitted on",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name):
    call, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("kind", GIVEN)
def test_probabilities_that_are_given_as_logits_are_warned_of(kind, tmp_path):
    given = GIVEN[kind](P, tmp_path)
    with pytest.warns(LogitsWarning, match=f'{LOOK}.* input="probabilities"'):
        l2h_tree(given)


@pytest.mark.parametrize("kind", ROWS)
def test_a_model_warns_in_fit_and_when_it_reads(kind, tmp_path):
    given, model = ROWS[kind](P, tmp_path), L2HClustering("precomputed", temperature=3.0)
    with pytest.warns(LogitsWarning, match=LOOK):
        model.fit(given)
    model.fit(LOGITS)
    with pytest.warns(LogitsWarning, match=LOOK):
        np.asarray(model.predict_proba(given))  # a Dask result is computed here


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_warns(reader):
    model = L2HClustering("precomputed").fit(LOGITS)
    with pytest.warns(LogitsWarning, match=LOOK):
        READERS[reader](model, P)


def test_levels_of_a_tree_alone_warn():
    tree = l2h_tree(LOGITS)
    with pytest.warns(LogitsWarning, match=LOOK):
        suggest_levels(tree, P)


@pytest.mark.parametrize("method", ["predict_proba", lambda model, X: model.predict_proba(X)])
def test_a_function_that_gives_probabilities_is_warned_of(method):
    """A method is known by its name; the output of a function is not known."""
    clustering = L2HClustering(FOREST, response_method=method)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        clustering.fit(P)
    assert sum(warning.category is LogitsWarning for warning in caught) == callable(method)


def test_a_search_warns_once():
    search = GridSearchCV(
        L2HClustering("precomputed"),
        {"n_clusters": [2, 3]},
        scoring=lambda model, X, y=None: 0.0,
        cv=[(np.arange(200), np.arange(200))],
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search.fit(P)
    assert [warning.category for warning in caught] == [LogitsWarning]


@pytest.mark.parametrize("ending", [".npy", ".csv"])
@pytest.mark.parametrize("flags", [[], ["--probabilities"]])
def test_the_command_line_warns_unless_they_are_announced(tmp_path, capsys, flags, ending):
    path = tmp_path / f"scores{ending}"
    if ending == ".npy":
        np.save(path, P)
    else:
        np.savetxt(path, P, delimiter=",", fmt="%.3f")
    assert main(["build", str(path), *flags]) == 0
    said = capsys.readouterr().err
    assert said.count(LOOK) == said.count("--probabilities") == (not flags)


def rounded(dtype):
    """Probabilities of many clusters, rounded to a narrow dtype."""
    return softmax(np.random.default_rng(0).normal(size=(500, 1000)), axis=1).astype(dtype)


ALIKE = {
    "float16": rounded(np.float16),
    "float32": rounded(np.float32),
    # bfloat16 is the upper half of float32.
    "bfloat16": (rounded(np.float32).view(np.uint32) & 0xFFFF0000).view(np.float32),
    "three decimals": P.round(3),
    "one-hot labels": np.eye(6, dtype=int)[P.argmax(axis=1)],
    "flags": np.eye(6, dtype=bool)[P.argmax(axis=1)],
    "two rows": P[:2],
    "columns first": np.asfortranarray(P),
    "sparse": csr_matrix(impossible_leaves()),
    "sparse labels": csr_matrix(np.eye(6, dtype=int)),
}


@pytest.mark.filterwarnings("ignore::skl2h.exceptions.StrandedGroupWarning")
@pytest.mark.parametrize("name", ALIKE)
def test_what_looks_like_probabilities(name):
    with pytest.warns(LogitsWarning, match=LOOK):
        l2h_tree(ALIKE[name])


def first_negative():
    p = P.copy()
    p[-1, :2] += [-p[-1, 0] - 0.1, p[-1, 0] + 0.1]
    return p


UNLIKE = {
    "logits": LOGITS,
    "logarithms": np.log(P),
    "one leaf": np.ones((9, 1)),
    "one row, which may do so by chance": np.array([[0.25, 0.75]]),
    "a negative entry at the end": first_negative(),
    "another sum at the end": np.vstack([P, np.full((1, 6), 0.1)]),
    "impossible leaves": np.where(P > 0.2, P, -np.inf),
    "shares of 100": 100 * P,
    "independent": np.random.default_rng(0).random((9, 6)),
    "a sparse row of another sum": csr_matrix(np.vstack([P, np.full((1, 6), 0.1)])),
}


@pytest.mark.filterwarnings("ignore::skl2h.exceptions.StrandedGroupWarning")
@pytest.mark.parametrize("name", UNLIKE)
def test_what_does_not_look_like_probabilities(name):
    l2h_tree(UNLIKE[name])


def test_a_row_without_entries_does_not_look_like_probabilities():
    empty = csr_matrix(np.vstack([P, np.zeros((1, 6))]))
    assert not as_logits(empty).look_like_probabilities()


def test_only_all_of_the_chunks_look_like_probabilities(tmp_path):
    mixed = np.vstack([P, LOGITS])
    for kind in ("Dask", "files"):
        l2h_tree(GIVEN[kind](mixed, tmp_path))


class Counted(np.ndarray):
    """Logits that count how many rows are read."""

    def __getitem__(self, rows):
        found = super().__getitem__(rows)
        self.seen.append(len(found))
        return found.view(np.ndarray)


@pytest.mark.parametrize("like", [True, False])
def test_the_first_block_that_does_not_look_so_is_the_last(like):
    logits = as_logits(np.tile(P if like else LOGITS, (4000, 1)))
    n_rows = len(logits.scores)
    assert logits.scores.nbytes > CACHE_BYTES
    logits.scores = logits.scores.view(Counted)
    logits.scores.seen = []
    assert logits.look_like_probabilities() == like
    assert sum(logits.scores.seen) == (n_rows if like else logits.rows_per_block())


def test_workers_that_share_no_memory_tell_it_as_well(tmp_path):
    paths = as_files(P, tmp_path)
    with joblib.parallel_backend("loky"), pytest.warns(LogitsWarning, match=LOOK):
        l2h_tree(paths, n_jobs=2)
