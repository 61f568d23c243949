"""Warnings have their own categories, and are not repeated."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn.model_selection import cross_val_score

import skl2h
from skl2h import exceptions, l2h_tree

SEARCHES = """
import sys
import warnings
import numpy as np
from sklearn.model_selection import GridSearchCV, cross_val_score
from skl2h import L2HClustering

logits = np.full((60, 4), -np.inf)
logits[np.arange(60), np.arange(60) % 4] = 0.0
model = L2HClustering("precomputed")
def score(model, X, y=None):
    return 0.0
def grid():
    GridSearchCV(model, {"n_clusters": [1, 2, 3, 4]}, scoring=score, cv=2).fit(logits)
def folds():
    cross_val_score(model, logits, scoring=score, cv=5)
for action in (None, "always"):  # those that Python begins with, and all that there is
    if action is not None:
        warnings.simplefilter(action)
    for search in (grid, grid, folds, folds):
        print("--", file=sys.stderr)
        search()
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


def test_a_search_says_the_same_once_and_the_next_one_says_it_again():
    """Nine fits (four candidates on two folds, and the best), or five, give one warning."""
    ran = subprocess.run(
        [sys.executable, "-c", SEARCHES], capture_output=True, text=True, check=True
    )
    said = [part.count("StrandedGroupWarning") for part in ran.stderr.split("--")]
    # Two filters, each with the grid twice and the folds twice.
    assert said == [0] + [1] * 8, ran.stderr


def test_an_error_is_raised_in_every_fit_of_a_search():
    logits = np.tile(np.where(np.eye(3), 0.0, -np.inf), (4, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error", exceptions.StrandedGroupWarning)
        with pytest.raises(ValueError, match="All the 2 fits failed"):
            cross_val_score(
                skl2h.L2HClustering("precomputed"), logits, scoring=lambda *rows: 0.0, cv=2
            )


def test_a_fit_outside_a_search_always_says_it():
    logits = np.where(np.eye(3), 0.0, -np.inf)
    for _ in range(2):
        with pytest.warns(exceptions.StrandedGroupWarning):
            l2h_tree(logits)
