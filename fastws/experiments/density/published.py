"""The table of 1996, and how figures of several draws are put beside it."""

from collections.abc import Sequence

__all__ = ["LABELS", "PUBLISHED", "TITLES", "gaps"]

TITLES = {
    "mixture": "Mixture 20⇒100",
    "bn": "BN 20⇒100",
    "deep-bn": "BN 5⇒10⇒15⇒20⇒100",
    "mrf": "MRF 10⇔20⇔100",
    "mrfs": "MRF 10 × (10⇔10)",
    "digits": "single digits",
    "pairs": "pairs of digits",
}
LABELS = {
    "entropy": "entropy",
    "gzip": "gzip",
    "base_rates": "base rates",
    "mixture": "mixture by EM",
    "helmholtz": "Helmholtz machine, wake-sleep",
    "softmax": "the same, its hidden layer a softmax group",
    "fully_visible": "fully visible belief net",
}
_OF_1996 = tuple(method for method in LABELS if method != "softmax")
PUBLISHED: dict[str, dict[str, float]] = {
    name: {method: bits for method, bits in zip(_OF_1996, column, strict=True) if bits is not None}
    for name, column in {
        "mixture": (36.5, 61.4, 96.6, 36.7, 42.7, 50.9),
        "bn": (63.5, 98.0, 80.7, 74.0, 65.2, 67.8),
        "deep-bn": (None, 92.1, 69.2, 62.6, 58.5, 60.6),
        "mrf": (19.2, 35.6, 42.2, 19.3, 19.4, 19.8),
        "mrfs": (36.8, 59.9, 68.1, 49.6, 38.6, 38.2),
        "digits": (None, 44.3, 59.2, 37.5, 39.1, 35.9),
        "pairs": (None, 89.2, 118.4, 92.7, 80.4, 72.9),
    }.items()
}
"""Test costs of 1996 in bits an image, of one draw each; its digits and pairs are other images than ours."""


def gaps(costs: Sequence[float], entropy: Sequence[float] | None) -> list[float]:
    """Return how much higher each draw's cost is than its entropy, or the costs where that is not known."""
    return list(costs) if entropy is None else [c - e for c, e in zip(costs, entropy, strict=True)]
