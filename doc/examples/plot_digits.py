"""
Digits
======

Test.
"""

from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from skl2h import DendrogramDisplay, L2HClustering

X, y = load_digits(return_X_y=True)
model = L2HClustering(LogisticRegression(C=0.01, max_iter=1000)).fit(X / 16, y)
DendrogramDisplay.from_estimator(model)
