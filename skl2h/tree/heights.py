"""What the scores of a tree are: heights of its merges, or how sure a model was of groups.

Only an affinity tree has scores that are heights, those of a linkage: they rise from leaf to root.
"""

import numpy as np

__all__ = ["LARGEST_HEIGHT", "falls", "has_heights", "kind_of_heights", "word_for_scores"]

# Largest height that can be drawn: sums and ratios of heights stay finite.
LARGEST_HEIGHT = 1e150


def has_heights(tree):
    """Whether the scores are heights that can be shown.

    They rise, and are not all 0, as they are where no two leaves are more alike than others.
    """
    if tree.method != "affinity" or tree.scores is None or falls(tree):
        return False
    lowest, highest = tree.scores.min(initial=0.0), tree.scores.max(initial=0.0)
    return bool(lowest == 0 < highest <= LARGEST_HEIGHT)


def kind_of_heights(tree, heights):
    """What `heights` stands for: "auto" for scores that are heights, else for ranks."""
    if heights != "auto":
        return heights
    return "score" if has_heights(tree) else "rank"


def falls(tree):
    """Whether a merge scores less than a merge below it, by more than the error of rounding."""
    taken_in = tree.children - tree.n_leaves
    below = np.where(taken_in >= 0, tree.scores[np.maximum(taken_in, 0)], -np.inf)
    fall = (below - tree.scores[:, np.newaxis]).max(initial=0.0)
    return bool(fall > 1e-9 * np.abs(tree.scores).max(initial=0.0))


def word_for_scores(tree):
    """What the score of a merge is called where people read it."""
    return "height" if tree.method == "affinity" else "score"
