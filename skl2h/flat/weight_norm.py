"""Weight normalisation (Salimans and Kingma, 2016): rows are lengths g times directions v / |v|."""

import numpy as np

__all__ = ["gradients_of_normalised", "normalised"]


def normalised(directions, lengths):
    """Rows g v / |v|, (K, d)."""
    return directions * (lengths / np.linalg.norm(directions, axis=1))[:, np.newaxis]


def gradients_of_normalised(directions, lengths, gradient):
    """Gradients of directions and lengths, from that of the rows."""
    norms = np.linalg.norm(directions, axis=1)
    units = directions / norms[:, np.newaxis]
    of_lengths = np.einsum("ij,ij->i", gradient, units)
    units *= of_lengths[:, np.newaxis]
    of_directions = np.subtract(gradient, units, out=units)
    of_directions *= (lengths / norms)[:, np.newaxis]
    return [of_directions, of_lengths]
