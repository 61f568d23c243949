"""Networks of TEMI: from features, through layers, to cosines with a prototype of each cluster.

Z           (B, d + 1): features of a batch, each row ending in a 1
layer       W (h, d + 1), whose last column is a bias; there is a GELU between two layers
prototype   g v / |v| (K, h), one for each cluster
logit       (B, K): products of the prototypes and the output of the last layer at unit length

A network is for batches, in their dtype. A fitted one is for features as they are, in float64.
"""

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.special import log_softmax

from .adam import gradients_of_normalised, normalised
from .feature_spaces import blocks_of
from .soft_clusterer import refuse_overflow

__all__ = ["Network"]

# First weights are drawn from a normal distribution, and clipped at this many deviations.
MOST_DEVIATIONS = 2

# Rows that are shorter than this are divided by this, not by their length: their direction says
# nothing, and small changes of them would have large gradients.
SHORTEST = 1e-3


class Network:
    """Layers with a GELU between two, and prototypes of the clusters.

    Parameters
    ----------
    parameters : list of ndarray
        Layers (h, d + 1), and of the prototypes directions (K, h) and lengths (K,).
    """

    def __init__(self, parameters):
        self.parameters = parameters
        *self.layers, self.directions, self.lengths = parameters

    @classmethod
    def drawn(cls, sizes, n_clusters, random_state, dtype):
        """Draw a network that has learned nothing; `sizes` are of its input and its layers."""
        parameters = []
        for n_inputs, n_outputs in pairwise(sizes):
            weights = np.zeros((n_outputs, n_inputs + 1))
            drawn = random_state.standard_normal((n_outputs, n_inputs))
            # DEPARTURE: the authors' deviation is 0.02 for any number of inputs.
            weights[:, :-1] = np.clip(drawn, -MOST_DEVIATIONS, MOST_DEVIATIONS) / np.sqrt(n_inputs)
            parameters.append(weights)
        directions = random_state.standard_normal((n_clusters, sizes[-1]))
        parameters += [directions, np.ones(n_clusters)]
        # Drawn in float64, so that a seed draws the same in every dtype.
        return cls([values.astype(dtype, copy=False) for values in parameters])

    @property
    def decaying(self):
        """The arrays that weight decay makes smaller: all but the biases."""
        return [*(weights[:, :-1] for weights in self.layers), self.directions, self.lengths]

    def logits(self, Z):
        """Logits of a batch."""
        return self.trace(Z)[0]

    def trace(self, Z):
        """Logits of a batch, and the values on the way to them, which `gradients` takes."""
        inputs, gated = [Z], []
        values = Z @ self.layers[0].T
        for weights in self.layers[1:]:
            gate = _gate(values)
            gated.append((values, gate))
            active = np.ones((len(Z), values.shape[1] + 1), Z.dtype)
            np.multiply(values, gate, out=active[:, :-1])
            inputs.append(active)
            values = active @ weights.T
        norms = _norms(values)
        values /= norms
        prototypes = normalised(self.directions, self.lengths)
        return values @ prototypes.T, (inputs, gated, norms, values, prototypes)

    def gradients(self, slopes, trace):
        """Gradients of the parameters, from the derivatives (B, K) of the loss by the logits."""
        inputs, gated, norms, units, prototypes = trace
        gradients = gradients_of_normalised(self.directions, self.lengths, slopes.T @ units)
        slopes = slopes @ prototypes
        along = np.einsum("ij,ij->i", slopes, units)[:, np.newaxis]
        slopes -= np.where(norms > SHORTEST, along, 0) * units
        slopes /= norms
        for weights, Z in zip(self.layers[::-1], inputs[::-1]):
            gradients.insert(0, slopes.T @ Z)
            if gated:
                slope_of_gelu = _slope_of_gelu(*gated.pop())
                slopes = slopes @ weights[:, :-1]
                slopes *= slope_of_gelu
        return gradients

    def fitted(self, space, temperature):
        """The same network for features as they are."""
        first, *rest = self.layers
        maps = [space.unscaled(first)]
        for weights in rest:
            weights = weights.astype(np.float64)
            maps.append((weights[:, :-1], weights[:, -1]))
        directions, lengths = self.directions.astype(np.float64), self.lengths.astype(np.float64)
        return _FittedNetwork(maps, normalised(directions, lengths) / temperature)


class _FittedNetwork(NamedTuple):
    """Network for features as they are, in float64, with the labels of any rows.

    Attributes
    ----------
    maps : list of (coef, intercept)
        The layers.
    prototypes : ndarray of shape (K, h)
        Divided by the temperature.
    """

    maps: list
    prototypes: np.ndarray

    @property
    def n_clusters(self):
        """K."""
        return len(self.prototypes)

    def log_labels(self, blocks):
        """Logarithm of the labels, (n, K), of rows that are given as a block in the only space."""
        [block] = blocks
        with np.errstate(over="ignore", invalid="ignore"):
            for number, (coef, intercept) in enumerate(self.maps):
                values = block @ coef.T + intercept
                block = values * _gate(values) if number + 1 < len(self.maps) else values
            logarithms = log_softmax(block / _norms(block) @ self.prototypes.T, axis=1)
        refuse_overflow(logarithms)
        return logarithms

    def labels(self, space):
        """Most probable cluster of each row."""
        labels = np.empty(space.n_rows, dtype=np.intp)
        for rows, blocks in blocks_of([space]):
            labels[rows] = self.log_labels(blocks).argmax(axis=1)
        return labels


def _norms(values):
    """Numbers that rows are divided by to make them unit length, (n, 1)."""
    norms = np.maximum(np.linalg.norm(values, axis=1), SHORTEST)[:, np.newaxis]
    # Where squares overflow, the row would become zeros. NaN lets the overflow be found.
    norms[np.isinf(norms)] = np.nan
    return norms


# GELU(x) = x gate(x), in the form with tanh (Hendrycks and Gimpel, 2016). It is within 0.0005 of
# the exact form, and NumPy's tanh is faster than SciPy's erf.
ROOT, CUBIC = math.sqrt(2 / math.pi), 0.044715


def _gate(x):
    gate = x * x
    gate *= ROOT * CUBIC
    gate += ROOT
    gate *= x
    np.tanh(gate, out=gate)
    gate += 1
    gate *= 0.5
    return gate


def _slope_of_gelu(x, gate):
    """Derivative of the GELU at x."""
    slope = x * x
    slope *= 6 * ROOT * CUBIC
    slope += 2 * ROOT
    slope *= x
    slope *= 1 - gate
    slope += 1
    slope *= gate
    return slope
