"""Options that are more than one word or number, read from text."""


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
    parts = text.split(",")
    if not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
        raise ValueError(f"{option} is {text!r}; give whole numbers of at least 1 with commas, as in 64,16,16,4.")
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
