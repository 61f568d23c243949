"""Search for a task: soft labels that freshly trained linear classifiers can predict.

space       features of the rows; Z (B, d + 1) are the rows of a batch in it, each ending in a 1
task        labels tau (B, K): the mean over the spaces of s = softmax(Z W')
encoder     what the task comes from: the last column of W is a bias, the rest g v / |v| by rows
classifier  what has to predict it, one for each space: q = softmax(Z C')

A search sees only batches, which `feature_spaces` centres and scales, in its own dtype. What it has
found is for features as they are, in float64.
"""

import math
from itertools import islice
from typing import NamedTuple

import numpy as np
from scipy.special import log_softmax, logsumexp

from ..merge.progress import print_tenth
from .adam import Adam, gradients_of_normalised, normalised
from .feature_spaces import batches_of, blocks_of
from .soft_clusterer import Run, refuse_loss, refuse_overflow

__all__ = ["Search", "run_search"]

# The mean loss of this many steps is compared with that of the steps before them, since the losses
# of single steps differ by chance.
STEPS_OF_A_MEAN = 500

# The number of features of the smallest embeddings in common use.
MANY_FEATURES = 384

# Trained classifiers depend on where they started. The final loss is the mean over this many, so
# that losses can be compared.
N_TRIALS = 10

# The exponentials of numbers from minus to plus this, and their sums, are far within float32.
SAFE_LOGIT = 50.0


def run_search(parameters, spaces, seed):
    """Search from one start, with the checked parameters of a TURTLE.

    Raises
    ------
    ValueError
        If the loss overflows.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        run = _search(parameters, spaces, np.random.default_rng(seed))
    refuse_loss(run.loss, parameters.dtype)
    return run


def _search(parameters, spaces, random_state):
    n_drawn = min(parameters.batch_size, spaces[0].n_rows)
    search = Search(parameters, [space.width for space in spaces], n_drawn, random_state)
    batches = batches_of(spaces, n_drawn, random_state, parameters.dtype)
    curve = []
    for batch in islice(batches, parameters.max_iter):
        curve.append(search.step(batch))
        if parameters.verbose:
            print_tenth("turtle", len(curve), parameters.max_iter, curve[-1])
        if _has_settled(curve, parameters.tol, parameters.n_clusters):
            break
    task = search.finish(next(batches), spaces)
    return Run(task, *task.evaluate(spaces), np.array(curve))


def _stride(n_features):
    """How many times longer the steps of classifiers are, for few features."""
    # DEPARTURE: a step of Adam has its size whatever the gradient is, so that the sum over few
    # features says little of what was learned beside the random start.
    return max(1.0, MANY_FEATURES / n_features)


def _has_settled(curve, tol, n_clusters):
    """Whether the loss no longer falls; False except after every `STEPS_OF_A_MEAN` steps."""
    if tol == 0 or len(curve) % STEPS_OF_A_MEAN or len(curve) < 2 * STEPS_OF_A_MEAN:
        return False
    before, after = np.reshape(curve[-2 * STEPS_OF_A_MEAN :], (2, -1)).mean(axis=1)
    # Of one cluster the loss is 0 up to rounding, and log(1) is 0: chance would say which is less.
    return before - after <= tol * math.log(max(n_clusters, 2))


class Search:
    """An encoder for each space, and the classifiers that try to predict the task.

    Parameters
    ----------
    parameters : namespace
        The checked parameters of a `TURTLE`.
    widths : list of int
        Number of features of each space, without the 1.
    n_rows : int
        Rows of a batch.
    random_state : Generator
    """

    def __init__(self, parameters, widths, n_rows, random_state):
        self.parameters = parameters
        self.random_state = random_state
        n_clusters, dtype = parameters.n_clusters, parameters.dtype
        shapes = [(n_clusters, width + 1) for width in widths]
        self.encoders = [_Encoder(shape, random_state, dtype) for shape in shapes]
        self.classifiers = [_draw(shape, random_state, dtype) for shape in shapes]
        learned = [values for encoder in self.encoders for values in encoder.parameters]
        self.outer = Adam(learned, [parameters.outer_learning_rate] * len(learned))
        strides = [_stride(width) if parameters.scale_features else 1.0 for width in widths]
        rates = [parameters.inner_learning_rate * stride for stride in strides]
        self.inner = Adam(self.classifiers, rates)
        # Writing to new memory is slow, so that all large arrays are made once.
        self.gradients = [np.empty(shape, dtype) for shape in shapes]
        self.softmaxes = np.empty((len(shapes), n_rows, n_clusters), dtype)
        self.logits, self.scratch = np.empty((2, n_rows, n_clusters), dtype)
        # With one space, the task is the softmax itself.
        self.task = self.softmaxes[0] if len(shapes) == 1 else np.empty_like(self.logits)

    def step(self, batch):
        """Train classifiers on the task of a batch, then improve the task.

        `batch` has the rows in each space. Gives the loss of the batch before the task is improved.
        """
        self.encode(batch)
        self.train(batch)
        loss, gradients = self.loss_and_gradients(batch)
        self.outer.step(gradients)
        return loss

    def encode(self, batch):
        """Make the task of a batch."""
        self.lengths = [_longest(Z) for Z in batch]
        for Z, length, encoder, softmax in zip(batch, self.lengths, self.encoders, self.softmaxes):
            weights = encoder.weights()
            np.matmul(Z, weights.T, out=softmax)
            _softmax_in_place(softmax, length * _longest(weights))
        if len(batch) > 1:
            self.softmaxes.mean(axis=0, out=self.task)

    def train(self, batch):
        """Train the classifiers on the task as it is."""
        if not self.parameters.warm_start_inner:
            # Drawn anew each time: if classifiers always started at the same place, the task would
            # learn that place, and become worse.
            for weights in self.classifiers:
                weights[:] = _draw(weights.shape, self.random_state, weights.dtype)
            self.inner.restart()
        for _ in range(self.parameters.inner_steps):
            self.inner.step(self.gradients_of_classifiers(batch))

    def gradients_of_classifiers(self, batch):
        """Gradient, for each classifier, of its cross-entropy to the task as it is."""
        for Z, length, weights, gradient in zip(
            batch, self.lengths, self.classifiers, self.gradients
        ):
            np.matmul(Z, weights.T, out=self.scratch)
            _softmax_in_place(self.scratch, length * _longest(weights))
            self.scratch -= self.task
            np.matmul(self.scratch.T, Z, out=gradient)
            gradient /= len(Z)
        return self.gradients

    def loss_and_gradients(self, batch):
        """Loss of the task, with the classifiers as they are, and its gradients.

        There is a gradient for each parameter of each encoder, in their order.
        """
        n_rows, n_spaces = len(self.task), len(batch)
        self.logits.fill(0)
        logarithms = 0.0
        for Z, length, weights in zip(batch, self.lengths, self.classifiers):
            np.matmul(Z, weights.T, out=self.scratch)
            self.logits += self.scratch
            peaks, sums = _exponentiate(self.scratch, length * _longest(weights))
            logarithms += (peaks + np.log(sums)).sum(dtype=np.float64)
        cross_entropy = (logarithms - float(np.vdot(self.task, self.logits))) / n_rows
        means = self.softmaxes.mean(axis=1)
        loss = _loss(cross_entropy, means, self.parameters.gamma)
        self.logits /= -n_spaces
        gradients = []
        for Z, encoder, softmax, mean, gradient in zip(
            batch, self.encoders, self.softmaxes, means, self.gradients
        ):
            # What is the same for all clusters of a row has no effect on a softmax. So the sums
            # above are left out here, and so is the 1 in the derivative of mean * log(mean).
            slope = np.add(self.logits, self.parameters.gamma * _log(mean), out=self.scratch)
            slope -= np.einsum("ij,ij->i", slope, softmax)[:, np.newaxis]
            slope *= softmax
            np.matmul(slope.T, Z, out=gradient)
            gradient /= n_rows
            gradients += encoder.gradients(gradient)
        return loss, gradients

    def finish(self, batch, spaces):
        """Fitted task, with classifiers that are trained several times on this batch."""
        self.encode(batch)
        trials = []
        for _ in range(1 if self.parameters.warm_start_inner else N_TRIALS):
            self.train(batch)
            trials.append([space.unscaled(w) for space, w in zip(spaces, self.classifiers)])
        encoder = [space.unscaled(one.weights()) for space, one in zip(spaces, self.encoders)]
        return _FittedTask(encoder, trials, self.parameters.gamma)


class _FittedTask(NamedTuple):
    """Task of any rows, for features as they are.

    Attributes
    ----------
    encoder : list of (coef, intercept)
        For each space, the map to the logits of s.
    trials : list of list of (coef, intercept)
        For each training of the classifiers and each space, the map to the logits of q. The loss
        is the mean over the trainings.
    gamma : float
    """

    encoder: list
    trials: list
    gamma: float

    @property
    def n_clusters(self):
        """K."""
        return len(self.encoder[0][1])

    def log_labels(self, blocks):
        """Logarithm of the task, (n, K), of rows that are given as a block in each space."""
        with np.errstate(over="ignore", invalid="ignore"):
            logarithms = _log_mean(_log_softmaxes(self.encoder, blocks))
        refuse_overflow(logarithms)
        return logarithms

    def evaluate(self, spaces):
        """Most probable cluster of each row, and the loss of all rows."""
        labels = np.empty(spaces[0].n_rows, dtype=np.intp)
        cross_entropy, sums = 0.0, np.zeros((len(spaces), self.n_clusters))
        for rows, blocks in blocks_of(spaces):
            log_softmaxes = _log_softmaxes(self.encoder, blocks)
            log_task = _log_mean(log_softmaxes)
            labels[rows] = log_task.argmax(axis=1)
            task = np.exp(log_task)
            for classifiers in self.trials:
                predicted = sum(_log_softmaxes(classifiers, blocks))
                cross_entropy -= float(np.vdot(task, predicted)) / len(self.trials)
            sums += [np.exp(log_softmax).sum(axis=0) for log_softmax in log_softmaxes]
        n_rows = len(labels)
        return labels, _loss(cross_entropy / n_rows, sums / n_rows, self.gamma)


class _Encoder:
    """Linear map with weight normalisation and a bias.

    Parameters
    ----------
    shape : (K, d + 1)
    random_state : Generator
    dtype : dtype
    """

    def __init__(self, shape, random_state, dtype):
        drawn = _draw(shape, random_state, dtype)
        self.directions = drawn[:, :-1].copy()
        self.bias = drawn[:, -1].copy()
        self.lengths = np.linalg.norm(self.directions, axis=1)

    @property
    def parameters(self):
        """The arrays that are learned."""
        return [self.directions, self.lengths, self.bias]

    def weights(self):
        """Weights and bias as one matrix, (K, d + 1)."""
        return np.column_stack([normalised(self.directions, self.lengths), self.bias])

    def gradients(self, of_weights):
        """Gradients of `parameters` from that of `weights`."""
        of_normalised = gradients_of_normalised(self.directions, self.lengths, of_weights[:, :-1])
        return [*of_normalised, of_weights[:, -1].copy()]


def _draw(shape, random_state, dtype):
    """Weights and bias of a new linear map, (K, d + 1), uniform within 1 / sqrt(d)."""
    # In float64, so that a seed draws the same in every dtype.
    weights = random_state.random(shape)
    weights -= 0.5
    weights *= 2 / np.sqrt(shape[1] - 1)
    return weights.astype(dtype, copy=False)


def _longest(vectors):
    """Length of the longest row, by which the products of rows are bounded."""
    return math.sqrt(np.einsum("ij,ij->i", vectors, vectors).max())


def _softmax_in_place(logits, bound):
    """Turn each row, whose entries are within `bound` of 0, into its softmax."""
    _, sums = _exponentiate(logits, bound)
    logits *= (1 / sums)[:, np.newaxis]


def _exponentiate(logits, bound):
    """Turn each row into its exponentials, divided by that of its peak; give peaks and sums, (B,).

    Entries are within `bound` of 0.
    """
    # If that is small, the exponentials are not divided, and the peak is 0: this saves two passes.
    peaks = np.zeros(len(logits), logits.dtype)
    if not bound < SAFE_LOGIT:
        peaks = logits.max(axis=1)
        logits -= peaks[:, np.newaxis]
    np.exp(logits, out=logits)
    return peaks, logits @ np.ones(logits.shape[1], logits.dtype)


def _log_softmaxes(maps, blocks):
    return [
        log_softmax(block @ coef.T + intercept, axis=1)
        for block, (coef, intercept) in zip(blocks, maps)
    ]


def _log_mean(logarithms):
    """Logarithm of the mean of arrays, from the logarithms of the arrays."""
    if len(logarithms) == 1:
        return logarithms[0]
    return logsumexp(logarithms, axis=0) - np.log(len(logarithms))


def _loss(cross_entropy, means, gamma):
    """Cross-entropy, less `gamma` times the entropy of the mean labels of each space."""
    return cross_entropy + gamma * sum(float(mean @ _log(mean)) for mean in means)


def _log(mean):
    # A cluster that has died out has the mean 0. Its logarithm is multiplied by that, and so has to
    # be finite.
    return np.log(np.maximum(mean, np.finfo(mean.dtype).tiny))
