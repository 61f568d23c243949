"""Arguments that must be numbers are numbers, or an error says so; columns name the leaves."""

import re
import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

from skl2h import (
    TEMI,
    TURTLE,
    L2HClustering,
    MergeTree,
    bootstrap_support,
    l2h_tree,
    merge_evidence,
    suggest_levels,
)
from skl2h.exceptions.arrays import as_array, column_names
from skl2h.metrics import (
    clustering_accuracy,
    dasgupta_cost,
    dendrogram_purity,
    leaf_purity,
    superclass_purity,
)


def dask_frames():
    try:
        import dask.dataframe
    except ImportError:
        pytest.skip("data frames need more than dask[array]")
    return dask.dataframe


LOGITS = np.random.default_rng(0).normal(size=(40, 4)) * 3
TREE = l2h_tree(LOGITS)
MODEL = L2HClustering("precomputed").fit(LOGITS)
READERS = {
    "l2h_tree": l2h_tree,
    "fit": L2HClustering("precomputed").fit,
    "fit of probabilities": L2HClustering("precomputed", input="probabilities").fit,
    "predict": MODEL.predict,
    "predict_proba": MODEL.predict_proba,
    "predict_node": MODEL.predict_node,
    "suggest_levels of a model": lambda X: suggest_levels(MODEL, X),
    "suggest_levels of a tree": lambda X: suggest_levels(TREE, X),
    "merge_evidence": lambda X: merge_evidence(MODEL, X),
    "bootstrap_support": lambda X: bootstrap_support(MODEL, X),
}


def with_entry(entry):
    rows = LOGITS.tolist()
    rows[2][1] = entry
    return rows


NO_NUMBERS = {
    "None": (with_entry(None), "object"),
    "Decimal": (with_entry(Decimal(1)), "object"),
    "Fraction": (with_entry(Fraction(1, 2)), "object"),
    "too large": (with_entry(10**400), "object"),
    "dictionary": (with_entry({}), "object"),
    "text": (LOGITS.astype(str), "<U"),
    "bytes": (LOGITS.astype("S9"), r"\|S9"),
    "objects": (LOGITS.astype(object), "object"),
    "complex": (LOGITS.astype(complex), "complex128"),
    "dates": (LOGITS.astype("M8[s]"), "datetime64"),
    "durations": (LOGITS.astype("m8[s]"), "timedelta64"),
    "structured": (np.zeros((40, 4), dtype=[("a", float)]), r"\[\('a', '<f8'\)\]"),
    "sparse complex": (csr_matrix(LOGITS.astype(complex)), "complex128"),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", NO_NUMBERS)
def test_logits_that_are_no_numbers(name, reader):
    given, dtype = NO_NUMBERS[name]
    remedy = "take the real part" if "complex" in dtype else r"convert with astype\(float\)"
    message = rf"logits must be real numbers, got dtype {dtype}.*: {remedy}"
    with pytest.raises(ValueError, match=message):
        READERS[reader](given)


NO_MATRIX = {
    "nothing": (None, "real numbers in an array or a list, got None"),
    "text": ("abc", "Files are taken as a list"),
    "ragged": ([[1.0, 2.0], [3.0]], r"lines of one length, got \[\[1\.0, 2\.0\], \[3\.0\]\]"),
    "one dimension": (LOGITS[0], "Expected 2D array, got 1D array"),
    "three dimensions": (LOGITS[np.newaxis], "Found array with dim 3"),
    "no rows": (LOGITS[:0], r"Found array with 0 sample\(s\)"),
    "no columns": (LOGITS[:, :0], r"Found array with 0 feature\(s\)"),
}


def test_a_generator_of_rows_is_listed_where_an_estimator_reads_it():
    with pytest.raises(ValueError, match="real numbers in an array or a list, got <generator"):
        l2h_tree(row for row in LOGITS)
    model = L2HClustering("precomputed").fit(row for row in LOGITS)
    assert np.array_equal(model.predict(row for row in LOGITS), model.labels_)
    assert model.tree_ == l2h_tree(LOGITS)


@pytest.mark.parametrize("reader", ["l2h_tree", "fit", "predict"])
@pytest.mark.parametrize("name", NO_MATRIX)
def test_logits_that_are_no_matrix(name, reader):
    given, message = NO_MATRIX[name]
    error = TypeError if name == "text" else ValueError
    with pytest.raises(error, match=message):
        READERS[reader](given)


@pytest.mark.parametrize("dtype", ["category", "str", "object", "datetime64[ns]", "complex"])
@pytest.mark.parametrize("reader", READERS)
def test_columns_that_are_no_numbers_are_named(reader, dtype):
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame(LOGITS.round(), columns=["cat", "dog", "car", "bus"])
    table = table.astype({"car": dtype})
    with pytest.raises(ValueError, match=r"got dtype .* in column 'car': (convert with|take)"):
        READERS[reader](table)


@pytest.mark.parametrize("dtype", [object, complex, "M8[s]", "U3"])
@pytest.mark.parametrize("reader", ["l2h_tree", "fit", "predict"])
def test_dask_arrays_are_refused_before_they_are_read(reader, dtype):
    da = pytest.importorskip("dask.array")
    dask = pytest.importorskip("dask")

    def never_read():
        raise AssertionError("it was read")

    X = da.from_delayed(dask.delayed(never_read)(), (40, 4), np.dtype(dtype))
    with pytest.raises(ValueError, match="logits must be real numbers, got dtype"):
        READERS[reader](X)
    with pytest.raises(ValueError, match="sample_weight must be real numbers, got dtype"):
        l2h_tree(da.from_array(LOGITS), sample_weight=X[:, 0])


@pytest.mark.parametrize("reader", ["l2h_tree", "fit", "predict"])
def test_dask_frames_are_refused_before_they_are_read(reader):
    pd = pytest.importorskip("pandas")
    dd = dask_frames()
    table = pd.DataFrame(LOGITS, columns=list("abcd")).astype({"c": "category"})
    X = dd.from_pandas(table, npartitions=3)
    with pytest.raises(ValueError, match="got dtype category in column 'c'"):
        READERS[reader](X)


@pytest.mark.parametrize("dtype", [object, "U3", complex])
def test_files_of_no_numbers(tmp_path, dtype):
    np.save(tmp_path / "a.npy", LOGITS.astype(dtype), allow_pickle=True)
    with pytest.raises(ValueError, match=r"a.npy (cannot be read: it holds|has an array of)"):
        l2h_tree([tmp_path / "a.npy"])


NULLABLE = ["Float64", "Float32", "Int64", "boolean", "float64[pyarrow]", "int64[pyarrow]"]


@pytest.mark.parametrize("dtype", NULLABLE)
def test_columns_that_may_lack_entries(dtype):
    """They are numbers; a missing entry is NaN, and the error names its row."""
    pd = pytest.importorskip("pandas")
    if "pyarrow" in dtype:
        pytest.importorskip("pyarrow")
    whole = (LOGITS > 0).astype(float) * 2 - (dtype in ("Float64", "Float32", "Int64"))
    whole = whole > 1 if dtype == "boolean" else whole
    table = pd.DataFrame(whole, columns=list("abcd")).astype({"b": dtype, "c": dtype})
    assert as_array("logits", table).tolist() == whole.astype(float).tolist()
    assert l2h_tree(table).children.tolist() == l2h_tree(whole).children.tolist()
    table.loc[5, "c"] = pd.NA
    with pytest.raises(ValueError, match="Row 5 of the logits has NaN in column 2"):
        l2h_tree(table)


def test_tables_of_several_dtypes():
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"a": [True, False], "b": np.int8([3, 4]), "c": np.float32([0.5, 1])})
    assert as_array("logits", table).tolist() == [[1, 3, 0.5], [0, 4, 1]]
    sparse = pd.DataFrame({"a": [0.0, 2.0]}).astype(pd.SparseDtype(float, 0.0))
    assert as_array("logits", sparse).tolist() == [[0], [2]]
    one = pd.DataFrame(LOGITS.astype(np.float32))
    assert np.shares_memory(as_array("logits", one), one.to_numpy())


def sparse_rows():
    """Sparse rows with some entries that are stored zeros, and others that are not stored."""
    dense = LOGITS.copy()
    dense[np.arange(40), np.arange(40) % 4] = 0
    rows = csr_matrix(dense)
    rows.data[::5] = 0
    return rows


@pytest.mark.parametrize("reader", READERS)
def test_a_sparse_frame_is_read_as_its_matrix(reader):
    pd = pytest.importorskip("pandas")
    rows = abs(sparse_rows()) if "probabilities" in reader else sparse_rows()
    frame = pd.DataFrame.sparse.from_spmatrix(rows)
    found, expected = READERS[reader](frame), READERS[reader](rows)
    assert str(getattr(found, "children_", found)) == str(getattr(expected, "children_", expected))


def test_what_a_sparse_frame_does_not_store_is_impossible():
    pd = pytest.importorskip("pandas")
    rows = sparse_rows()
    frame = pd.DataFrame.sparse.from_spmatrix(rows, columns=list("abcd"))
    read = as_array("logits", frame, accept_sparse=True)
    assert (read.format, read.nnz, read.dtype) == ("csr", rows.nnz, rows.dtype)
    assert as_array("affinity", frame).tolist() == rows.toarray().tolist()
    model = L2HClustering("precomputed").fit(frame)
    impossible = np.arange(40)[:, np.newaxis] % 4 == np.arange(4)
    assert np.array_equal(model.predict_proba(frame) == 0, impossible)
    assert model.tree_.names == tuple("abcd")


def sparse_frame(**columns):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [0.0, 1.0], "b": [2.0, 0.0]})
    return frame.astype({name: pd.SparseDtype(float, fill) for name, fill in columns.items()})


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": np.nan, "b": np.nan}, r"the column 'a' has the dtype Sparse\[float64, nan\]"),
        ({"a": 0.0, "b": -np.inf}, r"the column 'b' has the dtype Sparse\[float64, -inf\]"),
        ({"a": 0.0}, "the column 'b' has the dtype float64"),
    ],
)
@pytest.mark.parametrize("reader", ["l2h_tree", "fit", "predict"])
def test_sparse_frames_that_do_not_say_what_is_impossible(columns, message, reader):
    frame = sparse_frame(**columns)
    remedy = r".*Give \.sparse\.to_coo\(\) of .*, or give \.sparse\.to_dense\(\)"
    with pytest.raises(ValueError, match=f"logits is a sparse frame, .*{message}{remedy}"):
        READERS[reader](frame)
    assert as_array("affinity", frame).tolist() == [[0, 2], [1, 0]]


MASK = np.zeros((40, 4), dtype=bool)
MASK[3, 2] = True


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", [np.ma.asarray, list], ids=["array", "list of lines"])
def test_masked_logits(reader, kind):
    masked = kind(np.ma.masked_array(LOGITS, MASK))
    with pytest.raises(ValueError, match=r"logits has masked entries.*filled\(\), or leave them"):
        READERS[reader](masked)


def test_arrays_of_which_nothing_is_masked():
    assert l2h_tree(np.ma.masked_array(LOGITS, np.zeros_like(MASK))) == TREE
    assert np.array_equal(MODEL.predict(np.ma.asarray(LOGITS)), MODEL.labels_)


def masked(values):
    mask = np.zeros(np.shape(values), dtype=bool)
    mask.flat[1] = True
    return np.ma.masked_array(values, mask)


def fitted_dask(weights):
    da = pytest.importorskip("dask.array")
    l2h_tree(da.from_array(LOGITS, chunks=20), sample_weight=da.from_array(weights, chunks=20))


class NeverFitted(KMeans):
    def fit(self, X, y=None, sample_weight=None):
        raise AssertionError("it was fitted")


def soft(kind):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return kind(2, max_iter=2, random_state=0).fit(LOGITS)


def of_rows():
    return L2HClustering(KMeans(3, n_init=1, random_state=0)).fit(LOGITS)


CHAIN = [(0, 1), (2, 3), (4, 5)]
LEAVES = np.arange(40) % 4
MASKED = {
    "sample_weight": lambda: l2h_tree(LOGITS, sample_weight=masked(np.ones(40))),
    "sample_weight ": lambda: merge_evidence(MODEL, LOGITS, sample_weight=masked(np.ones(40))),
    "sample_weight  ": lambda: fitted_dask(masked(np.ones(40))),
    "children": lambda: MergeTree(masked(CHAIN)),
    "scores": lambda: MergeTree(CHAIN, scores=masked([1.0, 2.0, 3.0])),
    "counts": lambda: MergeTree(CHAIN, counts=masked([1, 2, 3, 4])),
    "support": lambda: MergeTree(CHAIN, support=masked([1.0, 1.0, 1.0])),
    "linkage": lambda: MergeTree.from_linkage(masked(TREE.to_linkage())),
    "y": lambda: clustering_accuracy(masked(LEAVES), LEAVES),
    "leaf_labels": lambda: leaf_purity(masked(LEAVES), LEAVES),
    "leaf_labels ": lambda: dendrogram_purity(TREE, masked(LEAVES), LEAVES),
    "leaf_classes": lambda: superclass_purity(TREE, masked([0, 0, 1, 1])),
    "similarity": lambda: dasgupta_cost(TREE, masked(np.ones((4, 4)))),
    "X": lambda: TURTLE(2).fit(masked(LOGITS)),
    "X ": lambda: soft(TURTLE).predict(masked(LOGITS)),
    "X  ": lambda: soft(TURTLE).predict_proba(masked(LOGITS)),
    "X   ": lambda: soft(TEMI).predict(masked(LOGITS)),
    "X    ": lambda: soft(TEMI).predict_proba(masked(LOGITS)),
    "feature_groups.0.": lambda: TURTLE(2, feature_groups=[masked([0, 1])]).fit(LOGITS),
    "a": lambda: TREE.lca(masked([0, 1]), 1),
    "b": lambda: TREE.lca(1, masked([0, 1])),
    "X     ": lambda: L2HClustering(NeverFitted()).fit(masked(LOGITS)),
    "y ": lambda: L2HClustering(NeverFitted()).fit(LOGITS, masked(LEAVES)),
    **{
        f"X of {method}": lambda method=method: getattr(of_rows(), method)(masked(LOGITS))
        for method in ("predict", "predict_proba", "predict_node", "score")
    },
    "X of evidence": lambda: merge_evidence(of_rows(), masked(LOGITS)),
    "X of levels": lambda: suggest_levels(of_rows(), masked(LOGITS)),
    "What the response function gave": lambda: L2HClustering(
        KMeans(2, n_init=1), response_method=lambda model, X: masked(LOGITS)
    ).fit(LOGITS),
}


@pytest.mark.parametrize("name", MASKED)
def test_masks_are_never_lost(name):
    what = name.removesuffix(name[1:]) if name.startswith("X") else name.strip()
    with pytest.raises(ValueError, match=f"{what} has masked entries"):
        MASKED[name]()


@pytest.mark.parametrize("kind", [TURTLE, TEMI])
@pytest.mark.parametrize("method", ["fit", "predict"])
@pytest.mark.parametrize(
    ("given", "dtype"),
    [(with_entry(None), "object"), (LOGITS.astype(str).tolist(), "<U"), (LOGITS.astype("S"), ".S")],
    ids=["None", "text", "bytes"],
)
def test_features_that_are_no_numbers(kind, method, given, dtype):
    model = soft(kind)
    with pytest.raises(ValueError, match=f"X must be real numbers, got dtype {dtype}"):
        getattr(model, method)(given)


def test_a_masked_name_is_none():
    names = np.ma.masked_array(list("abcd"), [0, 1, 0, 0])
    for of in (
        lambda: MergeTree(CHAIN, names=names),
        lambda: TREE.with_names(names),
        lambda: TREE.with_names({1: np.ma.masked}),
    ):
        with pytest.raises(ValueError, match=r"names\[1\] is masked, which is not a name"):
            of()


BAD_WEIGHTS = {
    "None": [1.0, None] * 20,
    "Decimal": [Decimal(1)] * 40,
    "text": ["1"] * 40,
    "complex": np.ones(40, dtype=complex),
    "dates": np.ones(40, dtype="M8[s]"),
}


@pytest.mark.parametrize("name", BAD_WEIGHTS)
@pytest.mark.parametrize(
    "call",
    [l2h_tree, L2HClustering("precomputed").fit, lambda X, **kw: bootstrap_support(MODEL, X, **kw)],
    ids=["l2h_tree", "fit", "bootstrap_support"],
)
def test_weights_that_are_no_numbers(call, name):
    with pytest.raises(ValueError, match=r"sample_weight must be real numbers, got dtype .*: ."):
        call(LOGITS, sample_weight=BAD_WEIGHTS[name])


@pytest.mark.parametrize("weights", [3.0, np.ones((40, 1)), [], np.ones(39)])
def test_weights_of_another_shape(weights):
    with pytest.raises(
        ValueError, match=r"sample_weight must have the shape \(40,\), one for each"
    ):
        l2h_tree(LOGITS, sample_weight=weights)


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "float64"])
@pytest.mark.parametrize("kind", ["Series", "array", "Index"])
def test_weights_of_pandas(kind, dtype):
    pd = pytest.importorskip("pandas")
    weights = np.arange(40) % 3
    given = getattr(pd, kind)(weights, dtype=dtype)
    assert l2h_tree(LOGITS, sample_weight=given) == l2h_tree(LOGITS, sample_weight=weights)


# Names.


def pandas_frame(labels):
    return pytest.importorskip("pandas").DataFrame(LOGITS, columns=labels)


def polars_frame(labels):
    return pytest.importorskip("polars").DataFrame(dict(zip(labels, LOGITS.T)))


def arrow_table(labels):
    return pytest.importorskip("pyarrow").table(list(LOGITS.T), names=labels)


def xarray_table(labels):
    xarray = pytest.importorskip("xarray")
    return xarray.DataArray(LOGITS, dims=("row", "cluster"), coords={"cluster": labels})


def xarray_of_dask(labels):
    xarray = pytest.importorskip("xarray")
    da = pytest.importorskip("dask.array")
    X = da.from_array(LOGITS, chunks=(15, 4))
    return xarray.DataArray(X, dims=("row", "cluster"), coords={"cluster": labels})


def dask_frame(labels):
    dd = dask_frames()
    return dd.from_pandas(pandas_frame(labels), npartitions=3)


class Labelled:
    """Rows in the container of a library, with labels of the columns."""

    shape = LOGITS.shape
    columns = tuple(LOGITS.T)  # as Arrow has them

    def __init__(self, labels):
        self.labels = labels

    @property
    def column_names(self):
        return self.labels

    def __array__(self, dtype=None, copy=None):
        return LOGITS


TABLES = {
    "pandas": pandas_frame,
    "polars": polars_frame,
    "Arrow": arrow_table,
    "xarray": xarray_table,
    "Dask": dask_frame,
    "xarray of Dask": xarray_of_dask,
    "some": Labelled,
}


@pytest.mark.parametrize("kind", TABLES)
def test_labels_of_columns_name_the_leaves(kind):
    labels = ["cat", "dog", "car", "bus"]
    table = TABLES[kind](labels)
    assert l2h_tree(table).names == tuple(labels)
    model = L2HClustering("precomputed").fit(table)
    assert model.tree_.names == tuple(labels)
    assert np.array_equal(np.asarray(model.predict(table)), MODEL.labels_)
    # scikit-learn before 1.9 does not read the names of the newest polars.
    known = kind != "some"
    if kind == "polars":
        known = hasattr(StandardScaler().fit(table), "feature_names_in_")
    if known:
        assert model.feature_names_in_.tolist() == labels


@pytest.mark.parametrize("kind", ["pandas", "Arrow", "xarray", "Dask", "xarray of Dask", "some"])
def test_two_columns_of_one_name(kind):
    """For example, ImageNet has two classes named crane."""
    labels = ["crane", "dog", "crane", "bus"]
    table = TABLES[kind](labels)
    assert l2h_tree(table).names == tuple(labels)
    model = L2HClustering("precomputed", n_clusters=2).fit(table)
    assert model.tree_.names == tuple(labels)
    assert model.feature_names_in_.tolist() == labels
    assert model.n_features_in_ == 4
    assert np.array_equal(np.asarray(model.predict(table, level=4)), MODEL.labels_)
    other = TABLES[kind](["crane", "crane", "dog", "bus"])
    with pytest.raises(ValueError, match="those of fit, in their order: crane, dog, crane, bus, "):
        model.predict(other)
    found = MODEL.predict(table)  # fitted without names
    assert np.array_equal(np.asarray(found), MODEL.labels_)


@pytest.mark.parametrize(
    ("fitted", "given"),
    [("twice", "once"), ("once", "twice")],
)
def test_one_name_twice_in_fit_or_in_predict(fitted, given):
    tables = {"twice": ["a", "b", "b", "c"], "once": ["a", "b", "c", "d"]}
    model = L2HClustering("precomputed").fit(pandas_frame(tables[fitted]))
    other = pandas_frame(tables[given])
    with pytest.raises(ValueError, match=r"(those of fit, in their order|feature names should)"):
        model.predict(other)


def test_columns_of_xarray_in_another_order():
    model = L2HClustering("precomputed").fit(xarray_table(list("abcd")))
    other = xarray_table(list("bacd"))
    with pytest.raises(ValueError, match="in their order: a, b, c, d, got b, a, c, d"):
        model.predict(other)


def several_levels():
    pd = pytest.importorskip("pandas")
    return pd.MultiIndex.from_tuples([("pet", 1), ("pet", 2), ("car", 1), ("car", 2)])


LABELS = {
    "integers": lambda: [10, 20, 30, 40],
    "floats": lambda: [0.5, 1.5, 2.5, 3.5],
    "numbers in another order": lambda: [3, 1, 0, 2],
    "several levels": several_levels,
    "times": lambda: pytest.importorskip("pandas").date_range("2020", periods=4),
}


@pytest.mark.parametrize("kind", ["pandas", "Dask"])
@pytest.mark.parametrize("labels", LABELS)
def test_labels_that_are_no_texts_are_in_their_order(labels, kind):
    """scikit-learn compares only labels that are texts."""
    table = TABLES[kind](LABELS[labels]())
    model = L2HClustering("precomputed").fit(table)
    moved = table[[table.columns[at] for at in (3, 1, 2, 0)]]
    other = TABLES[kind]([10, 20, 30, 50])
    message = r"logits are the leaves in another order: column 0 is '.*', and leaf 0 '"
    for read in (model.predict, model.predict_proba, model.predict_node):
        with pytest.raises(ValueError, match=message):
            read(moved)
        with pytest.raises(ValueError, match="columns of X should be those of fit, in their order"):
            read(other)
    assert np.array_equal(np.asarray(model.predict(table)), MODEL.labels_)
    assert np.array_equal(model.predict(LOGITS), MODEL.labels_)


@pytest.mark.parametrize("kind", ["Arrow", "some"])
def test_columns_of_other_tables_are_in_their_order(kind):
    model = L2HClustering("precomputed").fit(TABLES[kind](list("abcd")))
    other = TABLES[kind](list("bacd"))
    with pytest.raises(ValueError, match=r"in another order|feature names should match"):
        model.predict(other)


def test_labels_that_count_say_nothing():
    """Except where the leaves are named by the same numbers in another order."""
    table = pytest.importorskip("pandas").DataFrame(LOGITS)
    model = L2HClustering("precomputed").fit(table.set_axis([10, 20, 30, 40], axis=1))
    assert np.array_equal(model.predict(table), MODEL.labels_)
    labelled = table.set_axis([10, 20, 30, 40], axis=1)
    assert np.array_equal(MODEL.predict(labelled), MODEL.labels_)
    moved = table[[1, 0, 2, 3]]
    with pytest.raises(ValueError, match="leaves in another order: column 0 is '1'"):
        L2HClustering("precomputed").fit(table).predict(moved)
    model = L2HClustering("precomputed").fit(moved)
    with pytest.raises(ValueError, match=r"Give .*, or as an array without labels"):
        model.predict(table)


def test_a_missing_label_is_no_leaf():
    table = pytest.importorskip("pandas").DataFrame(LOGITS, columns=["a", "b", "c", np.nan])
    assert len(suggest_levels(TREE, table)) == 2


def test_labels_of_several_types_are_refused_before_a_model_changes():
    model = L2HClustering("precomputed").fit(LOGITS)
    before = dict(vars(model))
    with pytest.raises(TypeError, match=r"several types, int, str: .* X\.columns\.astype\(str\)"):
        model.fit(pandas_frame(["a", "b", "c", 3]))
    assert vars(model) == before
    assert model.fit(pandas_frame([0, 1, 2, 3])).n_features_in_ == 4
    assert not hasattr(model, "feature_names_in_")


def test_a_refit_without_names_forgets_them():
    model = L2HClustering("precomputed").fit(pandas_frame(["a", "b", "b", "c"])).fit(LOGITS)
    assert not hasattr(model, "feature_names_in_")
    assert np.array_equal(model.predict(LOGITS), MODEL.labels_)


def test_columns_that_are_counted_are_numbers():
    table = pytest.importorskip("pandas").DataFrame(LOGITS)
    assert l2h_tree(table) == TREE
    model = L2HClustering("precomputed").fit(table)
    assert not hasattr(model, "feature_names_in_")
    named = l2h_tree(pandas_frame(list("abcd")))
    assert np.array_equal(suggest_levels(named, table), suggest_levels(TREE, LOGITS))


def test_labels_of_several_levels_are_joined():
    pd = pytest.importorskip("pandas")
    labels = pd.MultiIndex.from_product([["pet", "traffic"], ["one", 2]])
    table = pd.DataFrame(LOGITS, columns=labels)
    expected = ("pet / one", "pet / 2", "traffic / one", "traffic / 2")
    assert l2h_tree(table).names == L2HClustering("precomputed").fit(table).tree_.names == expected


@pytest.mark.parametrize("kind", ["pandas", "polars", "Dask"])
def test_labels_that_are_names_of_attributes(kind):
    labels = ["dims", "column_names", "coords", "shape"]
    assert l2h_tree(TABLES[kind](labels)).names == tuple(labels)


NAMES = {
    "array": (LOGITS, None),
    "list": (LOGITS.tolist(), None),
    "sparse": (csr_matrix(LOGITS), None),
    "method": (type("Relation", (), {"columns": lambda self: None})(), None),
}


@pytest.mark.parametrize("name", NAMES)
def test_what_has_no_labels(name):
    table, expected = NAMES[name]
    assert column_names(table) == expected


def test_files_in_a_series(tmp_path):
    pd = pytest.importorskip("pandas")
    paths = [tmp_path / "a.npy", str(tmp_path / "b.npy")]
    np.save(paths[0], LOGITS[:30])
    np.save(paths[1], LOGITS[30:])
    assert l2h_tree(pd.Series(paths, index=[7, 3])) == l2h_tree(paths)
    one = pd.Series(paths[:1])
    with pytest.raises(TypeError, match=r"Files are taken by l2h_tree\(paths\)"):
        L2HClustering("precomputed").fit(one)


@pytest.mark.parametrize("reader", ["l2h_tree", "fit", "predict"])
@pytest.mark.parametrize(
    ("mixed", "at"), [(["a.npy", 3], 1), ([LOGITS, "a.npy"], 0), (["a.npy", None], 1)]
)
def test_files_and_something_else(reader, mixed, at):
    with pytest.raises(TypeError, match=rf"a list of paths alone, but logits\[{at}\] is"):
        READERS[reader](mixed)


@pytest.mark.parametrize("reader", READERS)
def test_a_lazy_frame_has_no_rows_yet(reader):
    lazy = pytest.importorskip("polars").DataFrame(LOGITS).lazy()
    with pytest.raises(ValueError, match=r"logits is a LazyFrame, .* give \.collect\(\) of it"):
        READERS[reader](lazy)


def test_labels_of_rows_may_be_the_values_of_a_mapping():
    rows = dict(enumerate(LEAVES.tolist()))
    expected = leaf_purity(LEAVES, LEAVES % 2)
    assert leaf_purity(rows.values(), [leaf % 2 for leaf in rows.values()]) == expected
    of_pairs = dendrogram_purity(TREE, LEAVES, LEAVES % 2)
    assert dendrogram_purity(TREE, rows.values(), (leaf % 2 for leaf in rows.values())) == of_pairs


def test_an_error_is_of_one_line():
    with pytest.raises(ValueError) as raised:  # noqa: PT011 (matched below)
        l2h_tree(LOGITS.astype(object))
    assert re.fullmatch(r"logits must .*\.", str(raised.value))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_labels_that_a_response_function_gives_name_the_leaves(library):
    frames = pytest.importorskip(library)

    def asked(model, X):
        return frames.DataFrame(dict(zip(columns, -model.transform(X).T)))

    columns = ["a", "b", "c"]
    model = L2HClustering(KMeans(3, n_init=1, random_state=0), response_method=asked).fit(LOGITS)
    assert model.tree_.names == ("a", "b", "c")
    assert np.array_equal(model.predict(LOGITS), model.labels_)
    columns = ["b", "a", "c"]
    with pytest.raises(ValueError, match="Column 0 of the model is named 'b', leaf 0 of the tree "):
        model.predict(LOGITS)
    columns = range(3) if library == "pandas" else ["0", "1", "2"]
    assert model.fit(LOGITS).tree_.names == ("0", "1", "2")


def test_numbers_of_any_table_may_come_from_a_response_function():
    """Lists, and columns of pandas' own dtypes, but not text."""
    pd = pytest.importorskip("pandas")
    inner = KMeans(3, n_init=1, random_state=0)
    plain = L2HClustering(inner, response_method=lambda model, X: -model.transform(X)).fit(LOGITS)
    for kind in (np.ndarray.tolist, lambda scores: pd.DataFrame(scores).convert_dtypes()):
        model = L2HClustering(
            inner, response_method=lambda model, X, kind=kind: kind(-model.transform(X))
        )
        assert np.array_equal(model.fit(LOGITS).children_, plain.children_)
    model = L2HClustering(inner, response_method=lambda model, X: [["a", "b"]] * len(X))
    with pytest.raises(ValueError, match="What the response function gave must be real numbers"):
        model.fit(LOGITS)
