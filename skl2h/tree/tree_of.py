"""The tree of a fitted estimator or Pipeline, and the support of a tree."""

import sys

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ..exceptions.texts import shown
from .merge_tree import MergeTree

__all__ = ["merges_features", "model_of", "support_of", "tree_of"]


def model_of(source):
    """Last step of a Pipeline; anything else is returned as it is."""
    return source[-1] if isinstance(source, Pipeline) else source


def merges_features(model):
    """Whether a model's leaves are features, as those of scikit-learn's FeatureAgglomeration."""
    cluster = sys.modules.get("sklearn.cluster")  # which is slow to import for this alone
    return cluster is not None and isinstance(model, cluster.FeatureAgglomeration)


def tree_of(source, names=None):
    """The tree itself, or the tree of a fitted estimator or Pipeline."""
    source = model_of(source)
    if not isinstance(source, MergeTree) and not hasattr(source, "fit"):
        raise TypeError(f"A MergeTree or a fitted estimator is needed, got {shown(source)}.")
    if not isinstance(source, MergeTree):
        check_is_fitted(source)
    tree = getattr(source, "tree_", source)
    if isinstance(tree, MergeTree):
        return tree if names is None else tree.with_names(names)
    if not hasattr(source, "children_"):
        raise TypeError(
            f"{type(source).__name__} has no tree: neither tree_ nor children_. Wrap a flat "
            "model in L2HClustering to get one."
        )
    n_leaves = int(getattr(source, "n_leaves_", len(source.children_) + 1))
    if len(source.children_) != n_leaves - 1:
        raise ValueError(
            f"The tree of this {type(source).__name__} is not whole: "
            f"{len(source.children_)} merges of {n_leaves} leaves. Fit it with "
            "compute_full_tree=True."
        )
    own = getattr(source, "feature_names_in_", None) if merges_features(source) else None
    tree = MergeTree(source.children_, scores=getattr(source, "distances_", None), names=own)
    return tree if names is None else tree.with_names(names)


def support_of(tree):
    """Support of the merges; an error if the tree has none."""
    if tree.support is None:
        raise ValueError("This tree has no support: bootstrap_support gives a tree that has.")
    return tree.support
