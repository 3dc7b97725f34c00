import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fastws.filenames import file_names


@pytest.mark.parametrize("labels", [[0, 1, 10], ["a", "b_1", "ü"], [-1, 3], ["A", "b"], ["x" * 50, "日本"]])
def test_plain_labels_are_their_own_names(labels):
    assert file_names(labels) == [str(label) for label in labels]


def test_a_plain_label_keeps_its_name_among_others():
    assert file_names(["0", "a/b", "A", "c", "a", "CON", ""])[::3] == ["0", "c", "class.6"]


WORDS = st.lists(st.text(max_size=4) | st.sampled_from(["a", "A", "a.1", "ß", "SS", "é", "e\u0301"]), unique=True)


@given(WORDS)
@example(["a", "A"])
@example(["é", "e\u0301", "É"])
@example(["straße", "STRASSE", "ﬁ", "fi", "\u0131", "i", "I", "İ"])
@example(["a/b", "a:b", "a\\b", "a*b", 'a"b', "a<b", "a>b", "a|b", "a?b", "a\0b", "a\nb", "a\x7fb"])
@example(["", ".", "..", " ", "a.", "a ", " a", "-", "../x", "~"])
@example(["x" * 300, "x" * 299, "ü" * 300, "\U00020000" * 300, "X" * 300])
@example(["a.1", "a", "A.1", "a?"])
@example(["\ud800", "\ud801"])
@settings(max_examples=60)
def test_every_file_system_takes_them_apart(labels):
    names = file_names(labels)
    assert len(names) == len(labels)
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        for fold in (str.upper, str.lower, str.casefold, lambda text: text.upper().lower()):
            assert len({fold(unicodedata.normalize(form, name)) for name in names}) == len(names)
    for name in names:
        file = f"machine-{name}.npz"
        assert len(file.encode()) < 240
        assert not set(file) & set('/\\:*?"<>|')
        assert all(character.isprintable() for character in file)
        assert name.strip(". ") == name != ""


@pytest.mark.parametrize("label", ["CON", "nul", "Prn", "AUX", "com1", "LPT9", "COM²", "conin$"])
def test_names_of_devices(label):
    [name] = file_names([label])
    assert name.split(".")[0].lower() != label.lower() or not name.endswith(".npz")
    assert name != label
