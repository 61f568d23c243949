"""Short searches of TURTLE and TEMI, computed in float64."""

from skl2h import TEMI, TURTLE

BOTH = {"n_clusters": 4, "max_iter": 30, "dtype": "float64", "random_state": 0}


def turtle(**parameters):
    return TURTLE(**{**BOTH, **parameters})


def temi(**parameters):
    """Of small networks."""
    small = {"hidden_layer_sizes": (8,), "n_heads": 2, "learning_rate": 0.05}
    return TEMI(**{**BOTH, **small, **parameters})
