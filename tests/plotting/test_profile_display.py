"""The matrix of profiles beside its tree."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.cluster import AgglomerativeClustering
from sklearn.exceptions import NotFittedError
from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix
from sklearn.pipeline import make_pipeline

from skl2h import (
    L2HClustering,
    MergeTree,
    ProfileMatrixDisplay,
    confusion_tree,
    profile_matrix,
)
from skl2h.datasets import make_hierarchical_logits
from skl2h.exceptions import StrandedGroupWarning

pytest.importorskip("matplotlib").use("Agg")


def test_it_shows_the_matrix_of_profiles():
    logits = np.random.default_rng(0).normal(size=(40, 6))
    model, weights = L2HClustering("precomputed").fit(logits), np.arange(40)
    display = ProfileMatrixDisplay.from_estimator(model, logits, sample_weight=weights)
    profiles = profile_matrix(model, logits, sample_weight=weights)
    assert_array_equal(display.profiles, profiles)


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("leaf_order", ["similarity", "name"])
def test_the_matrix_is_in_the_order_of_its_tree_and_labels(normalize, leaf_order):
    logits, _, _ = make_hierarchical_logits(500, 12, random_state=0)
    model = make_pipeline(L2HClustering("precomputed", n_clusters=3)).fit(logits)
    display = ProfileMatrixDisplay.from_estimator(
        model, logits, normalize=normalize, leaf_order=leaf_order
    )
    display.figure_.draw_without_rendering()
    leaves = display.dendrogram_.layout_.tips
    table = display.profiles / (display.profiles.sum(axis=1, keepdims=True) if normalize else 1)
    drawn = display.image_.get_array()
    assert_allclose(drawn.filled(0.0), table[np.ix_(leaves, leaves)])
    assert drawn.mask[np.diag_indices(12)].all()
    for labels in (display.ax_.get_xticklabels(), display.ax_.get_yticklabels()):
        assert [label.get_text() for label in labels] == [str(leaf) for leaf in leaves]
    # A leaf of the tree is as high up as its line of the matrix.
    of_tree, of_matrix = display.dendrogram_.ax_, display.ax_
    for place in range(12):
        beside = of_tree.transData.transform((0, -place))[1]
        assert_allclose(of_matrix.transData.transform((0, place))[1], beside, atol=1e-6)
    groups = model[-1].tree_.cut(3)[leaves]
    assert len(display.outlines_.get_paths()) == 3
    for path in display.outlines_.get_paths():
        (low, _), (high, _) = path.vertices.min(axis=0), path.vertices.max(axis=0)
        assert len(set(groups[int(low + 0.5) : int(high + 0.5)])) == 1


def test_faults_of_the_matrix():
    with pytest.raises(ValueError, match=r"profiles must have the shape \(2, 2\), got \(3, 3\)"):
        ProfileMatrixDisplay(MergeTree([(0, 1)]), np.zeros((3, 3))).plot()
    model = AgglomerativeClustering().fit(np.eye(4))
    with pytest.raises(TypeError, match="A fitted L2HClustering is needed"):
        ProfileMatrixDisplay.from_estimator(model, np.eye(4))
    with pytest.raises(NotFittedError):
        ProfileMatrixDisplay.from_estimator(L2HClustering("precomputed"), np.eye(4))


ANIMALS = ["cat", "truck", "dog", "car"]
MATRIX = np.array([[50, 0, 9, 1], [1, 44, 0, 15], [8, 2, 51, 0], [0, 20, 1, 40]])


def written(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


@pytest.mark.parametrize("normalize", [False, True])
def test_a_confusion_matrix_is_in_the_order_of_its_tree(normalize):
    """Whichever class comes first: its line, its column and its leaf have the same place."""
    rng = np.random.default_rng(0)
    matrix, names = rng.poisson(rng.exponential(9, (9, 9))), [f"class {i}" for i in range(9)]
    display = ProfileMatrixDisplay.from_confusion(
        matrix, names=names, normalize=normalize, leaf_order="merge", level=3
    )
    display.figure_.draw_without_rendering()
    assert display.tree == confusion_tree(matrix, names=names)
    assert display.tree.method == "affinity"
    leaves = display.tree.leaf_order
    assert_array_equal(display.dendrogram_.layout_.tips, leaves)
    for axis in (display.ax_.xaxis, display.ax_.yaxis):
        assert written(axis) == [names[leaf] for leaf in leaves]
    errors = matrix - np.diag(np.diag(matrix))
    assert_array_equal(display.profiles, errors)
    expected = errors / errors.sum(axis=1, keepdims=True) if normalize else errors
    drawn = display.image_.get_array()
    assert_allclose(drawn.filled(0.0), expected[np.ix_(leaves, leaves)])
    assert drawn.mask[np.diag_indices(9)].all()
    assert len(display.outlines_.get_paths()) == 3


def test_it_is_turned_as_that_of_scikit_learn():
    """Lines are true classes, columns predicted ones; what both draw is the same but for the order.

    The diagonal, which has what is right, is drawn only there.
    """
    rng = np.random.default_rng(1)
    true = rng.integers(6, size=400)
    predicted = np.where(rng.random(400) < 0.5, true, rng.integers(6, size=400) // 2)
    names = np.array(list("fedcba"))
    theirs = ConfusionMatrixDisplay.from_predictions(true, predicted, display_labels=names)
    ours = ProfileMatrixDisplay.from_confusion(
        confusion_matrix(true, predicted), names=names, normalize=False
    )
    assert (ours.ax_.get_xlabel(), ours.ax_.get_ylabel()) == ("predicted class", "true class")
    assert (theirs.ax_.get_xlabel(), theirs.ax_.get_ylabel()) == ("Predicted label", "True label")

    def entries(display, image):
        display.ax_.figure.draw_without_rendering()
        rows, columns = written(display.ax_.yaxis), written(display.ax_.xaxis)
        values = np.ma.filled(image.get_array(), np.nan)
        return {(a, b): values[i, j] for i, a in enumerate(rows) for j, b in enumerate(columns)}

    ours, theirs = entries(ours, ours.image_), entries(theirs, theirs.im_)
    assert ours.keys() == theirs.keys()
    assert all(ours[a, b] == theirs[a, b] for a, b in ours if a != b)
    assert all(np.isnan(ours[a, a]) for a in names)


def test_titles_say_what_the_matrix_is():
    for normalize, unit in ((True, "share of the errors of a class"), (False, "entry of the matr")):
        display = ProfileMatrixDisplay.from_confusion(MATRIX, normalize=normalize)
        assert unit in display.colorbar_.ax.get_xlabel()
        assert display.ax_.xaxis.get_label_position() == "top"
        assert display.ax_.yaxis.get_label_position() == "right"
    given = ProfileMatrixDisplay(display.tree, MATRIX, confusion=True).plot()
    made = ProfileMatrixDisplay.from_confusion(MATRIX)
    assert_array_equal(given.image_.get_array(), made.image_.get_array())
    display = ProfileMatrixDisplay(display.tree, display.profiles).plot()
    assert display.ax_.get_xlabel() == display.ax_.get_ylabel() == ""
    assert display.colorbar_.ax.get_xlabel() == "share of the line"


@pytest.mark.parametrize("size", [(2, 2), (4, 3), (3, 6), (12, 9)], ids=str)
@pytest.mark.parametrize("n_classes", [1, 2, 5, 60])
def test_titles_stay_in_the_figure_and_off_the_names(n_classes, size):
    from matplotlib.figure import Figure

    matrix = np.random.default_rng(0).random((n_classes, n_classes))
    names = [f"class number {i}" for i in range(n_classes)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        display = ProfileMatrixDisplay.from_confusion(
            matrix, names=names, ax=Figure(figsize=size).subplots()
        )
    figure, ax = display.figure_, display.ax_
    figure.draw_without_rendering()
    for axis, label in ((ax.xaxis, ax.xaxis.label), (ax.yaxis, ax.yaxis.label)):
        box = label.get_window_extent()
        corners = figure.transFigure.inverted().transform(box)
        assert (corners > 0).all()
        assert (corners < 1).all()
        assert not any(box.overlaps(text.get_window_extent()) for text in axis.get_ticklabels())


def test_confusion_of_any_kind_is_read():
    """Counts or shares, sparse or not, with or without a diagonal, and classes without errors."""
    from scipy.sparse import csr_array

    expected = ProfileMatrixDisplay.from_confusion(MATRIX, names=ANIMALS)
    bare = MATRIX.astype(float)
    np.fill_diagonal(bare, np.nan)
    for matrix in (MATRIX.tolist(), csr_array(MATRIX), MATRIX.astype(np.float32), bare):
        display = ProfileMatrixDisplay.from_confusion(matrix, names=ANIMALS)
        assert display.tree == expected.tree
        assert_array_equal(display.profiles, expected.profiles)
    shares = ProfileMatrixDisplay.from_confusion(
        MATRIX / MATRIX.sum(axis=1, keepdims=True), names=ANIMALS
    )
    assert_allclose(shares.image_.get_array(), expected.image_.get_array())
    assert np.isnan(np.diag(bare)).all()
    ProfileMatrixDisplay.from_confusion([[3]]).figure_.draw_without_rendering()
    for matrix in (np.zeros((3, 3)), np.eye(4)):
        with pytest.warns(StrandedGroupWarning, match="Nothing would go to or from leaves 0"):
            display = ProfileMatrixDisplay.from_confusion(matrix)
        display.figure_.draw_without_rendering()


@pytest.mark.parametrize("size", [1e308, 1e-320])
def test_lines_whose_sums_are_too_large_or_too_small(size):
    """A factor on a line changes nothing that is drawn, even if its sum is infinite."""
    matrix = np.array([[0, 1.0, 1.5, 0.5], [1, 0, 1, 0.5], [1.5, 1, 0, 1], [0.5, 0.5, 1, 0]])
    expected = ProfileMatrixDisplay.from_confusion(matrix)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        display = ProfileMatrixDisplay.from_confusion(matrix * [[size], [1], [size], [1]])
        given = ProfileMatrixDisplay(display.tree, display.profiles).plot()
    display.figure_.draw_without_rendering()
    assert_array_equal(display.dendrogram_.layout_.tips, expected.dendrogram_.layout_.tips)
    drawn = expected.image_.get_array()
    for image in (display.image_, given.image_):
        assert_array_equal(image.get_array().mask, drawn.mask)
        assert_allclose(image.get_array(), drawn, rtol=1e-3)  # there are 2,000 steps up to 1e-320


def test_a_data_frame_names_the_classes():
    """In the order of its columns, whatever that of its lines; `names` renames them."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(MATRIX, index=ANIMALS, columns=ANIMALS)
    expected = ProfileMatrixDisplay.from_confusion(MATRIX, names=ANIMALS)
    for names, called in ((None, ANIMALS), ({"dog": "Hund"}, ["cat", "truck", "Hund", "car"])):
        display = ProfileMatrixDisplay.from_confusion(frame.iloc[[2, 0, 3, 1]], names=names)
        assert list(display.tree.names) == called
        assert_array_equal(display.profiles, expected.profiles)
        leaves = display.dendrogram_.layout_.tips
        assert written(display.ax_.yaxis) == [called[leaf] for leaf in leaves]


@pytest.mark.parametrize(
    ("matrix", "arguments", "message"),
    [
        ([[1, 2, 3], [4, 5, 6]], {}, r"matrix must be square, .* got the shape \(2, 3\)"),
        ([[1, -2], [3, 4]], {}, r"matrix must be finite and not negative .* matrix\[0, 1\] is -2"),
        (MATRIX, {"names": "ab"}, "2 names were given for 4 classes"),
        (MATRIX, {"level": 5}, "There is no level 5"),
        (MATRIX, {"normalize": "true"}, "normalize must be True or False, got 'true'"),
    ],
    ids=lambda value: "",
)
def test_faults_of_a_confusion_matrix(matrix, arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        ProfileMatrixDisplay.from_confusion(matrix, **arguments)
