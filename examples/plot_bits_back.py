"""
Bits back
=========
"No communication actually takes place," says the paper. Here it does: images are sent in the number of bits that the
free energy promises, fewer than representation and image cost, since the bits of choosing the representation come back.
"""

import matplotlib.pyplot as plt
import numpy as np

import fastws
from fastws import codec, datasets

# %%
# The paper's example, below Eq 5: two alternative representations, each of which costs 4 bits, cost 3 bits together.
# Nothing is known about three pixels (3 bits), nor about their cause (1 bit); the cause may be chosen either way, and
# the choice carries a bit of whatever else is to be sent.
toy = fastws.Machine([3, 1])
pixels = np.random.default_rng(0).integers(0, 2, (200, 3))
counts = np.arange(10, 201, 10)
sent = {
    method: [codec.describe(codec.compress(toy, pixels[:n], method=method)).net_bits for n in counts]
    for method in codec.METHODS
}
assert abs(sent["two-part"][-1] / 200 - 4) < 0.2
assert abs(sent["bits-back"][-1] / 200 - 3) < 0.2

# %%
# A net that has learned digits, and the ledger of one that it never saw: what is paid, and which choices come back.
data = datasets.load_bundled()
machine = fastws.Machine([64, 32, 16, 8])
schedule = [(300_000, 0.05), (300_000, 0.01)]
fastws.Simulation(machine, fastws.Images(data.x_train), schedule, seed=0).advance()
ledger = codec.ledger(machine, data.x_test)
net = ledger.paid_bits.sum() - ledger.returned_bits.sum()
about = codec.describe(codec.compress(machine, data.x_test))
assert abs(net - about.net_bits) <= 32
np.testing.assert_array_equal(codec.decompress(machine, codec.compress(machine, data.x_test)), data.x_test)

# %%
# Paid from the top layer down, returned from the bottom up. The image is one whose account is close to the average.
accounts = np.column_stack([ledger.paid_bits, ledger.returned_bits])
one = int(np.abs(accounts - accounts.mean(axis=0)).sum(axis=1).argmin())
names = [
    "layer 3",
    "layer 2\ngiven 3",
    "layer 1\ngiven 2",
    "image\ngiven 1",
    "C(α, d)",
    "layer 1",
    "layer 2",
    "layer 3",
    "sent",
]
paid, returned = ledger.paid_bits[one, ::-1], ledger.returned_bits[one]
levels = np.concatenate([[0], np.cumsum(np.concatenate([paid, -returned]))])

figure = plt.figure(figsize=(11, 4.2), layout="constrained")
picture, bars, lines = figure.subplots(1, 3, width_ratios=[1.1, 3.4, 2])
picture.imshow(data.x_test[one].reshape(8, 8), cmap="gray")
picture.set(title="an image, 64 bits", xticks=[], yticks=[])

PAID, RETURNED, TOTAL = "#b5543c", "#3c7ab5", "#555555"
steps = [*zip(levels[:4], levels[1:5], [PAID] * 4, strict=True), (0, levels[4], TOTAL)]
steps += [*zip(levels[4:7], levels[5:8], [RETURNED] * 3, strict=True), (0, levels[7], TOTAL)]
for place, (start, stop, colour) in enumerate(steps):
    bars.bar(place, stop - start, bottom=start, color=colour, width=0.8)
    sign = {PAID: "+", RETURNED: "−", TOTAL: ""}[colour]
    bars.text(place, max(start, stop) + 0.4, f"{sign}{abs(stop - start):.1f}", ha="center", va="bottom")
bars.set(title="its ledger: paid, and got back", ylabel="bits", xticks=range(9), ylim=(0, 1.12 * levels.max()))
bars.set_xticklabels(names, fontsize=8)

for method, colour in (("two-part", PAID), ("bits-back", RETURNED)):
    slope = round(sent[method][-1] / 200)
    lines.plot(counts, sent[method], ".", color=colour, label=f"{method}: {slope} bits an image")
    lines.plot(counts, slope * counts, "-", color=colour, linewidth=0.8)
lines.set(title="two alternatives of 4 bits each", xlabel="images sent", ylabel="bits sent")
lines.legend(frameon=False)
for axes in (bars, lines):
    axes.spines[["top", "right"]].set_visible(False)
plt.show()
