"""Numbers that judge a tree: pure functions of labels and trees.

K        number of leaves of the tree: the clusters of the flat model
row      a sample; `leaf_labels` holds its leaf, and `y` its class
clade    the leaves below a node

Against the classes of rows: `clustering_accuracy` and `leaf_purity` judge the leaves alone, and
`dendrogram_purity` and `mistake_distance` the tree. Against classes of the leaves:
`superclass_purity`. Against another tree, or nested classes of the leaves: `triplet_accuracy`,
`cophenetic_correlation` and `shared_clades`. Without labels: `dasgupta_cost` and
`reassignment_within`. `make_tree_scorer` makes any of them a criterion of a search. Normalised
mutual information and adjusted Rand are scikit-learn's own
(:func:`sklearn.metrics.normalized_mutual_info_score`,
:func:`sklearn.metrics.adjusted_rand_score`) and are not repeated here.

The paper of L2H (arXiv 2410.07858) also reports a "least hierarchical distance", whose formula we
do not have. `mistake_distance` answers a similar question by a definition of its own, and its
numbers cannot be compared with those of the paper.
"""

from .comparison import cophenetic_correlation, shared_clades, triplet_accuracy
from .cost import dasgupta_cost, reassignment_within
from .distance import mistake_distance
from .leaves import clustering_accuracy, leaf_purity
from .purity import dendrogram_purity, superclass_purity
from .scorers import make_tree_scorer

__all__ = [
    "clustering_accuracy",
    "cophenetic_correlation",
    "dasgupta_cost",
    "dendrogram_purity",
    "leaf_purity",
    "make_tree_scorer",
    "mistake_distance",
    "reassignment_within",
    "shared_clades",
    "superclass_purity",
    "triplet_accuracy",
]
