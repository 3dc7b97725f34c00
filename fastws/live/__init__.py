"""Wake and sleep, live: the page that teaches it, in a browser, a notebook and the documentation.

`Session` answers what the page asks; ``fastws live`` serves it, and `Widget` shows it in a notebook.
"""

from typing import TYPE_CHECKING, Any

from fastws.live.session import Session

if TYPE_CHECKING:
    from fastws.live.widget import Widget as Widget

__all__ = ["Session", "Widget"]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Import the widget, which needs anywidget, when it is first used."""
        if name == "Widget":
            from fastws.live.widget import Widget

            return Widget
        raise AttributeError(f"module 'fastws.live' has no attribute {name!r}")
