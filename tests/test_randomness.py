import itertools

import numpy as np
import pytest

from fastws.randomness import Use, make_key


def test_keys_stay_what_they_were():
    """Saved runs go on with them, and published results were made with them."""
    assert [use.value for use in Use] == list(range(len(Use)))
    assert list(Use)[:3] == [Use.LEARNING, Use.ORDER, Use.FANTASIES]
    assert make_key(0, Use.LEARNING).tolist() == [3757552657, 2018376492, 1456443223, 3395645823]
    assert make_key(0, Use.ORDER).tolist() == [673228719, 1136656250, 1681278441, 3264002610]
    assert make_key(2**70, Use.LEARNING).tolist() == [3389591344, 426551014, 1847785401, 1094270253]


def test_no_two_keys_share_a_word():
    """Of 8 uses of 100 seeds: 3,200 words, two of which are equal by chance once in 2^32 pairs; as it is, none."""
    keys = np.array([make_key(seed, use) for seed, use in itertools.product(range(100), Use)])
    assert keys.dtype == np.uint32
    assert keys.shape == (100 * len(Use), 4)
    assert len(np.unique(keys)) == keys.size


@pytest.mark.parametrize("seed", [-1, 1.0, None, True, "0"])
def test_wrong_seed(seed):
    with pytest.raises(ValueError, match=f"^seed is {seed!r}"):
        make_key(seed, Use.LEARNING)
