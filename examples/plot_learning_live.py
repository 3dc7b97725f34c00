"""
A Helmholtz machine learning, live (Figure 1)
=============================================
The eight hidden units find the eight bars, and the net's fantasies turn into the data, while one looks on. The film has
controls, and is a page or a GIF of its own that needs no server.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import ArtistAnimation
from matplotlib.backends.backend_agg import FigureCanvasAgg

import fastws
from fastws import plotting

# %%
# The paper's run of two million examples, stopped sixteen times, at first more often.
bars = fastws.Bars(size=4, p_vertical=2 / 3, p_bar=0.2)
net = fastws.Machine([16, 8, 1])
net.gen_biases[1][:] = -3.0
run = fastws.Simulation(net, bars, [(2_000_000, (0.2, 0.001, 0.001))], nonnegative_input_weights=True, seed=1)
stops = np.geomspace(200, 2_000_000, 16).astype(int)


def picture(figure):
    """Return a figure of `fastws.plotting` as an array of pixels."""
    figure.set_dpi(80)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba()).copy()


frames, divergences = [], []
for n in stops:
    run.advance(n - run.examples_seen)
    dreams = plotting.image_grid(net.fantasies(24, seed=0), n_columns=12)
    frames.append((picture(plotting.hinton(net)), picture(dreams)))
    divergences.append(fastws.exact.report(net, *bars.distribution()).asymmetric_divergence_bits)

# %%
# At the end each hidden unit has one bar, four pixels with large weights, and no two have the same one.
large = net.gen_weights[0] > net.gen_weights[0].max() / 4
lines = {
    tuple(np.flatnonzero(image)) for image in np.concatenate([np.kron(np.eye(4), np.ones(4)), np.tile(np.eye(4), 4)])
}
assert {tuple(np.flatnonzero(unit)) for unit in large} == lines
assert divergences[-1] < 0.10

# %%
# Above, the Hinton diagram of Figure 1c; below it, twenty-four fantasies made with the same random numbers each time,
# and how far they are from the data.
fig, (weights, dreams, curve) = plt.subplots(3, 1, figsize=(6.6, 6.8), layout="constrained", height_ratios=[5, 1.6, 2])
weights.axis("off")
dreams.axis("off")
curve.loglog(stops, divergences, color="0.75")
curve.set(xlabel="examples seen", ylabel="KL(data ‖ model), bits")
curve.minorticks_off()
curve.spines[["top", "right"]].set_visible(False)
artists = []
for n, bits, (hinton, fantasies) in zip(stops, divergences, frames, strict=True):
    words = curve.text(0.98, 0.9, f"{n:,} examples: {bits:.2f} bits", transform=curve.transAxes, ha="right", va="top")
    dot = curve.plot([n], [bits], "o", color="#d55e00")[0]
    artists.append([weights.imshow(hinton), dreams.imshow(fantasies), dot, words])
fig.canvas.draw()
fig.set_layout_engine("none")  # the same for all frames
film = ArtistAnimation(fig, artists, interval=500)

# %%
# The film as files: a GIF, and a page with controls.
folder = Path(tempfile.mkdtemp(prefix="fastws-film-"))
gif, page = plotting.save_film(film, folder / "bars")
assert "https:" not in page.read_text(encoding="utf-8")
print(f"{gif.name} and {page.name} are among the temporary files, in {folder.name}.")
plt.show()
