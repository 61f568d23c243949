"""Rows in chunks, on threads and on processes of their own: the tree is that of one array."""

import gc
import multiprocessing
import os
import signal
import sys
import threading
import time
import warnings
from concurrent.futures import CancelledError
from itertools import pairwise
from multiprocessing import forkserver

import numpy as np
import pytest
from helpers.cases import random_case, sparse_case
from helpers.plain import plain_merges
from helpers.planted import deadly, late, planted_chunk, read_by
from joblib import parallel_backend
from scipy.sparse import csr_matrix
from scipy.special import softmax
from sklearn.cluster import KMeans
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from skl2h import L2HClustering, bootstrap_support, l2h_tree, suggest_levels
from skl2h.datasets import make_hierarchical_logits
from skl2h.merge.aggregations import AGGREGATIONS
from skl2h.merge.distributed.dask_chunks import DaskChunks

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")

N_SEEDS = 60
CHUNK = 20
SECONDS = 60  # in which whatever runs on a cluster must be done


@pytest.fixture(autouse=True)
def two_threads():
    with dask.config.set(scheduler="threads", num_workers=2):
        yield


def random_chunks(rng, length):
    """Lengths of chunks, from one row to all of them."""
    cuts = rng.choice(length - 1, rng.integers(0, min(length, 6)), replace=False) + 1
    return tuple(np.diff([0, *sorted(cuts.tolist()), length]).tolist())


def in_chunks(rng, array):
    """Dask array in random chunks, of rows and of columns."""
    return da.from_array(array, chunks=tuple(random_chunks(rng, size) for size in array.shape))


def same_tree(tree, expected):
    assert np.array_equal(tree.children, expected.children)
    np.testing.assert_allclose(tree.scores, expected.scores, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(tree.counts, expected.counts, rtol=1e-12)
    assert tree.counts.dtype == expected.counts.dtype
    assert tree.names == expected.names
    return True


@pytest.mark.parametrize("start", range(0, N_SEEDS, CHUNK))
def test_tree_of_chunks_equals_plain_evaluation(start):
    """Merge by merge, with ties, empty leaves, -inf, weights, every dtype; chunks kept or not."""
    for seed in range(start, start + CHUNK):
        logits, weights, aggregation, _, _ = random_case(seed)
        rng = np.random.default_rng(seed)
        children, scores, stranded = plain_merges(logits, weights, aggregation)
        given = weights
        if weights is not None and seed % 2:
            given = da.from_array(weights, chunks=3)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            tree = l2h_tree(
                in_chunks(rng, logits),
                sample_weight=given,
                aggregation=aggregation,
                persist=bool(rng.integers(2)),
            )
        assert tree.children.tolist() == [list(pair) for pair in children], f"seed {seed}"
        np.testing.assert_allclose(tree.scores, scores, rtol=1e-9, atol=1e-12, err_msg=str(seed))
        assert bool(seen) == bool(stranded), f"seed {seed}"


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@pytest.mark.filterwarnings("ignore:In float64, no row gives any probability:UserWarning")
def test_sparse_chunks(aggregation):
    """With weights or without, kept or not: four times two seeds."""
    for seed in range(8):
        stored, full = sparse_case(seed)
        rng = np.random.default_rng(seed)
        stored = stored.tocsr()
        weights = None if seed % 2 else rng.integers(0, 3, len(full))
        bounds = np.cumsum([0, *random_chunks(rng, len(full))]).tolist()
        parts = [
            da.from_delayed(
                dask.delayed(stored[a:b], traverse=False), (b - a, full.shape[1]), stored.dtype
            )
            for a, b in pairwise(bounds)
        ]
        options = {"sample_weight": weights, "aggregation": aggregation}
        tree = l2h_tree(da.concatenate(parts), persist=bool(seed & 2), **options)
        assert same_tree(tree, l2h_tree(stored, **options)), f"seed {seed}"


@pytest.mark.parametrize("aggregation", ["sum_of_means", "sum"])
@pytest.mark.parametrize("n_leaves", [6, 40, 256])
def test_one_pass_for_each_doubling(monkeypatch, n_leaves, aggregation):
    """With a sum aggregation, passes grow with the logarithm of the leaves; some have no rows."""
    passes = []
    update = DaskChunks.update
    monkeypatch.setattr(
        DaskChunks, "update", lambda self, grown: passes.append(1) or update(self, grown)
    )
    for seed in range(8):
        rng = np.random.default_rng(seed)
        logits = rng.standard_normal((rng.integers(2, 4 * n_leaves), n_leaves)) * rng.choice([1, 4])
        logits[:, rng.random(n_leaves) < rng.choice([0, 0.5])] -= 20
        passes.clear()
        l2h_tree(da.from_array(logits, chunks=(2 * n_leaves, -1)), aggregation=aggregation)
        leaf, top = logits.argmax(axis=1), softmax(logits, axis=1).max(axis=1)
        scores = np.array([top[leaf == one].sum() for one in np.unique(leaf)])
        if aggregation == "sum_of_means":
            scores /= np.unique(leaf, return_counts=True)[1]
        assert 1 + len(passes) < 1.5 + np.log2(scores.sum() / scores.min())


def test_leaves_without_rows_take_one_pass_of_sparse_rows(monkeypatch):
    """However many they are; dense ones take a pass for each lot, in which each leaf is once."""
    asked = []
    soft = DaskChunks.soft
    monkeypatch.setattr(
        DaskChunks, "soft", lambda self, leaves: asked.append(leaves) or soft(self, leaves)
    )
    monkeypatch.setattr("skl2h.merge.profiles.SOFT_ENTRIES", 400)
    logits = np.random.default_rng(0).standard_normal((60, 40))
    logits[:, 10:] -= 30
    expected = l2h_tree(logits)
    empty = np.flatnonzero(expected.counts == 0).tolist()
    assert len(empty) >= 30
    sparse = da.from_array(logits, chunks=(20, -1)).map_blocks(csr_matrix)
    for X, n_lots in ((sparse, 1), (da.from_array(logits, chunks=(20, -1)), -(-len(empty) // 10))):
        asked.clear()
        assert same_tree(l2h_tree(X), expected)
        assert len(asked) == n_lots
        assert np.concatenate(asked).tolist() == empty


def test_lots_of_stranded_leaves(monkeypatch):
    """Groups without rows, of leaves of several lots."""
    monkeypatch.setattr("skl2h.merge.profiles.SOFT_ENTRIES", 40)
    logits = np.random.default_rng(0).standard_normal((30, 20))
    logits[:, 1:18] = -np.inf
    with pytest.warns(UserWarning, match="no row gives any probability"):
        expected = l2h_tree(logits)
    with pytest.warns(UserWarning, match="no row gives any probability"):
        assert same_tree(l2h_tree(da.from_array(logits, chunks=(7, -1))), expected)


def test_unknown_lengths_and_chunks_that_came_over_a_network():
    """Numbers of rows that are not known, and arrays that begin amid a number."""
    logits = np.random.default_rng(0).standard_normal((90, 6)).astype(np.float32)
    X = da.from_array(logits, chunks=(20, 4))
    kept = X[X[:, 0] < 1e9]
    assert np.isnan(kept.shape[0])
    expected = l2h_tree(logits)
    assert same_tree(l2h_tree(kept), expected)
    model = L2HClustering("precomputed").fit(kept)
    assert np.array_equal(model.labels_.compute(), logits.argmax(axis=1))
    with pytest.raises(ValueError, match="needs chunks of known lengths: call compute_chunk_sizes"):
        l2h_tree(kept, sample_weight=np.ones(90))
    raw = np.empty(logits.nbytes + 1, dtype=np.uint8)[1:]
    odd = raw.view(np.float32).reshape(logits.shape)
    odd[:] = logits
    assert not odd.flags.aligned
    assert same_tree(l2h_tree(odd), expected)
    assert same_tree(l2h_tree(da.from_array(odd, chunks=50)), expected)


class Wrapped:
    """As xarray has them: it may wrap one of Dask's arrays, or not."""

    def __init__(self, data):
        self.data = data

    def __dask_graph__(self):
        return None if isinstance(self.data, np.ndarray) else self.data.__dask_graph__()

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.data, dtype)


@pytest.mark.parametrize("kind", [np.asarray, da.from_array])
def test_wrapped_arrays(kind):
    logits = np.random.default_rng(0).standard_normal((40, 5))
    assert same_tree(l2h_tree(Wrapped(kind(logits))), l2h_tree(logits))


class Labelled(Wrapped):
    """As xarray has them, with labels of the columns."""

    ndim = 2
    dims = ("row", "cluster")
    coords = None

    def __init__(self, data, labels):
        super().__init__(data)
        self.coords = {"cluster": np.array(list(labels))}


@pytest.mark.parametrize("kind", [np.asarray, da.from_array])
def test_labels_of_wrapped_arrays(kind):
    """They name the leaves, and rows whose columns are in another order are refused."""
    logits = kind(np.random.default_rng(0).standard_normal((40, 5)))
    rows = Labelled(logits, "abcde")
    assert l2h_tree(rows).names == tuple("abcde")
    model = L2HClustering("precomputed").fit(rows)
    assert model.tree_.names == tuple("abcde")
    assert model.feature_names_in_.tolist() == list("abcde")
    assert np.array_equal(np.asarray(model.predict(rows)), np.asarray(model.labels_))
    other = Labelled(logits, "bacde")
    with pytest.raises(ValueError, match="in their order: a, b, c, d, e, got b, a, c, d, e"):
        model.predict(other)


def test_data_frames():
    pd = pytest.importorskip("pandas")
    try:
        import dask.dataframe as dd
    except ImportError:
        pytest.skip("data frames need more than dask[array]")
    logits, _, _ = make_hierarchical_logits(50, 4, random_state=0)
    table = pd.DataFrame(logits, columns=list("abcd"))
    X = dd.from_pandas(table, npartitions=3)
    assert same_tree(l2h_tree(X), l2h_tree(table))
    named = L2HClustering("precomputed").fit(X)
    assert named.tree_.names == tuple("abcd")
    assert named.feature_names_in_.tolist() == list("abcd")
    assert named.n_features_in_ == 4
    assert np.array_equal(named.predict(X).compute(), named.predict(table))
    with pytest.raises(ValueError, match="Feature names must be in the same order"):
        named.predict(X[list("bacd")])
    model = LogisticRegression().fit(table, logits.argmax(axis=1))
    frozen = L2HClustering(FrozenEstimator(model)).fit(X)
    assert same_tree(frozen.tree_, L2HClustering(FrozenEstimator(model)).fit(table).tree_)
    assert np.array_equal(frozen.predict(X).compute(), frozen.predict(table))
    assert same_tree(l2h_tree(X.persist()), l2h_tree(table))
    weights = np.random.default_rng(0).random(50)
    for some in (weights, dd.from_pandas(pd.Series(weights), npartitions=3)):
        assert same_tree(l2h_tree(X, sample_weight=some), l2h_tree(table, sample_weight=weights))
        ours = L2HClustering(FrozenEstimator(model)).fit(X, sample_weight=some).tree_
        theirs = L2HClustering(FrozenEstimator(model)).fit(table, sample_weight=weights).tree_
        assert same_tree(ours, theirs)
    bad = X.map_partitions(unreadable_part, meta=X._meta)
    for options in ({}, {"sample_weight": weights}):
        with pytest.raises(RuntimeError, match=r"Chunk 1 failed\. OSError: no such shard"):
            l2h_tree(bad, **options)


def unreadable_part(part, partition_info=None):
    if partition_info and partition_info["number"] == 1:
        raise OSError("no such shard")
    return part


@pytest.mark.parametrize("kind", ["bool", "Float64", "Int64", "float64[pyarrow]"])
def test_columns_of_data_frames(kind):
    """Of whatever dtype pandas makes numbers of."""
    if "pyarrow" in kind:
        pytest.importorskip("pyarrow")
    pd = pytest.importorskip("pandas")
    try:
        import dask.dataframe as dd
    except ImportError:
        pytest.skip("data frames need more than dask[array]")
    numbers = np.random.default_rng(0).integers(0, 2, (30, 4))
    table = pd.DataFrame(numbers, columns=list("abcd")).astype(kind)
    X = dd.from_pandas(table, npartitions=3)
    assert same_tree(l2h_tree(X), l2h_tree(table))
    model = L2HClustering("precomputed").fit(X)
    assert np.array_equal(model.predict(X).compute(), model.predict(table))


@pytest.mark.parametrize("persist", [True, False])
def test_stores(tmp_path, persist):
    """Whatever Dask reads, such as zarr and Parquet."""
    zarr = pytest.importorskip("zarr")
    pytest.importorskip("pyarrow")
    pd = pytest.importorskip("pandas")
    import dask.dataframe as dd

    logits, _, _ = make_hierarchical_logits(100, 6, random_state=0)
    store = zarr.open(
        str(tmp_path / "logits.zarr"), mode="w", shape=(100, 6), chunks=(30, 4), dtype="f8"
    )
    store[:] = logits
    table = pd.DataFrame(logits, columns=list("abcdef"))
    (tmp_path / "parquet").mkdir()
    for start in (0, 40, 80):
        table[start : start + 40].to_parquet(tmp_path / "parquet" / f"{start}.parquet")
    tree = l2h_tree(da.from_zarr(str(tmp_path / "logits.zarr")), persist=persist)
    assert same_tree(tree, l2h_tree(logits))
    tree = l2h_tree(dd.read_parquet(tmp_path / "parquet"), persist=persist)
    assert same_tree(tree, l2h_tree(table))


RNG = np.random.default_rng(0)
FEATURES, CLASSES = RNG.standard_normal((120, 5)), RNG.integers(0, 7, 120)
WEIGHTS = RNG.random(120)
MODELS = {
    "logits": LogisticRegression().fit(FEATURES, CLASSES),
    "distances": KMeans(8, n_init=1, random_state=0).fit(FEATURES),
    "probabilities": RandomForestClassifier(5, random_state=0).fit(FEATURES, CLASSES),
}


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("persist", [True, False])
@pytest.mark.parametrize("name", MODELS)
def test_model_is_asked_where_the_rows_are(name, persist, weights):
    """Fitted attributes, cuts and predictions are those of arrays, and lazy for each row."""
    X = da.from_array(FEATURES, chunks=(50, 3))
    options = {"n_clusters": "auto", "temperature": 2.0}
    frozen = FrozenEstimator(MODELS[name])
    expected = L2HClustering(frozen, **options).fit(FEATURES, sample_weight=weights)
    model = L2HClustering(frozen, persist=persist, **options).fit(X, sample_weight=weights)
    assert same_tree(model.tree_, expected.tree_)
    assert model.n_clusters_ == expected.n_clusters_
    assert model.n_features_in_ == 5
    n_leaves = model.n_leaves_
    for ours, theirs in (
        (model.labels_, expected.labels_),
        (model.leaf_labels_, expected.leaf_labels_),
        (model.cut(3), expected.cut(3)),
        (model.cut([n_leaves, 2]), expected.cut([n_leaves, 2])),
        (model.predict(X), expected.predict(FEATURES)),
        (model.predict(X, level=[3, 2]), expected.predict(FEATURES, level=[3, 2])),
        (model.predict_proba(X, level=3), expected.predict_proba(FEATURES, level=3)),
        (model.predict_node(X), expected.predict_node(FEATURES)),
    ):
        assert isinstance(ours, da.Array)
        assert ours.shape == theirs.shape
        assert ours.dtype == theirs.dtype
        computed = ours.compute()
        assert computed.shape == theirs.shape
        np.testing.assert_allclose(computed, theirs, rtol=1e-12)
    assert np.array_equal(model.predict(FEATURES), expected.predict(FEATURES))


def test_precomputed():
    logits, _, _ = make_hierarchical_logits(100, 9, random_state=0)
    X = da.from_array(logits, chunks=(30, 4))
    model = L2HClustering("precomputed", n_clusters=3, temperature=0.5).fit(X)
    expected = L2HClustering("precomputed", n_clusters=3, temperature=0.5).fit(logits)
    assert same_tree(model.tree_, expected.tree_)
    assert model.n_features_in_ == 9
    assert np.array_equal(model.fit_predict(X).compute(), expected.labels_)
    assert np.array_equal(model.predict(X).compute(), expected.labels_)
    np.testing.assert_allclose(model.predict_proba(X), expected.predict_proba(logits))


def faulty(where, value):
    logits = np.zeros((60, 3))
    logits[where] = value
    return da.from_array(logits, chunks=(25, -1))


def with_chunk(chunk, good=np.zeros((10, 3))):  # noqa: B008 (nothing is written to it)
    good = da.from_array(good, chunks=len(good))
    shape = 10, good.shape[1]
    odd = da.from_delayed(dask.delayed(chunk, traverse=False), shape, float)
    return da.concatenate([good, odd, good])


def unreadable():
    raise OSError("no such shard")


BAD = {
    "nan": (lambda: faulty(([33, 55], 1), np.nan), ValueError, "Row 33 of the logits has NaN in "
            "column 1.* It is row 8 of chunk 1"),
    "inf": (lambda: faulty((59, 2), np.inf), ValueError, "Row 59 .*has inf in column 2.*chunk 2"),
    "only -inf": (lambda: faulty(0, -np.inf), ValueError, "Row 0 .*nothing but -inf.*chunk 0"),
    "all empty": (lambda: da.zeros((20, 3), chunks=10)[da.zeros(20, dtype=bool, chunks=10)],
                  ValueError, "The logits have no rows: all of their chunks are empty"),
    "masked": (lambda: with_chunk(np.ma.masked_equal(np.eye(3), 1)), ValueError,
               "Chunk 1 has masked entries"),
    "narrow": (lambda: with_chunk(np.zeros((9, 2))), ValueError, "Chunk 1 has 2 columns, not 3"),
    "flat": (lambda: with_chunk(np.zeros(3)), ValueError, r"Chunk 1 has the shape \(3,\)"),
    "text": (lambda: with_chunk(np.array([["a"] * 3])), ValueError, "Chunk 1 is of <U1, not"),
    "object": (lambda: with_chunk("nothing"), ValueError, "Chunk 1 is of type str"),
    "unreadable": (lambda: da.concatenate([da.zeros((10, 3)), da.from_delayed(
                   dask.delayed(unreadable)(), (10, 3), float)]), RuntimeError,
                   "Chunk 1 failed. OSError: no such shard"),
    "no rows": (lambda: da.zeros((0, 3)), ValueError, "Found array with 0 samples"),
    "no leaves": (lambda: da.zeros((3, 0)), ValueError, "one column for each leaf"),
    "one dimension": (lambda: da.zeros(3), ValueError, "Expected 2D array, got 1D array"),
    "complex": (lambda: da.zeros((3, 3), dtype=complex), ValueError, "must be real numbers"),
    "not an array": (lambda: dask.delayed(np.zeros)((3, 3)), TypeError, "A Dask array is needed"),
}  # fmt: skip


def fails_at_first(path, rows):
    """Rows, after one read that fails."""
    if not path.exists():
        path.touch()
        raise OSError("the disk is tired")
    return rows


@pytest.mark.parametrize("persist", [True, False])
def test_a_chunk_that_fails_only_once(tmp_path, persist):
    part = dask.delayed(fails_at_first)(tmp_path / "tired", np.zeros((10, 3)))
    X = da.concatenate([da.zeros((10, 3)), da.from_delayed(part, (10, 3), float)])
    with pytest.raises(RuntimeError, match=r"A chunk failed, but each can be read.*disk is tired"):
        l2h_tree(X, persist=persist)


CHANGED = {
    "nan": (np.full((30, 20), np.nan), "row 0 of the logits has NaN"),
    "narrow": (np.zeros((30, 2)), "it has 2 columns, not 20"),
    "short": (np.zeros((29, 20)), "it has 29 rows, and had 30"),
}


@pytest.mark.parametrize("n_empty", [0, 1])
@pytest.mark.parametrize("name", CHANGED)
def test_chunks_that_change_while_they_are_read(name, n_empty):
    """In the pass for leaves without rows, or in that for groups that have grown."""
    later, message = CHANGED[name]
    logits = np.random.default_rng(0).standard_normal((60, 20))
    logits[:, :n_empty] -= 9
    reads = []

    def read():
        reads.append(1)
        return later if len(reads) > 1 else logits[30:]

    part = da.from_delayed(dask.delayed(read, pure=False)(), (30, 20), float)
    X = da.concatenate([da.from_array(logits[:30], chunks=30), part])
    with pytest.raises(RuntimeError, match=f"Chunk 1 changed while it was read: {message}"):
        l2h_tree(X, persist=False)


@pytest.mark.parametrize("persist", [True, False])
@pytest.mark.parametrize("name", BAD)
def test_bad_chunks_are_named(name, persist):
    make, error, message = BAD[name]
    X = make()
    with pytest.raises(error, match=message):
        l2h_tree(X, persist=persist)


BAD_WEIGHTS = {
    "negative": ([1, 2, -1, 1], r"sample_weight\[2\] is negative: -1"),
    "short": ([1, 2], r"sample_weight must have the shape \(4,\)"),
    "nan": ([1, 1, 1, np.nan], r"sample_weight\[3\] is nan, not a finite number"),
    "infinite": ([1, 1, np.inf, 1], r"sample_weight\[2\] is inf, not a finite number"),
    "too large": ([1e308] * 4, "sum of sample_weight is too large for float64"),
}


@pytest.mark.parametrize("kind", [np.array, lambda weights: da.from_array(np.array(weights), 2)])
@pytest.mark.parametrize("name", BAD_WEIGHTS)
def test_bad_weights(name, kind):
    weights, message = BAD_WEIGHTS[name]
    X, weights = da.zeros((4, 3), chunks=2), kind(weights)
    with pytest.raises(ValueError, match=message):
        l2h_tree(X, sample_weight=weights)


@pytest.mark.parametrize(
    ("weights", "got"), [(dask.delayed(np.ones)(4), "Delayed"), (Wrapped(da.ones(4)), None)]
)
def test_wrapped_weights(weights, got):
    X = da.zeros((4, 3), chunks=2)
    if got is None:
        assert l2h_tree(X, sample_weight=weights).counts.tolist() == [4, 0, 0]
    else:
        with pytest.raises(TypeError, match=f"A Dask array is needed for sample_weight, got {got}"):
            l2h_tree(X, sample_weight=weights)


def test_bad_chunks_of_weights_are_named():
    X, good = da.zeros((20, 3), chunks=10), da.ones(10)
    bad = da.from_delayed(dask.delayed(unreadable)(), (10,), float)
    with pytest.raises(RuntimeError, match=r"Chunk 1 of sample_weight failed\. OSError: no such"):
        l2h_tree(X, sample_weight=da.concatenate([good, bad]))
    wide = da.from_delayed(dask.delayed(np.ones)((10, 1)), (10,), float)
    with pytest.raises(ValueError, match=r"sample_weight has a chunk of the shape \(10, 1\)"):
        l2h_tree(X, sample_weight=da.concatenate([good, wide]))


@pytest.mark.parametrize("name", ["logits", "distances"])
@pytest.mark.parametrize("persist", [True, False])
def test_chunks_with_other_rows_than_they_say(name, persist):
    """They are what they are, but weights tell no longer whose they are."""
    short = da.from_delayed(dask.delayed(FEATURES[:40], traverse=False), (50, 5), float)
    X = da.concatenate([short, da.from_array(FEATURES[40:], chunks=40)])
    frozen = L2HClustering(FrozenEstimator(MODELS[name]), persist=persist)
    assert same_tree(frozen.fit(X).tree_, frozen.fit(FEATURES).tree_)
    with pytest.raises(ValueError, match="Chunk 0 has 40 rows, and 50 weights"):
        frozen.fit(X, sample_weight=np.ones(130))


def test_what_a_model_makes_of_bad_chunks():
    frozen = L2HClustering(FrozenEstimator(MODELS["logits"]))
    bad = FEATURES.copy()
    bad[70] = np.nan
    with pytest.raises(RuntimeError, match=r"Chunk 1 failed\. ValueError: Input X contains NaN"):
        frozen.fit(da.from_array(bad, chunks=50))


X = da.from_array(FEATURES, chunks=50)
PRECOMPUTED = L2HClustering("precomputed").fit(FEATURES)
REFUSED = {
    "model to be fitted": (lambda: L2HClustering(KMeans(3)).fit(X), "KMeans cannot be fitted on"),
    "score": (
        lambda: L2HClustering(MODELS["logits"]).fit(FEATURES, CLASSES).score(X, CLASSES),
        "A Dask array is not taken here",
    ),
    "support": (lambda: bootstrap_support(PRECOMPUTED, X), "A Dask array is not taken here"),
    "levels": (lambda: suggest_levels(PRECOMPUTED.tree_, X), "A Dask array is not taken here"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_takes_no_dask_array(name):
    call, message = REFUSED[name]
    with pytest.raises(TypeError, match=message):
        call()


def test_wrong_width_to_predict():
    with pytest.raises(ValueError, match="X has 3 features, but L2HClustering is expecting 5"):
        PRECOMPUTED.predict(X[:, :3])
    predicted = L2HClustering(FrozenEstimator(MODELS["logits"])).fit(X).predict(X[:, :3])
    with pytest.raises(ValueError, match=r"Chunk \d: X has 3 features"):
        predicted.compute()


PREDICTIONS = {
    "predict": lambda model, X: model.predict(X, level=2),
    "predict at levels": lambda model, X: model.predict(X, level=[2, 3]),
    "predict_proba": lambda model, X: model.predict_proba(X, level=2),
    "predict_node": lambda model, X: model.predict_node(X),
}


@pytest.mark.parametrize("name", PREDICTIONS)
def test_bad_chunks_to_predict_are_named(name):
    """A narrow chunk with the width it should have is not taken for what it is not."""
    predict = PREDICTIONS[name]
    model = L2HClustering("precomputed").fit(2 * np.eye(3))
    for chunk, error, message in (
        (np.zeros((10, 2)), ValueError, "Chunk 1: it has 2 columns, not 3"),
        (np.array([["a"] * 3]), ValueError, "Chunk 1: logits must be real numbers, got dtype <U1"),
        (np.ma.masked_equal(np.eye(3), 1), ValueError, "Chunk 1: logits has masked entries"),
        (None, RuntimeError, "Chunk 1: TypeError: "),
    ):
        with pytest.raises(error, match=message):
            predict(model, with_chunk(chunk)).compute()


EMPTY = {
    "in the middle": (slice(50, 100), slice(50, 100)),
    "first": (slice(0, 50), slice(0, 50)),
    "all but the last": (slice(0, 100), slice(0, 100)),
    "last, and half of the first": (slice(0, 25), slice(100, 120)),
}


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("where", EMPTY)
@pytest.mark.parametrize("inner", [*MODELS, "precomputed", "tree"])
def test_chunks_of_which_all_rows_were_picked_out(inner, where, weights):
    """They add nothing, whether the numbers of rows are known or not, and with weights."""
    # Of any two of inner model, place, weights and persist, all pairs are among the cases.
    at = [*MODELS, "precomputed", "tree"].index(inner) + list(EMPTY).index(where)
    persist = (at + (weights is None)) % 2 == 0
    picked = np.ones(120, dtype=bool)
    for some in EMPTY[where]:
        picked[some] = False
    mask = da.from_array(picked, chunks=50)
    X = da.from_array(FEATURES, chunks=(50, 3))[mask]
    given, kept = {"sample_weight": None}, {"sample_weight": None}
    if weights is not None:
        X = X.compute_chunk_sizes()
        assert 0 in X.chunks[0]
        given = {"sample_weight": da.from_array(weights, chunks=50)[mask].compute_chunk_sizes()}
        kept = {"sample_weight": weights[picked]}
    rows = FEATURES[picked]
    if inner == "tree":
        assert same_tree(l2h_tree(X, persist=persist, **given), l2h_tree(rows, **kept))
        assert weights is None or same_tree(l2h_tree(X, **kept), l2h_tree(rows, **kept))
        return
    inner = inner if inner == "precomputed" else FrozenEstimator(MODELS[inner])
    model = L2HClustering(inner, n_clusters="auto", persist=persist).fit(X, **given)
    expected = L2HClustering(inner, n_clusters="auto").fit(rows, **kept)
    assert same_tree(model.tree_, expected.tree_)
    assert model.n_clusters_ == expected.n_clusters_
    assert np.array_equal(model.labels_.compute(), expected.labels_)
    assert np.array_equal(model.predict(X).compute(), expected.labels_)


def test_sparse_chunks_without_rows():
    logits = csr_matrix(np.random.default_rng(0).exponential(size=(40, 6)))
    logits.data[logits.indices == 5] -= 9  # a leaf without rows
    parts = [logits[:20], logits[:0], logits[20:]]
    X = da.concatenate(
        [
            da.from_delayed(dask.delayed(part, traverse=False), part.shape, part.dtype)
            for part in parts
        ]
    )
    assert same_tree(l2h_tree(X), l2h_tree(logits))


@pytest.mark.parametrize("name", PREDICTIONS)
@pytest.mark.parametrize("inner", [*MODELS, "precomputed"])
def test_empty_chunks_to_predict_have_no_entries(name, inner):
    """As what is left of chunks when rows are picked out of them."""
    inner = inner if inner == "precomputed" else FrozenEstimator(MODELS[inner])
    model, predict = L2HClustering(inner).fit(FEATURES), PREDICTIONS[name]
    picked = np.arange(len(FEATURES)) >= 50
    found = predict(model, X[da.from_array(picked, chunks=50)]).compute()
    expected = predict(model, FEATURES[picked])
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_without_dask(monkeypatch):
    monkeypatch.setitem(sys.modules, "dask", None)
    with pytest.raises(ImportError, match=r'pip install "skl2h\[dask\]"'):
        l2h_tree(X)


# What follows runs on worker processes, which are started once and stopped at the end.


def within_time(function, *arguments):
    """What a function gives, in a thread, so that a cluster that hangs is a failure."""
    found = {}

    def call():
        try:
            found["value"] = function(*arguments)
        except BaseException as error:
            found["error"] = error

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(SECONDS)
    assert not thread.is_alive(), f"not done in {SECONDS} seconds"
    if "error" in found:
        raise found["error"]
    return found["value"]


# Worker processes are forked from one that has loaded what they need, not each started afresh.
FORKED = {"distributed.worker.multiprocessing-method": "forkserver"}


def start_cluster(n_workers):
    multiprocessing.set_forkserver_preload(
        ["distributed", "skl2h.datasets", "skl2h.merge.distributed.dask_chunks"]
    )
    forkserver.ensure_running()  # now, as Dask would set what is loaded
    return distributed.LocalCluster(
        n_workers=n_workers, threads_per_worker=1, processes=True, dashboard_address=":0"
    )


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes that are started again when they die."""
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "30s", **FORKED}),
        start_cluster(2) as cluster,
    ):
        yield cluster


@pytest.fixture
def client(cluster):
    with distributed.Client(cluster, timeout=SECONDS) as client:
        client.wait_for_workers(2, timeout=SECONDS)
        with dask.config.set(scheduler="dask.distributed"):
            yield client
        assert until(lambda: not held(client)), "chunks are still held"


def held(client):
    """Tasks that workers hold or process."""
    gc.collect()  # errors and their tracebacks hold each other
    return client.run_on_scheduler(
        lambda dask_scheduler: [
            key
            for key, task in dask_scheduler.tasks.items()
            if task.state in ("memory", "processing", "waiting")
        ]
    )


def until(condition):
    """Whether a condition comes true in time."""
    end = time.monotonic() + 20
    while not (is_true := condition()) and time.monotonic() < end:
        time.sleep(0.05)
    return is_true


def planted(lengths, n_leaves=20, seconds=0.0):
    make = dask.delayed(planted_chunk)
    return da.concatenate(
        [
            da.from_delayed(make(i, n_rows, n_leaves, seconds), (n_rows, n_leaves), float)
            for i, n_rows in enumerate(lengths)
        ]
    )


def in_memory(lengths, n_leaves=20):
    return np.concatenate([planted_chunk(i, n, n_leaves) for i, n in enumerate(lengths)])


LENGTHS = [500, 1, 300, 700, 50, 250, 400]


@pytest.mark.parametrize(
    ("aggregation", "persist"), [("sum_of_means", True), ("sum", False), ("mean", False)]
)
def test_worker_processes_give_the_same_tree(client, aggregation, persist):
    weights = np.random.default_rng(0).random(sum(LENGTHS))
    options = {"aggregation": aggregation, "sample_weight": weights}
    X = planted(LENGTHS)
    tree = within_time(lambda: l2h_tree(X, persist=persist, **options))
    assert same_tree(tree, l2h_tree(in_memory(LENGTHS), **options))


@pytest.mark.parametrize("seed", range(4))
def test_chunks_that_are_done_in_any_order(client, seed):
    """Chunks of random lengths that take random times."""
    rng = np.random.default_rng(seed)
    logits = in_memory([600])
    parts = [
        da.from_delayed(dask.delayed(late)(part, rng.uniform(0, 0.1)), part.shape, float)
        for part in np.split(logits, np.cumsum(random_chunks(rng, len(logits)))[:-1])
    ]
    persist = bool(rng.integers(2))
    tree = within_time(lambda: l2h_tree(da.concatenate(parts), persist=persist))
    assert same_tree(tree, l2h_tree(logits))


def test_models_on_worker_processes(client):
    logits = in_memory(LENGTHS)
    model = LogisticRegression(max_iter=1000).fit(logits, logits.argmax(axis=1))
    frozen = L2HClustering(FrozenEstimator(model), n_clusters=4)
    expected = L2HClustering(FrozenEstimator(model), n_clusters=4).fit(logits)
    X = planted(LENGTHS)
    within_time(frozen.fit, X)
    assert same_tree(frozen.tree_, expected.tree_)
    assert np.array_equal(within_time(frozen.labels_.compute), expected.labels_)
    assert np.array_equal(within_time(frozen.predict(X).compute), expected.labels_)


def test_what_was_persisted_stays(client):
    """Chunks that the user holds are not let go, whether a tree is made or not."""
    X = planted(LENGTHS).persist()
    distributed.wait(X, timeout=SECONDS)
    within_time(l2h_tree, X)
    bad = da.concatenate([X, da.full((1, 20), np.nan)]).persist()
    with pytest.raises(ValueError, match=f"Row {sum(LENGTHS)} "):
        within_time(l2h_tree, bad)
    del bad
    assert until(lambda: len(held(client)) == len(LENGTHS))
    assert {future.status for future in distributed.futures_of(X)} == {"finished"}


@pytest.mark.parametrize("chunks", [None, 300])
def test_what_only_a_prediction_holds_is_held(client, chunks):
    """Chunks that the user has let go meanwhile, as they are and cut anew."""
    logits = in_memory(LENGTHS)
    model = L2HClustering("precomputed", n_clusters=4).fit(logits)
    X = planted(LENGTHS).persist()
    distributed.wait(X, timeout=SECONDS)
    predicted = model.predict(X if chunks is None else X.rechunk((chunks, -1)))
    del X
    gc.collect()
    assert np.array_equal(within_time(predicted.compute), model.predict(logits))


@pytest.mark.parametrize("persist", [True, False])
@pytest.mark.parametrize("n_deaths", [1, 2])
def test_workers_that_die_in_the_middle_of_a_pass(client, monkeypatch, n_deaths, persist):
    """What was lost is made again, and the tree is the same."""
    source = DaskChunks
    update, deaths = source.update, []

    def update_and_kill(self, grown):
        if len(deaths) < n_deaths:
            pids = list(client.run(os.getpid).values())
            # A pass that makes its chunks again takes at least 0.2 seconds.
            seconds = 0.02 if persist else 0.1
            killer = threading.Timer(seconds, os.kill, (pids[0], signal.SIGKILL))
            killer.start()
            deaths.append(pids[0])
        return update(self, grown)

    monkeypatch.setattr(source, "update", update_and_kill)
    X = planted(LENGTHS, seconds=0.05)
    tree = within_time(lambda: l2h_tree(X, persist=persist))
    assert len(set(deaths)) == n_deaths
    assert not set(deaths) & set(client.run(os.getpid).values())
    assert same_tree(tree, l2h_tree(in_memory(LENGTHS)))


def test_slow_chunks_give_the_same_tree(client):
    X = planted([100, 100])
    slow = da.concatenate([planted([100], seconds=1.0), planted([100, 100])[100:]])
    assert same_tree(within_time(l2h_tree, slow), within_time(l2h_tree, X))


def test_a_client_that_is_closed_reads_nothing_itself(client, tmp_path):
    """What it asked for is cancelled; it is no fault of a chunk's."""
    here = distributed.Client(client.scheduler.address, set_as_default=True, timeout=SECONDS)
    rows = planted_chunk(0, 100, 20)
    parts = [
        da.from_delayed(dask.delayed(read_by)(rows, str(tmp_path)), rows.shape, float)
        for _ in range(20)
    ]
    closing = threading.Thread(target=lambda: until(lambda: os.listdir(tmp_path)) and here.close())
    closing.start()
    with pytest.raises(CancelledError):
        within_time(lambda: l2h_tree(da.concatenate(parts)))
    closing.join(timeout=SECONDS)
    assert os.listdir(tmp_path)
    assert str(os.getpid()) not in os.listdir(tmp_path)
    client.as_current()


def test_little_is_sent(client):
    """Sums, and neither rows nor the state of them, which would be 3 MB and 1 MB."""
    X = planted([5000] * 4).persist()
    distributed.wait(X, timeout=SECONDS)
    within_time(l2h_tree, planted(LENGTHS))  # whatever is sent once
    before = sent_by_workers(client)
    within_time(l2h_tree, X)
    assert 0 < sent_by_workers(client) - before < 300_000


def sent_by_workers(client):
    """Bytes, all that there were."""
    each = client.run(lambda dask_worker: dask_worker.transfer_outgoing_bytes_total)
    return sum(each.values())


BAD_ON_WORKERS = ["nan", "masked", "narrow", "unreadable"]


@pytest.mark.parametrize("name", BAD_ON_WORKERS)
def test_bad_chunks_on_workers_are_named(client, name):
    make, error, message = BAD[name]
    X = make()
    with pytest.raises(error, match=message):
        within_time(l2h_tree, X)


@pytest.mark.parametrize(("when", "n_failures"), [("at once", 0), ("when it is made again", 2)])
def test_chunk_that_kills_its_workers_is_named(tmp_path, when, n_failures):
    """It is not tried for ever; what ran beside it once or twice is not blamed.

    There are more workers than die, so that none needs to be started again.
    """
    path, rows = tmp_path / "has been here", planted_chunk(0, 100, 20)
    if when == "at once":
        path.touch()
    part = da.from_delayed(dask.delayed(deadly)(rows, str(path)), rows.shape, float)
    X = da.concatenate([planted([100]), part])  # the last: nothing waits behind it
    settings = {
        "distributed.comm.timeouts.connect": "30s",
        "distributed.scheduler.allowed-failures": n_failures,
        **FORKED,
    }
    with (
        dask.config.set(settings),
        start_cluster(n_failures + 2) as cluster,
        distributed.Client(cluster, timeout=SECONDS),
        dask.config.set(scheduler="dask.distributed"),
    ):
        with pytest.raises(RuntimeError, match=r"Chunk 1 failed\. KilledWorker: .*deadly"):
            within_time(lambda: l2h_tree(X, persist=when == "at once"))
        assert same_tree(within_time(l2h_tree, planted([100])), l2h_tree(in_memory([100])))


def interrupt_soon(seconds):
    """Interrupt the main thread, as Ctrl-C does."""
    main = threading.main_thread().ident
    threading.Timer(seconds, signal.pthread_kill, (main, signal.SIGINT)).start()


@pytest.fixture
def interruptible():
    """Python's own answer to Ctrl-C, which a run in the background is told to ignore."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("persist", [True, False])
def test_interrupted_client_leaves_nothing_running(client, persist):
    """The chunks that wait are not made; the `client` fixture sees that none is held."""
    X = planted([100] * 80, seconds=0.5)
    start = time.monotonic()
    interrupt_soon(1.5)
    with pytest.raises(KeyboardInterrupt):
        l2h_tree(X, persist=persist)
    assert until(lambda: not held(client))
    assert time.monotonic() - start < 15  # all of them would take 20
    assert same_tree(within_time(l2h_tree, planted([100])), l2h_tree(in_memory([100])))


def test_joblib_on_dask(client, tmp_path, monkeypatch):
    """Arrays, memory maps and files: tasks carry rows or a path."""
    monkeypatch.setattr("skl2h.merge.distributed.npy_files.SHARD_ENTRIES", 2000)
    logits = in_memory(LENGTHS)
    np.save(tmp_path / "logits.npy", logits)
    mapped = np.load(tmp_path / "logits.npy", mmap_mode="r")
    expected = l2h_tree(logits)

    def tree_of(source):
        with parallel_backend("dask"):
            return l2h_tree(source)

    for source in (logits, mapped, [str(tmp_path / "logits.npy")]):
        assert same_tree(within_time(tree_of, source), expected)


def test_joblib_on_ray(tmp_path, monkeypatch):
    ray = pytest.importorskip("ray")
    from ray.util.joblib import register_ray

    monkeypatch.setattr("skl2h.merge.distributed.npy_files.SHARD_ENTRIES", 2000)
    logits = in_memory(LENGTHS)
    np.save(tmp_path / "logits.npy", logits)
    expected = l2h_tree(logits)
    register_ray()
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        with parallel_backend("ray"):
            for source in (logits, [str(tmp_path / "logits.npy")]):
                assert same_tree(l2h_tree(source), expected)
    finally:
        ray.shutdown()
