"""Wake-sleep in JAX and in PyTorch, each as its users would write it; called as `bench.rivals` says."""

import os
from functools import partial

import numpy as np

import fastws
from bench.skipped import Skipped

# Draws are made for so many examples at once, outside the loop over them. JAX compiles again for a chunk of another
# length: let runs be whole chunks.
CHUNK = 1000


def _images_of(stream, n_examples, seed):
    """Return the images of each chunk of examples, float32."""
    for first in range(0, n_examples, CHUNK):
        n = min(CHUNK, n_examples - first)
        if isinstance(stream, fastws.Bars):
            x = stream.sample(n, seed * n_examples + first)
        else:
            x = stream.x[np.arange(first, first + n) % len(stream)]
        yield x.astype(np.float32)


def stacks(machine):
    """Return the four stacks of parameters, each with an array a level."""
    return machine.gen_weights, machine.gen_biases, machine.rec_weights, machine.rec_biases


def jax_scan():
    """Return `lax.scan` over examples under `jit`."""
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    try:
        import jax
    except ImportError:
        raise Skipped("JAX is not installed; the extra `bench` has it") from None
    from jax import lax
    from jax import numpy as jnp
    from jax.nn import sigmoid

    @partial(jax.jit, static_argnames="nonnegative", donate_argnames="parameters")
    def learn(parameters, images, rates, nonnegative, key):
        levels = range(len(parameters[0]))
        sizes = [len(biases) for biases in parameters[1]]

        def example(parameters, drawn):
            gen_weights, gen_biases, rec_weights, rec_biases = map(list, parameters)
            image, for_wake, for_sleep = drawn
            states = [image]
            for level in levels:
                on = sigmoid(rec_biases[level] + states[level] @ rec_weights[level])
                states.append((for_wake[level] < on).astype(jnp.float32))
            for level in levels:
                on = sigmoid(gen_biases[level] + states[level + 1] @ gen_weights[level])
                delta = rates[level] * (states[level] - on)
                gen_weights[level] += jnp.outer(states[level + 1], delta)
                gen_biases[level] += delta
                if nonnegative and level == 0:
                    gen_weights[level] = jnp.maximum(gen_weights[level], 0)
            gen_biases[-1] += rates[-1] * (states[-1] - sigmoid(gen_biases[-1]))
            states[-1] = (for_sleep[-1] < sigmoid(gen_biases[-1])).astype(jnp.float32)
            for level in reversed(levels):
                on = sigmoid(gen_biases[level] + states[level + 1] @ gen_weights[level])
                states[level] = (for_sleep[level] < on).astype(jnp.float32)
            for level in levels:
                on = sigmoid(rec_biases[level] + states[level] @ rec_weights[level])
                delta = rates[level] * (states[level + 1] - on)
                rec_weights[level] += jnp.outer(states[level], delta)
                rec_biases[level] += delta
            return (gen_weights, gen_biases, rec_weights, rec_biases), None

        wake, sleep = jax.random.split(key)
        n = len(images)
        for_wake = [jax.random.uniform(jax.random.fold_in(wake, l), (n, size)) for l, size in enumerate(sizes[1:])]
        for_sleep = [jax.random.uniform(jax.random.fold_in(sleep, l), (n, size)) for l, size in enumerate(sizes)]
        return lax.scan(example, parameters, (images, for_wake, for_sleep))[0]

    def prepare(machine, stream, n_examples, rates, nonnegative, seed=0):
        parameters = tuple([jnp.array(array) for array in stack] for stack in stacks(machine))
        rates = jnp.array(rates, jnp.float32)
        key = jax.random.key(seed)

        def task():
            learned = parameters
            for chunk, images in enumerate(_images_of(stream, n_examples, seed)):
                learned = learn(learned, images, rates, nonnegative, jax.random.fold_in(key, chunk))
            jax.block_until_ready(learned)
            return learned

        return task

    return prepare


def torch_loop():
    """Return a Python loop over examples, eager, on the processor."""
    try:
        import torch
    except ImportError:
        raise Skipped("PyTorch is not installed; the extra `bench` has it") from None
    torch.set_num_threads(1)

    def prepare(machine, stream, n_examples, rates, nonnegative, seed=0):
        gen_weights, gen_biases, rec_weights, rec_biases = (
            [torch.tensor(np.array(array)) for array in stack] for stack in stacks(machine)
        )
        levels = range(len(gen_weights))
        generator = torch.Generator().manual_seed(seed)

        def probability(driving, weights, biases):
            return torch.sigmoid(torch.addmv(biases, weights.T, driving))

        def draw(p):
            return torch.bernoulli(p, generator=generator)

        @torch.inference_mode()
        def task():
            for images in _images_of(stream, n_examples, seed):
                for image in torch.from_numpy(images):
                    states = [image]
                    for l in levels:
                        states.append(draw(probability(states[l], rec_weights[l], rec_biases[l])))
                    for l in levels:
                        delta = rates[l] * (states[l] - probability(states[l + 1], gen_weights[l], gen_biases[l]))
                        gen_weights[l].addr_(states[l + 1], delta)
                        gen_biases[l].add_(delta)
                        if nonnegative and l == 0:
                            gen_weights[l].clamp_(min=0)
                    gen_biases[-1].add_(rates[-1] * (states[-1] - torch.sigmoid(gen_biases[-1])))
                    states[-1] = draw(torch.sigmoid(gen_biases[-1]))
                    for l in reversed(levels):
                        states[l] = draw(probability(states[l + 1], gen_weights[l], gen_biases[l]))
                    for l in levels:
                        delta = rates[l] * (states[l + 1] - probability(states[l], rec_weights[l], rec_biases[l]))
                        rec_weights[l].addr_(states[l], delta)
                        rec_biases[l].add_(delta)
            return gen_weights, gen_biases, rec_weights, rec_biases

        return task

    return prepare
