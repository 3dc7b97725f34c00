"""How streams are kept in files."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastws.checks import check_integer
from fastws.streams.bars import Bars
from fastws.streams.images import Images

_OWN = "own"


class NoStreamError(ValueError):
    """A file is of examples from a stream of one's own, and no such stream is given."""


def describe_stream(stream: Any) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return what `stream_from_description` needs: values for JSON, and arrays.

    Of a stream of one's own, or of a class made from ours, it is the name of its class only.
    """
    # One that was given a method of its own is no longer what its class says.
    if type(stream) in (Bars, Images) and not any(map(callable, vars(stream).values())):
        return stream.description()
    return {"kind": _OWN, "class": type(stream).__name__}, {}


def stream_from_description(
    values: dict[str, Any], arrays: dict[str, NDArray[Any]], n_inputs: int, own: Any = None
) -> Any:
    """Return the stream that gave this description, of examples for this many input units; or `own`, one of one's own.

    Raises
    ------
    NoStreamError
        If `own` is needed and is not given, or does not fit.
    ValueError
        If there is no such stream, or it does not fit; before anything is made that is larger than it should be.

    Examples
    --------
    >>> import fastws
    >>> from fastws.streams import stream_from_description
    >>> values, arrays = fastws.Images([[0, 1], [1, 1]]).description()
    >>> stream_from_description(values, arrays, n_inputs=2)
    Images(2 of 2 units)
    """
    if values.get("kind") == "bars":
        size = check_integer(values["size"], "size")
        if size**2 != n_inputs:
            raise ValueError(f"the bars images have size {size} and the machine {n_inputs} inputs.")
        return Bars(size, values["p_vertical"], values["p_bar"], values["exclude"])
    if values.get("kind") == "images":
        packed = arrays["images"]
        if packed.ndim != 2 or -(-n_inputs // 8) != packed.shape[1]:
            raise ValueError(f"the images have shape {packed.shape}, in bytes, and the machine {n_inputs} inputs.")
        return Images(np.unpackbits(packed, axis=1, count=n_inputs))
    if values.get("kind") == _OWN:
        whose = f"its examples are from a stream of your own, a {values['class']}"
        if own is None:
            raise NoStreamError(f"{whose}; make one like it and give it to Simulation.load(path, stream=…).")
        found = getattr(own, "n_inputs", None)
        if found != n_inputs:
            raise NoStreamError(f"{whose} of {n_inputs} inputs; the stream that is given has {found}.")
        return own
    raise ValueError(f"there is no stream of kind {values.get('kind')!r}; this fastws knows 'bars' and 'images'.")
