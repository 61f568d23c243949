"""What is taken from a fitted model besides its tree."""

from sklearn.utils.validation import check_is_fitted

from ..exceptions.texts import shown
from ..tree.tree_of import model_of
from .estimator import L2HClustering
from .logits_of_rows import logits_of_rows

__all__ = ["default_level", "fitted_logits", "last_step", "refuse_input"]


def last_step(estimator, X):
    """Last step of a Pipeline, and the data it sees; any other estimator, and X, as they are."""
    model = model_of(estimator)
    if model is not estimator and X is not None and len(estimator) > 1:
        X = estimator[:-1].transform(X)
    return model, X


def default_level(estimator, tree):
    """Number of groups that a fitted model has, None if it has none or each leaf is one."""
    n_clusters = getattr(estimator, "n_clusters_", None)
    if n_clusters is not None and 1 < n_clusters < tree.n_leaves:
        return int(n_clusters)
    return None


def fitted_logits(model, X):
    """Logits of the rows of X, as a fitted `L2HClustering` had them.

    Raises
    ------
    TypeError
        If it is another model: only logits tell what a tree is made of.
    """
    if not isinstance(model, L2HClustering):
        raise TypeError(
            f"A fitted L2HClustering is needed, got {shown(model)}. If logits are all you have, "
            "it is L2HClustering('precomputed').fit(logits)."
        )
    check_is_fitted(model)
    return logits_of_rows(model, X)


def refuse_input(input):
    """Refuse to be told what the rows of a fitted model are."""
    if input != "logits":
        raise ValueError(
            f"input={shown(input)} says what logits are that are given without a model: a model "
            "knows what it was fitted on. Leave it out."
        )
