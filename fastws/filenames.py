"""Names of files for what people call their classes."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

_RESERVED = re.compile(r"con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]", re.IGNORECASE)


def file_names(labels: Iterable[object]) -> list[str]:
    """Return a name for each of several different labels, to be part of the name of a file, in the same order.

    A label that is a word of up to 50 letters, digits, ``-`` and ``_`` is its own name, unless another differs from it
    in nothing but case or the form of its accents. Any other is shortened to such a word, a dot and its number: that is
    one of a kind, since no word has a dot.
    """
    texts = [str(label) for label in labels]
    alike = Counter(map(_as_lax_file_systems_see_it, texts))
    return [
        text if _is_plain(text) and alike[_as_lax_file_systems_see_it(text)] == 1 else f"{_word(text)}.{number}"
        for number, text in enumerate(texts)
    ]


def _is_plain(text: str) -> bool:
    composed = unicodedata.is_normalized("NFC", text)
    return composed and re.fullmatch(r"[\w-]{1,50}", text) is not None and not _RESERVED.fullmatch(text)


def _word(text: str) -> str:
    return re.sub(r"[^\w-]+", "_", unicodedata.normalize("NFC", text))[:40].strip("_") or "class"


def _as_lax_file_systems_see_it(text: str) -> str:
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).upper().casefold())
