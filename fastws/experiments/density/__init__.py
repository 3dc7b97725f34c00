"""Does wake-sleep produce good density estimators? The question of 1996 [1]_, asked anew, many times over.

Sets of images are drawn by a seed from true models (`synthetic`), so that their entropy is known where it can be
enumerated, or chosen from images that there are (`sets`). A `Study` lets Helmholtz machines and their rivals learn by
one `protocol`, and measures what a test image costs each.

References
----------
.. [1] Frey, Hinton and Dayan, Does the wake-sleep algorithm produce good density estimators?, Advances in Neural
   Information Processing Systems 8 (1996), 661-667.
"""

from fastws.experiments.density.protocol import Parts, is_over
from fastws.experiments.density.sets import NAMES, ImageSource, SyntheticSource, bundled
from fastws.experiments.density.study import METHODS, Study

__all__ = ["METHODS", "NAMES", "ImageSource", "Parts", "Study", "SyntheticSource", "bundled", "is_over"]
