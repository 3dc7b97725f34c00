"""A test kit for update rules: Hypothesis strategies, and a battery of properties that wake-sleep's rules have.

It needs Hypothesis (``pip install fastws[testing]``); the rest of fastws does not. Import it by name::

    from fastws import testing

    testing.check_update_rule(my_rule, phase="wake")
"""

from fastws.rules import connection_rule
from fastws.testing.battery import BrokenProperty, check_update_rule
from fastws.testing.properties import PROPERTIES
from fastws.testing.samples import SAMPLE_PROPERTIES, check_reweighted_rule
from fastws.testing.strategies import binary_vectors, layer_sizes, learning_rates, machines, streams

__all__ = [
    "PROPERTIES",
    "SAMPLE_PROPERTIES",
    "BrokenProperty",
    "binary_vectors",
    "check_reweighted_rule",
    "check_update_rule",
    "connection_rule",
    "layer_sizes",
    "learning_rates",
    "machines",
    "streams",
]
