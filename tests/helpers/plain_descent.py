"""Gradient descent on a loss, one number at a time, to check the package against."""

import numpy as np


class PlainAdam:
    """Adam as Kingma and Ba write it, one number at a time."""

    def __init__(self, learning_rates):
        self.learning_rates, self.moments, self.n_steps = learning_rates, {}, 0

    def step(self, parameters, gradients):
        self.n_steps += 1
        for number, (values, gradient) in enumerate(zip(parameters, gradients)):
            for place in np.ndindex(values.shape):
                m, v = self.moments.get((number, place), (0.0, 0.0))
                m = 0.9 * m + 0.1 * gradient[place]
                v = 0.999 * v + 0.001 * gradient[place] ** 2
                self.moments[number, place] = m, v
                m, v = m / (1 - 0.9**self.n_steps), v / (1 - 0.999**self.n_steps)
                values[place] -= self.learning_rates[number] * m / (np.sqrt(v) + 1e-8)
