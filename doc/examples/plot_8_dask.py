"""
Rows in chunks, with Dask
=========================

Logits that do not fit in memory stay where they are: each pass is a map over chunks, and a sum.
"""

# %%
# Chunks
# ------
# Here they are made from an array, and computed by threads. With ``distributed.Client()`` around
# it, the same code runs on worker processes, here or on a cluster.

import dask.array as da
import numpy as np

from skl2h import DendrogramDisplay, L2HClustering, l2h_tree
from skl2h.datasets import make_hierarchical_logits

logits, _, _ = make_hierarchical_logits(30_000, 30, random_state=0)
X = da.from_array(logits, chunks=(4000, 30))
tree = l2h_tree(X)
print("the same tree as of the array:", np.array_equal(tree.children, l2h_tree(logits).children))

# %%
# A model that is asked where the rows are
# ----------------------------------------
# A fitted model goes to the chunks of features, and its logits stay there. What has an entry for
# each row is a Dask array again, and predictions are lazy.

from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.mixture import GaussianMixture

digits = load_digits().data
mixture = GaussianMixture(12, covariance_type="diag", random_state=0).fit(digits[:, 8:40])
rows = da.from_array(np.tile(digits[:, 8:40], (10, 1)), chunks=(2500, 32))
model = L2HClustering(FrozenEstimator(mixture), n_clusters=4).fit(rows)
print(model.labels_)
print(np.bincount(model.labels_.compute()))
print(model.predict_proba(rows, level=4))

# %%
# What is of the size of the tree is here, as always.

DendrogramDisplay.from_estimator(model, level=4, show_counts=True)
