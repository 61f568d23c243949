"""The table of any features uses the top of a tree of rows unchanged."""

import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.cluster import AgglomerativeClustering
from sklearn.datasets import load_iris
from sklearn.metrics import adjusted_rand_score

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def table(monkeypatch):
    if not BENCHMARKS.is_dir():
        pytest.skip("the benchmarks are no part of a wheel")
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
    return pytest.importorskip("paper_table")


@pytest.mark.parametrize("n_leaves", [1, 2, 3, 10, 149, 150])
def test_the_top_of_a_tree_of_rows_is_a_tree_of_its_clusters(table, n_leaves):
    """The leaves are the clusters, and every cut of the top is a cut of the whole tree."""
    X = load_iris(return_X_y=True)[0]
    model = AgglomerativeClustering(n_leaves, compute_full_tree=True).fit(X)
    leaves, tree = table.top_of_tree(model.children_, n_leaves)
    assert tree.n_leaves == n_leaves
    assert adjusted_rand_score(leaves, model.labels_) == 1
    for level in {1, 2, 3, n_leaves} & set(range(1, n_leaves + 1)):
        expected = AgglomerativeClustering(level).fit_predict(X)
        assert adjusted_rand_score(tree.cut(level)[leaves], expected) == 1


def test_superclasses_of_leaves(table):
    """The superclass of most rows, the first if shares are equal, or a new one without rows."""
    leaves = np.array([0, 0, 0, 1, 1, 3])
    superclasses = np.array(["b", "b", "a", "b", "a", "c"])
    found = table.most_frequent(leaves, superclasses, 5)
    assert found[0] == found[1] + 1 == 1
    assert found[3] == 2
    assert len({*found[[0, 1, 3]], found[2], found[4]}) == 5
