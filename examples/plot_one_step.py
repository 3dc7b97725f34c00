"""
One wake step and one sleep step (Eqs 1, 4 and 7)
=================================================
Learning takes the states of units, the probabilities that those had, and one rule, which both phases use and which is
local: a weight needs to know of its two units only. Here is every number of one step of a run, checked by hand.
"""

import matplotlib.pyplot as plt
import numpy as np

import fastws

# %%
# A net of four pixels and two hidden layers, in the middle of learning bars of two pixels. `Simulation.step` learns
# from the next example to the same bits as `advance(1)`, and returns all that came into it.
machine = fastws.Machine([4, 3, 2])
run = fastws.Simulation(machine, fastws.Bars(size=2), [(9000, 0.1)], seed=13)
run.advance(6000)
before = machine.copy()
step = run.step()
print(f"Example {step.example}: the image {step.image}, learning rates {step.rates}.")


def table(title, weights, biases, driving, driven, probabilities, rate, weight_changes, bias_changes):
    """Print and check Eq 1 and the delta rule for each unit of a driven layer."""
    print(f"\n{title}: driven by {driving}, drawn {driven}")
    logits = biases + driving @ weights
    np.testing.assert_allclose(probabilities, 1 / (1 + np.exp(-logits)), atol=1e-6)
    deltas = rate * (driven - probabilities)
    np.testing.assert_allclose(bias_changes, deltas, atol=1e-6)
    np.testing.assert_allclose(weight_changes, np.outer(driving, deltas), atol=1e-6)
    for v, (s, p) in enumerate(zip(driven, probabilities, strict=True)):
        terms = " ".join(f"{w:+.3f}" for w in [biases[v], *weights[driving == 1, v]])
        print(f"  unit {v}: p = 1 / (1 + exp(-({terms}))) = {p:.3f}")
        row = " ".join(f"{change:+.4f}" for change in weight_changes[:, v])
        print(f"          Δb = {rate:.1f} × ({s} - {p:.3f}) = {bias_changes[v]:+.4f}, Δw = [{row}]")


# %%
# **Awake**, recognition has drawn the hidden layers from the image. Each layer is compared with the probabilities that
# generation gives it, driven by the layer above; nothing drives the top layer but its biases. The generative weights
# learn (Eq 4). Only rows of units that are on change.
for layer in (2, 1, 0):
    top = layer == 2
    table(
        f"Awake, layer {layer}",
        np.zeros((0, 2)) if top else before.gen_weights[layer],
        before.gen_biases[layer],
        np.zeros(0, int) if top else step.wake_states[layer + 1],
        step.wake_states[layer],
        step.generative_probabilities[layer],
        step.rates[layer],
        np.zeros((0, 2)) if top else step.changes.gen_weights[layer],
        step.changes.gen_biases[layer],
    )

# %%
# **Asleep**, generation, which has just learned, draws a fantasy from the top down. Each hidden layer is compared with
# the probabilities that recognition gives it, driven by the layer below. The recognition weights learn (Eq 7).
for layer in (1, 2):
    table(
        f"Asleep, layer {layer}",
        before.rec_weights[layer - 1],
        before.rec_biases[layer - 1],
        step.sleep_states[layer - 1],
        step.sleep_states[layer],
        step.recognition_probabilities[layer - 1],
        step.rates[layer - 1],
        step.changes.rec_weights[layer - 1],
        step.changes.rec_biases[layer - 1],
    )

# %%
# The same as a picture: black units are on, the numbers beside them are the probabilities that they are compared with,
# and the lines are weights that grew (blue) or shrank (orange).
figure, axes = plt.subplots(1, 2, figsize=(9, 4.6), layout="constrained")
awake = step.wake_states, step.generative_probabilities, step.changes.gen_weights
asleep = step.sleep_states, [None, *step.recognition_probabilities], [w.T for w in step.changes.rec_weights]
for ax, title, (states, probabilities, changes) in zip(
    axes, ("awake: generative weights learn", "asleep: recognition weights learn"), (awake, asleep), strict=True
):
    x = [np.arange(n) - (n - 1) / 2 for n in machine.layer_sizes]
    for level, change in enumerate(changes):
        for (u, v), delta in np.ndenumerate(change):  # u is above, v is below
            if delta:
                colour = "#0072b2" if delta > 0 else "#d55e00"
                ax.plot([x[level + 1][u], x[level][v]], [level + 1, level], color=colour, linewidth=60 * abs(delta))
    for layer, row in enumerate(states):
        ax.scatter(x[layer], np.full(len(row), layer), 500, c=1 - row, cmap="gray", vmin=0, vmax=1, ec="k", zorder=2)
        for v, p in enumerate([] if probabilities[layer] is None else probabilities[layer]):
            ax.text(x[layer][v] + 0.2, layer + 0.12, f"{p:.2f}", fontsize=9)
    ax.set(title=title, xlim=(-2.2, 2.2), ylim=(-0.4, 2.4), yticks=range(3), xticks=[])
    ax.set_yticklabels(["image" if ax is axes[0] else "fantasy", "layer 1", "layer 2"])
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
plt.show()
