"""The page as a notebook widget: Jupyter, VS Code, Colab and marimo."""

from typing import Any

from fastws.checks import Whole, check_integer
from fastws.live import front
from fastws.live.session import Session

try:
    import anywidget
    import traitlets
except ImportError as error:
    raise ImportError(
        "fastws.live.Widget needs the package anywidget; install it by pip install 'fastws[live]'. "
        "The command fastws live shows the same page in a browser."
    ) from error

__all__ = ["Widget"]


class Widget(anywidget.AnyWidget):
    """The live page in a notebook; the kernel answers it.

    Needs anywidget: ``pip install 'fastws[live]'``.

    Parameters
    ----------
    seed : int, default=0
        The seed of the page's first world.
    link : str, optional
        A state of the page, as the address of ``fastws live`` has it after the token: ``view=bars&seed=3``. It takes
        the place of the seed.

    Attributes
    ----------
    session : Session
        What answers the page: `Session.world` has its machines.

    Raises
    ------
    ImportError
        If anywidget is not installed.
    ValueError
        If the seed is not a whole number of at least 0.

    Examples
    --------
    >>> from fastws.live import Widget
    >>> Widget(seed=3).link
    'seed=3'
    """

    _esm = front.script()
    _css = front.style()
    link = traitlets.Unicode("").tag(sync=True)

    def __init__(self, seed: Whole = 0, link: str = "") -> None:
        super().__init__(link=link or f"seed={check_integer(seed, 'seed', at_least=0)}")
        self.session = Session()
        self.on_msg(self._answer)

    def _answer(self, _: Any, request: Any, __: Any) -> None:
        reply, content = self.session.handle(request)
        self.send(reply, [content])
