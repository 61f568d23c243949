"""Plugin of pytest: data and logits change very little, as on another processor or other rows.

``python -m pytest -p tests.helpers.moved_data --move-seed 1 doc README.md skl2h`` fits flat models
on data that are moved by 1e-13 of the deviation of each column, and ``--logit-noise 1e-3`` moves
their logits by a thousandth of their deviation. Examples pass with every seed: what they show may
hang neither on the last digits of a fitted model nor on a close decision of the tree.
"""

import functools
import inspect

import numpy as np
import pytest

SIZE = 1e-13


def pytest_addoption(parser):
    parser.addoption("--move-seed", type=int, default=0, help="seed of what is moved")
    parser.addoption("--logit-noise", type=float, default=0, help="share of the logits' deviation")


def flat_models():
    """Classes of scikit-learn's clusterers, classifiers and mixtures, and of our own."""
    from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
    from sklearn.utils import all_estimators

    from skl2h import TEMI, TURTLE

    found = [cls for _, cls in all_estimators(type_filter=["classifier", "cluster"])]
    return [*found, GaussianMixture, BayesianGaussianMixture, TURTLE, TEMI]


def methods_that_fit():
    """Classes and names of the methods that fit a flat model on X itself."""
    return {
        (owner, name)
        for cls in flat_models()
        for name in ("fit", "fit_predict")
        for owner in inspect.getmro(cls)
        if name in vars(owner)
    }


def moved(X, seed):
    """An array of floats is moved; any other X is returned as it is."""
    if not isinstance(X, np.ndarray) or X.ndim != 2 or X.dtype != np.float64:
        return X
    return X + SIZE * X.std(axis=0) * np.random.default_rng(seed).standard_normal(X.shape)


def moving(fit, seed):
    """A method that fits on its first argument, X, moved."""

    @functools.wraps(fit)
    def fit_moved(self, X, *args, **kwargs):
        return fit(self, moved(X, seed), *args, **kwargs)

    return fit_moved


def asking(ask, seed, size):
    """A method that gives the logits of rows of X, with noise, the same for the same rows."""
    from skl2h.logits.matrix import as_logits

    @functools.wraps(ask)
    def ask_noisy(self, estimator, X):
        logits = ask(self, estimator, X)
        values = logits.values() if isinstance(logits.scores, np.ndarray) else None
        if values is None:
            return logits
        noise = np.random.default_rng(seed).standard_normal(values.shape)
        noise *= size * values[np.isfinite(values)].std()
        if logits.kind == "logits":
            scores = logits.scores + noise
        elif logits.kind == "probabilities":
            scores = logits.scores * np.exp(noise)
        else:
            scores = np.sqrt(np.maximum(np.square(logits.scores) - logits.divisor * noise, 0))
        return as_logits(scores, logits.kind, logits.divisor)

    return ask_noisy


@pytest.fixture(scope="session", autouse=True)
def move(request):
    """Replace the methods that fit, and the one that asks for logits, where they are defined."""
    seed, size = map(request.config.getoption, ("--move-seed", "--logit-noise"))
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in sorted(methods_that_fit(), key=str):
            patch.setattr(owner, name, moving(vars(owner)[name], seed))
        if size:
            from skl2h.logits.of_models import Response

            patch.setattr(Response, "_ask", asking(Response._ask, seed, size))
        yield
