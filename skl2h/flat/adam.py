"""How weights learn: Adam, and weight normalisation.

Adam (Kingma and Ba, 2015) changes arrays in place. Weight normalisation (Salimans and Kingma,
2016) makes the rows of a matrix of lengths g and directions v, as g v / |v|.
"""

import math

import numpy as np

__all__ = ["Adam", "gradients_of_normalised", "normalised"]

FIRST_DECAY, SECOND_DECAY, EPSILON = 0.9, 0.999, 1e-8


class Adam:
    """Adam for a list of arrays, with the moments of their gradients.

    Parameters
    ----------
    parameters : list of ndarray
        The arrays, which every step changes.
    learning_rates : list of float
        One for each array.
    """

    def __init__(self, parameters, learning_rates):
        self.parameters = parameters
        self.learning_rates = learning_rates
        self.first = [np.zeros_like(values) for values in parameters]
        self.second = [np.zeros_like(values) for values in parameters]
        self.n_steps = 0

    def restart(self):
        """Forget all gradients."""
        for moment in self.first + self.second:
            moment.fill(0)
        self.n_steps = 0

    def step(self, gradients, factor=1.0):
        """Change each array against its gradient, and overwrite the gradients.

        All learning rates are multiplied by `factor`.
        """
        self.n_steps += 1
        # Moments are kept without the factor 1 - decay, which saves a product for each array. These
        # numbers bring it back, together with the correction for the first steps.
        first_sum = (1 - FIRST_DECAY**self.n_steps) / (1 - FIRST_DECAY)
        second_sum = math.sqrt((1 - SECOND_DECAY**self.n_steps) / (1 - SECOND_DECAY))
        for values, rate, gradient, first, second in zip(
            self.parameters, self.learning_rates, gradients, self.first, self.second
        ):
            first *= FIRST_DECAY
            first += gradient
            second *= SECOND_DECAY
            second += np.square(gradient, out=gradient)
            np.sqrt(second, out=gradient)
            gradient += EPSILON * second_sum
            np.divide(first, gradient, out=gradient)
            gradient *= factor * rate * second_sum / first_sum
            values -= gradient


def normalised(directions, lengths):
    """Rows g v / |v|, (K, d)."""
    return directions * (lengths / np.linalg.norm(directions, axis=1))[:, np.newaxis]


def gradients_of_normalised(directions, lengths, gradient):
    """Gradients of directions and lengths, from the gradient of the rows (K, d)."""
    norms = np.linalg.norm(directions, axis=1)
    units = directions / norms[:, np.newaxis]
    of_lengths = np.einsum("ij,ij->i", gradient, units)
    units *= of_lengths[:, np.newaxis]
    of_directions = np.subtract(gradient, units, out=units)
    of_directions *= (lengths / norms)[:, np.newaxis]
    return [of_directions, of_lengths]
