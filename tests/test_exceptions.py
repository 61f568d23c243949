"""Warnings have categories of their own, and do not repeat."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

import skl2h
from skl2h import exceptions, l2h_tree

IN_A_SEARCH = """
import numpy as np
from sklearn.model_selection import GridSearchCV
from skl2h import L2HClustering

logits = np.full((60, 4), -np.inf)
logits[np.arange(60), np.arange(60) % 4] = 0.0
search = GridSearchCV(
    L2HClustering("precomputed"),
    {"n_clusters": [1, 2, 3, 4]},
    scoring=lambda model, X, y=None: 0.0,
    cv=2,
)
search.fit(logits)
"""


@pytest.mark.parametrize("name", exceptions.__all__)
def test_one_filter_silences_every_category(name):
    assert issubclass(getattr(exceptions, name), exceptions.HierarchyWarning)
    assert issubclass(exceptions.HierarchyWarning, UserWarning)


def test_the_category_tells_which_warning_it_is():
    logits = np.where(np.eye(3), 0.0, -np.inf)
    with pytest.warns(exceptions.StrandedGroupWarning, match="way out of node 0"):
        l2h_tree(logits)


def test_the_line_that_is_shown_is_the_callers():
    logits = np.where(np.eye(3), 0.0, -np.inf)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        skl2h.L2HClustering("precomputed").fit(logits)
    assert [warning.filename for warning in caught] == [__file__]


def test_a_search_says_the_same_once():
    """Nine fits, of four candidates on two folds and of the best one, say one text."""
    ran = subprocess.run(
        [sys.executable, "-c", IN_A_SEARCH], capture_output=True, text=True, check=True
    )
    assert ran.stderr.count("StrandedGroupWarning") == 1, ran.stderr


def test_a_fit_outside_a_search_always_says_it():
    logits = np.where(np.eye(3), 0.0, -np.inf)
    for _ in range(2):
        with pytest.warns(exceptions.StrandedGroupWarning):
            l2h_tree(logits)
