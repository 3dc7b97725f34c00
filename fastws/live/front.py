"""The page's front end, put together from its sources: one script and one style sheet, the same in every host."""

from importlib.resources import files

__all__ = ["script", "style"]


def script() -> str:
    """Return the one ES module of the page, ``export default { render }``, in the form that anywidget calls front end.

    The sources are plain scripts that share one scope, joined in the order of their names.
    """
    return _join(".js")


def style() -> str:
    """Return the page's style sheet; every rule of it lies below the class ``fastws-live``."""
    return _join(".css")


def _join(ending: str) -> str:
    sources = sorted(files("fastws.live").joinpath("page").iterdir(), key=lambda source: source.name)
    return "\n".join(source.read_text(encoding="utf-8") for source in sources if source.name.endswith(ending))
