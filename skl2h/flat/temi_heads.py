"""Heads of TEMI: pairs of networks that learn to give one cluster to a row and its neighbour.

pair    a row and one of its neighbours
batch   Z (2B, d + 1): the rows of B pairs, then their neighbours in the same order, each ending in
        a 1
head    two networks: a student, which learns, and a teacher, its moving average
label   s and t (2B, K), the softmax of logits over the temperature, of student and teacher
prior   p (K,), the moving average of the teacher's labels
"""

import math

import numpy as np
from scipy.special import log_softmax, logsumexp
from sklearn.utils import gen_batches

from ..merge.progress import print_tenth
from .adam import Adam
from .neighbors import Pairs
from .soft_clusterer import Run, refuse_loss
from .temi_networks import Network

__all__ = ["Head", "learn", "schedule", "train_heads"]

# The parameter `learning_rate` is for batches of this many pairs.
RATED_ROWS = 256

# A search makes at least this many times as many steps as its teachers remember at its start.
MEMORIES = 50


def train_heads(parameters, space):
    """Train heads with the checked parameters of a TEMI, and keep the best.

    The loss of the run is that of its teacher, which is the lowest of all; the curve is that of
    its student.

    Raises
    ------
    ValueError
        If a loss overflows.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        network, loss, curve = _train(parameters, space, np.random.default_rng(parameters.seeds))
    refuse_loss([loss, *curve], parameters.dtype)
    return Run(network, network.labels(space), loss, curve)


def _train(parameters, space, random_state):
    n_steps, n_pairs = parameters.max_iter, min(parameters.batch_size, space.n_rows)
    shape = (space.width, *parameters.hidden_layer_sizes), parameters.n_clusters
    heads = [Head(*shape, random_state, parameters.dtype) for _ in range(parameters.n_heads)]
    Z = np.ones((2 * n_pairs, space.width + 1), parameters.dtype)
    curves = np.empty((n_steps, len(heads)))
    pairs = Pairs(space, n_steps, n_pairs, parameters.n_neighbors, random_state)
    if parameters.verbose:
        print(f"[temi] neighbours found of {len(pairs.rows)} rows", flush=True)
    for n_made, (rows, others) in enumerate(pairs.drawn_again()):
        space.read(rows, Z[:n_pairs])
        space.read(others, Z[n_pairs:])
        rate, momentum = schedule(parameters, n_made, n_pairs)
        curves[n_made] = learn(heads, Z, parameters, rate, momentum)
        if parameters.verbose:
            print_tenth("temi", n_made + 1, n_steps, curves[n_made].min())
    losses = _losses_of_teachers(heads, space, *pairs.one_of_each_row(), Z, parameters)
    best = losses.argmin()
    network = heads[best].teacher.fitted(space, parameters.temperature)
    return network, float(losses[best]), curves[:, best].copy()


def _losses_of_teachers(heads, space, rows, others, Z, parameters):
    """Loss of each head over all pairs, with the teacher's labels for both rows of a pair.

    The prior is the mean of these labels. `Z` is the memory of a batch.
    """

    # The loss of a student says less: it is ahead of its teacher, which is what is kept, and it is
    # rewarded for leaving clusters that its teacher has given up.
    def batches():
        for part in gen_batches(len(rows), len(Z) // 2):
            n_pairs = part.stop - part.start
            space.read(rows[part], Z[:n_pairs])
            space.read(others[part], Z[n_pairs : 2 * n_pairs])
            yield [head.teaching(Z[: 2 * n_pairs], parameters) for head in heads]

    shares = sum(np.exp(teachings).sum(axis=1, dtype=np.float64) for teachings in batches())
    log_priors = _log_prior(shares / (2 * len(rows)))
    losses = np.zeros(len(heads))
    for teachings in batches():
        first, second = np.split(np.array(teachings), 2, axis=1)
        joint = first + second
        weights = np.exp(joint).sum(axis=2).mean(axis=0)
        joint = parameters.beta * joint - log_priors[:, np.newaxis]
        losses -= (weights * logsumexp(joint, axis=2)).sum(axis=1, dtype=np.float64)
    return losses / len(rows)


def schedule(parameters, n_made, n_pairs):
    """Learning rate of the step after `n_made` steps, and the momentum of the teachers."""
    peak, n_steps = parameters.learning_rate * n_pairs / RATED_ROWS, parameters.max_iter
    n_warm = parameters.warmup * n_steps
    # DEPARTURE: with the authors' momentum, the teachers of a short search would hardly move.
    least = min(parameters.teacher_momentum, max(0.0, 1 - MEMORIES / n_steps))
    momentum = 1 - (1 - least) * _half_cosine(n_made / n_steps)
    if n_made < n_warm:
        return peak * (n_made + 1) / (n_warm + 1), momentum
    return peak * _half_cosine((n_made - n_warm) / (n_steps - n_warm)), momentum


def _half_cosine(share):
    """Fall from 1 to 0 as `share` goes from 0 to 1, slowly at both ends."""
    return (1 + math.cos(math.pi * share)) / 2


def learn(heads, Z, parameters, learning_rate, momentum):
    """Let each head take a step on a batch, and give the loss of each before the step.

    The loss of a head is the mean over the pairs (x, x') and (x', x) of
    -w log sum_k (s_k(x) t_k(x'))^beta / p_k, where w is the mean over the heads of
    sum_k t_k(x) t_k(x'). The prior p includes this batch.
    """
    n_pairs = len(Z) // 2
    weights = np.zeros(n_pairs, Z.dtype)
    teachings = []
    for head in heads:
        log_labels = head.teaching(Z, parameters)
        labels = np.exp(log_labels)
        weights += np.einsum("ij,ij->i", labels[:n_pairs], labels[n_pairs:])
        head.prior *= parameters.prior_momentum
        head.prior += (1 - parameters.prior_momentum) * labels.mean(axis=0)
        teachings.append(log_labels)
    weights = np.tile(weights / len(heads), 2)
    losses = []
    for head, log_labels in zip(heads, teachings):
        # The label of each row learns from the teacher's label of the other row of its pair.
        others = np.roll(log_labels, n_pairs, axis=0)
        loss, gradients = head.loss_and_gradients(Z, others, weights, parameters)
        head.step(gradients, learning_rate, parameters.weight_decay, momentum)
        losses.append(loss)
    return losses


class Head:
    """A student, its teacher, and the prior of the clusters.

    Parameters
    ----------
    sizes : tuple of int
        Number of features, and of outputs of each layer.
    n_clusters : int
    random_state : Generator
    dtype : dtype
    """

    def __init__(self, sizes, n_clusters, random_state, dtype):
        self.student = Network.drawn(sizes, n_clusters, random_state, dtype)
        self.teacher = Network([values.copy() for values in self.student.parameters])
        self.prior = np.full(n_clusters, 1 / n_clusters, dtype)
        self.adam = Adam(self.student.parameters, [1.0] * len(self.student.parameters))

    def teaching(self, Z, parameters):
        """Logarithm of the teacher's labels of a batch."""
        return log_softmax(self.teacher.logits(Z) / parameters.temperature, axis=1)

    def loss_and_gradients(self, Z, others, weights, parameters):
        """Loss of the student, and its gradients.

        For each row of a batch, `others` (2B, K) has log t of the other row of its pair, and
        `weights` (2B,) has w of its pair.
        """
        logits, trace = self.student.trace(Z)
        log_labels = log_softmax(logits / parameters.temperature, axis=1)
        joint = parameters.beta * (log_labels + others)
        joint -= _log_prior(self.prior)
        log_shares = log_softmax(joint, axis=1)
        log_sums = joint[:, 0] - log_shares[:, 0]
        loss = -float(np.mean(weights * log_sums, dtype=np.float64))
        slopes = np.exp(log_labels)
        slopes -= np.exp(log_shares)
        slopes *= (weights * (parameters.beta / parameters.temperature / len(Z)))[:, np.newaxis]
        return loss, self.student.gradients(slopes, trace)

    def step(self, gradients, learning_rate, weight_decay, momentum):
        """Change the student against its gradients (AdamW), and let the teacher follow."""
        for values in self.student.decaying:
            values *= 1 - learning_rate * weight_decay
        self.adam.step(gradients, learning_rate)
        for values, target in zip(self.teacher.parameters, self.student.parameters):
            values *= momentum
            values += (1 - momentum) * target


def _log_prior(prior):
    # Finite also for a cluster that has died out, whose prior is 0.
    return np.log(np.maximum(prior, np.finfo(prior.dtype).tiny))
