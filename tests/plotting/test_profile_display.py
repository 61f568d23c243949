"""The matrix of profiles beside its tree."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.cluster import AgglomerativeClustering
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from skl2h import L2HClustering, MergeTree, ProfileMatrixDisplay, profile_matrix
from skl2h.datasets import make_hierarchical_logits

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
