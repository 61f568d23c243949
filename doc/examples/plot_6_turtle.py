"""
L2H-TURTLE on digits
====================

TURTLE finds clusters that a linear classifier can learn, and L2H makes their hierarchy.
"""

# %%
# Fit
# ---
# TURTLE is compared with ``KMeans`` with as many clusters. 1,000 steps keep the example short; the
# default is up to 6,000.

from sklearn.cluster import KMeans
from sklearn.datasets import load_digits

from skl2h import TURTLE, L2HClustering
from skl2h.metrics import clustering_accuracy, dendrogram_purity

X, y = load_digits(return_X_y=True)
flat_models = {
    "TURTLE": TURTLE(10, max_iter=1000, random_state=0),
    "KMeans": KMeans(10, n_init=10, random_state=0),
}
models = {}
for name, flat_model in flat_models.items():
    models[name] = model = L2HClustering(flat_model).fit(X)
    accuracy = clustering_accuracy(y, model.leaf_labels_)
    purity = dendrogram_purity(model, model.leaf_labels_, y)
    print(f"{name}: accuracy of the leaves {accuracy:.2f},")
    print(f"        purity of the tree {purity:.2f}")

# %%
# On pixels, TURTLE is as good as ``KMeans`` and no better. It is made for features of pretrained
# models. :doc:`/paper` compares the two on features of sentences, where TURTLE is better, and on
# these pixels with five seeds.
#
# The tree
# --------
# A cluster has only a number. Here each leaf is named after the class of most of its rows.

from sklearn.metrics.cluster import contingency_matrix

from skl2h import DendrogramDisplay

turtle = models["TURTLE"]
table = contingency_matrix(turtle.leaf_labels_, y)
names = [f"mostly {digit}" for digit in table.argmax(axis=1)]
tree = turtle.tree_.with_names(names)
display = DendrogramDisplay.from_tree(tree, level=4)

# %%
# Two leaves are mostly 1, and no leaf is mostly 8. These are the numbers of eights in each leaf,
# from the top of the picture to its bottom:

for leaf in tree.leaf_order:
    print(f"{names[leaf]}: {table[leaf, 8]:2d} eights")

# %%
# Most of them are in the two leaves of ones, which the tree keeps together.
#
# The loss
# --------
# Were there enough steps? Each step has a loss, and most of its fall is in the first 400 steps.

import matplotlib.pyplot as plt

curve = turtle.estimator_.loss_curve_
print(curve.reshape(5, 200).mean(axis=1).round(2))
fig, ax = plt.subplots(figsize=(6, 3), layout="constrained")
ax.set(xlabel="step", ylabel="loss of a batch")
lines = ax.plot(curve, linewidth=0.8)
