"""Words that come out readable on any terminal and in any file, and paths that can be typed again."""

import codecs
import os
import re
import shlex
import sys
from pathlib import Path
from typing import Any

PLAIN = {
    "‖": "||",
    "∣": "|",
    "−": "-",
    "–": "-",
    "×": "x",
    "·": ".",
    "…": "...",
    "±": "+-",
    "¹": "^1",
    "²": "^2",
    "³": "^3",
    "α": "alpha",
    "γ": "gamma",
    "ε": "epsilon",
    "μ": "mu",
    "ρ": "rho",
    "σ": "sigma",
    "Δ": "Delta",
    "Σ": "Sum",
    "ℓ": "l",
    "∝": "~",
    "⇒": "=>",
    "⇔": "<=>",
    "“": '"',
    "”": '"',
    "◀": "<",
    "▶": ">",
}
"""What stands for a character of ours where the encoding of the output does not have it."""

_HANDLER = "fastws-readable"
_SAFE_ON_WINDOWS = re.compile(r"[\w.:\\/+-]+")


def _replace(error: UnicodeError) -> tuple[str | bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    character = error.object[error.start]
    # The bytes of a file name that are no text are shown as `ls` does.
    byte = ord(character) - 0xDC00
    shown = f"\\x{byte:02x}" if 0x80 <= byte <= 0xFF else character.encode("ascii", "backslashreplace").decode()
    return PLAIN.get(character, shown), error.start + 1


codecs.register_error(_HANDLER, _replace)


def write_readably(*streams: Any) -> None:
    """Let text streams replace what their encodings do not have, instead of raising an error."""
    for stream in streams:
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_HANDLER)


def readable(text: str, stream: Any) -> str:
    """Return the text as the stream will show it, for what has to know its width."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, _HANDLER).decode(encoding)


def quoted(path: str | os.PathLike[str]) -> str:
    """Return a path as it can be typed into a shell, at the place of an argument."""
    text = os.fspath(path)
    if text.startswith("-"):
        text = str(Path(".", text)) if sys.platform == "win32" else f"./{text}"
    if sys.platform == "win32":
        return text if _SAFE_ON_WINDOWS.fullmatch(text) else f'"{text}"'
    if all(_is_shown(text, stream) for stream in (sys.stdout, sys.stderr)):
        return shlex.quote(text)
    # Bash, ksh and zsh read the bytes themselves.
    return "$'" + "".join(_escaped(byte) for byte in os.fsencode(text)) + "'"


def _is_shown(text: str, stream: Any) -> bool:
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return text.isprintable()


def _escaped(byte: int) -> str:
    character = chr(byte)
    if character in "\\'":
        return "\\" + character
    return character if 32 <= byte < 127 else f"\\x{byte:02x}"
