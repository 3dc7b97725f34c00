"""Options that are more than one word or number, read from text."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastws.sweep import Experiment, Setting

_MOST_VALUES = 10_000
_LARGE = 2**63
_PHASES = "give phases such as 20s:0.1 (20 sweeps at rate 0.1) or 100000:0.1,0.01 (examples, rates), a space between"


def numbers(text: str, option: str) -> list[float]:
    """Return the numbers of a list such as ``0.2,0.001``.

    Raises
    ------
    ValueError
        If a part is no number.
    """
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise ValueError(f"{option} is {text!r}; give numbers with commas between them, as in 0.2,0.001.") from None


def layer_sizes(text: str, option: str) -> list[int]:
    """Return the whole numbers of a list such as ``64,16,16,4``.

    Raises
    ------
    ValueError
        If a part is no whole number of at least 1.
    """
    return whole_numbers(text, option, "64,16,16,4")


def whole_numbers(text: str, option: str, example: str) -> list[int]:
    """Return the whole numbers of a list, of which an example is given.

    Raises
    ------
    ValueError
        If a part is no whole number of at least 1.
    """
    parts = text.split(",")
    if not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
        raise ValueError(f"{option} is {text!r}; give whole numbers of at least 1 with commas, as in {example}.")
    return [int(part) for part in parts]


def image_shape(text: str | None, n_pixels: int) -> tuple[int, int]:
    """Return the height and width of a text such as ``8x8``, or what the number of pixels suggests if it is None.

    Raises
    ------
    ValueError
        If the text is of another form or the shape has another number of pixels.
    """
    from fastws import datasets

    if text is None:
        return datasets.image_shape(n_pixels)
    sides = text.lower().split("x")
    if len(sides) != 2 or not all(side.strip().isdecimal() for side in sides):
        raise ValueError(f"--shape is {text!r}; give height x width, as in 8x8.")
    return datasets.image_shape(n_pixels, (int(sides[0]), int(sides[1])))


def schedule(text: str, n_images: int, option: str) -> list[tuple[int, list[float]]]:
    """Return the phases of a text such as ``20s:0.1 100000:0.1,0.01``: numbers of examples, and learning rates.

    A length is a number of examples, or with an s behind it one of sweeps over all images. Spaces or semicolons stand
    between the phases.

    Raises
    ------
    ValueError
        If a phase is of another form.
    """
    phases = text.replace(";", " ").split()
    if not phases:
        raise ValueError(f"{option} is {text!r}; {_PHASES}.")
    found = []
    for phase in phases:
        length, colon, rates = phase.partition(":")
        digits = length.lower().removesuffix("s")
        if not colon or not digits.isdecimal() or int(digits) == 0:
            raise ValueError(f"{option} has {phase!r}; {_PHASES}.")
        n_examples = int(digits) * (1 if digits == length else n_images)
        found.append((n_examples, numbers(rates, f"the rates of {phase} in {option}")))
    return found


def choices(experiment: "Experiment", texts: Sequence[str], option: str) -> "dict[str, list[Setting]]":
    """Return the values of each setting of texts such as ``p_bar=0.1:0.5:9``.

    Raises
    ------
    ValueError
        If there is no such setting, or a value is not what it takes.
    """
    from fastws.sweep.settings import check_setting, setting_type

    found: dict[str, list[Setting]] = {}
    for text in texts:
        name, _, words = (part.strip() for part in text.partition("="))
        if not name or not words:
            raise ValueError(
                f"{option} is {text!r}; give a setting and its values, as in p_bar=0.1:0.5:9 or hidden=8,10,12."
            )
        wanted = setting_type(experiment, name)
        if name in found:
            raise ValueError(f"{option} has {name} twice; give all its values at once, with commas.")
        optional = experiment.defaults[name] is None
        values = [value for word in words.split(",") for value in _values(wanted, optional, name, word.strip(), option)]
        found[name] = [check_setting(experiment, name, value) for value in values]
    return found


def _values(wanted: type, optional: bool, name: str, word: str, option: str) -> list[Any]:
    if optional and word.lower() == "none":
        return [None]
    if wanted is str:
        return [word]
    if wanted is bool:
        return [{"true": True, "false": False}.get(word.lower(), word)]
    try:
        first, *rest = (_number(part) for part in word.split(":"))
        if not rest:
            return [_plain(wanted, first)]
        last, count = rest
        if not 2 <= count <= _MOST_VALUES or count % 1:
            raise ValueError
    except (ArithmeticError, ValueError):
        raise ValueError(
            f"{option} has {word!r} for {name}; give numbers with commas, as in 0.2,1/3, or FIRST:LAST:COUNT, as in "
            f"0.1:0.5:9, which is at most {_MOST_VALUES:,} of them."
        ) from None
    return [_plain(wanted, first + (last - first) * k / (count - 1)) for k in range(int(count))]


def _number(text: str) -> Decimal:
    """Return a number, or a fraction of two; decimal, so that 0.1:0.5:9 has the 0.3 that a person would type."""
    above, slash, below = text.partition("/")
    return Decimal(above) / Decimal(below) if slash else Decimal(above)


def _plain(wanted: type, number: Decimal) -> int | float:
    return int(number) if wanted is int and abs(number) < _LARGE and number % 1 == 0 else float(number)
