"""What the batteries say of rules that are wrong."""

import pytest
from hypothesis import Phase

from fastws.testing import BrokenProperty, battery


def broken(check, *what, smallest=False, **options):
    """Return the failure that a check raises; making it small, as users get it, takes longest."""
    with pytest.MonkeyPatch.context() as patch:
        if not smallest:
            patch.setattr(battery, "PHASES", [Phase.generate])
        with pytest.raises(BrokenProperty) as caught:
            check(*what, **options)
    return caught.value
