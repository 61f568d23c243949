"""Real logits with known answers: see the README of the data."""

import numpy as np

from skl2h import l2h_tree


def test_cifar10_probabilities(real_data):
    data = real_data("cifar10_probabilities.npz")
    logits = np.log(data["probabilities"].astype(np.float64))
    tree = l2h_tree(logits)
    assert np.array_equal(tree.children, data["children"])
    np.testing.assert_allclose(tree.scores, data["scores"], rtol=1e-14)

    animals = ["bird", "cat", "deer", "dog", "frog", "horse"]
    vehicles = ["airplane", "automobile", "ship", "truck"]
    sides = [{data["names"][leaf] for leaf in tree.members(node)} for node in tree.children[-1]]
    assert sorted(map(sorted, sides)) == [vehicles, animals]


def test_clinc150_logits(real_data):
    data = real_data("clinc150_logits.npz")
    tree = l2h_tree(data["logits"], n_jobs=2)
    assert np.array_equal(tree.children, data["children"])
    np.testing.assert_allclose(tree.scores, data["scores"], rtol=1e-14)
