"""Pictures: Hinton diagrams (Fig 1c), the bars model and samples (Fig 1a, 1b), digits (Fig 2), curves, errors, rates.

Each function returns a matplotlib Figure that belongs to no display; `save` writes one as PNG and SVG.
`save_film` writes an animation as a GIF and a page with controls.
"""

from fastws.plotting.curves import bound_curves, description_length_curve, free_energy_curve, learning_curve
from fastws.plotting.diagrams import bars_model
from fastws.plotting.gaps import cost_gaps
from fastws.plotting.images import digit_samples, fantasies, image_grid, misread, samples
from fastws.plotting.matrices import confusion
from fastws.plotting.saving import save, save_film
from fastws.plotting.sweeps import success_rates
from fastws.plotting.weights import hinton

__all__ = [
    "bars_model",
    "bound_curves",
    "confusion",
    "cost_gaps",
    "description_length_curve",
    "digit_samples",
    "fantasies",
    "free_energy_curve",
    "hinton",
    "image_grid",
    "learning_curve",
    "misread",
    "samples",
    "save",
    "save_film",
    "success_rates",
]
