"""What a fitted `L2HClustering` says of rows: their groups, probabilities and nodes."""

from functools import partial
from operator import methodcaller

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..exceptions.arguments import as_number
from ..exceptions.texts import shown
from .confidence import deepest_nodes
from .logits_of_rows import map_rows

__all__ = ["PredictionsMixin"]


class PredictionsMixin:
    """Predictions of an estimator that has a `tree_`, its `n_clusters_`, and a `response_`."""

    def predict(self, X, *, level=None):
        """Group of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Whatever the inner model takes.
        level : int or sequence of int, default=None
            Number of groups, from 1 to `n_leaves_`; None means `n_clusters_`.

        Returns
        -------
        labels : ndarray of shape (n_samples,) or (n_samples, n_levels), dtype=intp
            The group of the row's leaf, which has the largest logit. A sequence of levels gives
            one column each. On the fitted rows this is `labels_` at every level.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        ValueError
            If there is no such level, a row has no leaf, or the inner model, fitted anew, no
            longer has the tree's leaves for columns.
        """
        check_is_fitted(self)
        groups = self.tree_.cut(self.n_clusters_ if level is None else level)
        return map_rows(self, partial(_groups_of_rows, groups=groups), X, groups.shape[1:])

    def predict_proba(self, X, *, level=None):
        """Probability of each group.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Whatever the inner model takes.
        level : int, default=None
            Number of groups, from 1 to `n_leaves_`; None means `n_clusters_`.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, level), dtype=float64
            Softmax of the logits, summed over the leaves of each group; rows sum to 1.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        ValueError
            If there is no such level, a row has no leaf, or the inner model, fitted anew, no
            longer has the tree's leaves for columns.

        Notes
        -----
        The most probable group need not hold the most probable leaf, which `predict` follows.
        """
        check_is_fitted(self)
        groups = self.tree_.cut(self.n_clusters_ if level is None else level)
        if groups.ndim > 1:
            raise TypeError(f"predict_proba takes one level at a time, got {shown(level)}.")
        n_groups = int(groups.max()) + 1
        probabilities = methodcaller("group_probabilities", groups, n_groups)
        return map_rows(self, probabilities, X, (n_groups,), np.float64)

    def predict_node(self, X, *, min_confidence=0.9):
        """Deepest node that the model is sure of, for each row.

        On the way up from the row's leaf, which `predict` follows, the first node whose
        probability reaches `min_confidence`: a leaf where the model can tell, a group of
        look-alikes where it cannot tell which of them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Whatever the inner model takes.
        min_confidence : float, default=0.9
            Probability that the node must have, above 0 and at most 1: the softmax of the logits,
            summed over the leaves of the node.

        Returns
        -------
        nodes : ndarray of shape (n_samples,), dtype=intp
            Nodes of `tree_`: below `n_leaves_` they are leaves. ``tree_.node_names()[nodes]``
            names them.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        ValueError
            If `min_confidence` is out of range, a row has no leaf, or the inner model, fitted
            anew, no longer has the tree's leaves for columns.
        TypeError
            If `min_confidence` is not a number.

        Notes
        -----
        The node holds the row's leaf, so it is right wherever the leaf is: accuracy never falls
        below that of the leaves. A higher `min_confidence` gives the same node or an ancestor of
        it, and up to 1 / K gives the leaf. The root has all probability, and is reached by every
        row.

        What is outside the node is added up, and compared with ``1 - min_confidence``, so that
        0.999999 and more can be told apart; a relative 1e-9 above that is a tie, and reaches it.
        With 1, what is outside must be 0 in float64. In a binary tree a row may have a deeper node
        that reaches `min_confidence` without its most probable leaf; that one is not given.

        Probabilities are only as good as the model's: `temperature`, or a calibrated inner model,
        makes them honest.

        Examples
        --------
        >>> import numpy as np
        >>> from skl2h import L2HClustering
        >>> logits = np.array([[3.0, 2, 0, 0], [2, 3, 0, 0], [0, 0, 9, 2], [0, 0, 2, 9]])
        >>> model = L2HClustering("precomputed").fit(logits)
        >>> nodes = model.predict_node(logits)
        >>> nodes
        array([4, 4, 2, 3])
        >>> model.tree_.node_names({4: "a bird"})[nodes]
        array(['a bird', 'a bird', '2', '3'], dtype=object)
        """
        check_is_fitted(self)
        confidence = as_number("min_confidence", min_confidence, most=1)
        return map_rows(self, partial(deepest_nodes, tree=self.tree_, confidence=confidence), X)


def _groups_of_rows(logits, groups):
    return groups[logits.leaves()]
