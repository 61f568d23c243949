"""
Rows in chunks, with Dask
=========================

Logits that do not fit in memory stay where they are. Each pass is a map over chunks and a sum.
"""

# %%
# Logits in chunks
# ----------------
# Here Dask computes the chunks in threads, which is its default. If you create a
# ``distributed.Client`` first, the same lines run on its workers, on this machine or on others.

import dask.array as da
import numpy as np

from skl2h import l2h_tree
from skl2h.datasets import make_hierarchical_logits

logits = make_hierarchical_logits(30_000, 30, random_state=0)[0]
X = da.from_array(logits, chunks=(4000, 30))
tree = l2h_tree(X)
print(f"{X.npartitions} chunks")
same = np.array_equal(tree.children, l2h_tree(logits).children)
print("the same tree as from NumPy:", same)

# %%
# A model applied chunk by chunk
# ------------------------------
# Fit a flat model on rows that fit in memory, and freeze it. It is sent to the chunks of all rows,
# and computes their logits there.

from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.mixture import GaussianMixture

from skl2h import L2HClustering

digits = load_digits().data
mixture = GaussianMixture(
    12,
    covariance_type="diag",
    reg_covar=1.0,
    random_state=0,
)
frozen = FrozenEstimator(mixture.fit(digits[::2]))
rows = da.from_array(digits, chunks=(500, 64))
model = L2HClustering(frozen, n_clusters=4).fit(rows)

in_memory = L2HClustering(frozen, n_clusters=4).fit(digits)
same = np.array_equal(model.children_, in_memory.children_)
print("the same tree as from NumPy:", same)

# %%
# Results with an entry for each row are Dask arrays, with the same chunks as the rows. Labels have
# been kept where the rows are. Predictions are computed when you ask for them, and for a slice only
# in its chunks.

print("labels in chunks of", model.labels_.chunks[0])
labels = model.labels_.compute()
print("the same labels:", np.array_equal(labels, in_memory.labels_))

proba = model.predict_proba(rows, level=4)
print(proba.shape, "in", proba.numblocks[0], "chunks")
print(proba[:3].compute().round(3))

# %%
# The tree itself is in local memory, as always.

from skl2h import DendrogramDisplay

display = DendrogramDisplay.from_estimator(
    model,
    show_counts=True,
)
