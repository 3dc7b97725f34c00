"""What commands print, on terminals of any width and encoding, and paths that can be typed again."""

import io
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastws
from chance import INTERPRETED
from fastws.cli import output, session
from fastws.cli.commands import app
from machines import random_machine

PACKAGE = Path(fastws.__file__).parent
COMMANDS = [command.callback.__name__.replace("_", "-") for command in app.registered_commands]
PAGES = [(), *((name,) for name in COMMANDS), ("sweep",), ("sweep", "bars")]
ENCODINGS = ("ascii", "latin-1", "cp1252", "cp437", "utf-8")
posix = pytest.mark.skipif(sys.platform == "win32", reason="names and shells of POSIX")
learning = pytest.mark.skipif(INTERPRETED, reason="learns from thousands of images")


@pytest.fixture
def run_in(run, monkeypatch):
    """Return a function that runs a command whose output and complaints are strictly in an encoding."""

    def call(encoding, *words):
        streams = [io.TextIOWrapper(io.BytesIO(), encoding, errors="strict", newline="\n") for _ in range(2)]
        with monkeypatch.context() as patched:
            patched.setattr(sys, "stdout", streams[0])
            patched.setattr(sys, "stderr", streams[1])
            code, _, _ = run(*words)
            for stream in streams:
                stream.flush()
        return code, *(stream.buffer.getvalue().decode(encoding) for stream in streams)

    return call


# Encodings.


def test_every_character_of_ours_has_something_that_stands_for_it():
    text = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    assert sorted({character for character in text if not character.isascii()} - set(output.PLAIN)) == []
    assert all(plain.isascii() and plain for plain in output.PLAIN.values())


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("page", PAGES, ids=" ".join)
def test_help_pages(run_in, encoding, page):
    code, out, err = run_in(encoding, *page, "--help")
    assert (code, err) == (0, "")
    assert "Usage" in out
    assert not re.search(r"\\[ux]|\?\?", out)


@pytest.mark.long
@learning
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_tables_are_straight(run_in, encoding):
    code, out, err = run_in(encoding, "bars", "--examples", 50, "--seeds", 2, "--seed", 1)
    assert code == 0
    assert not re.search(r"\\[ux]|Error", out + err)
    assert "asymmetric divergence KL(data || model)" in out or encoding == "utf-8"
    lines = [line for line in out.splitlines() if line[0] in "│┃|┏├└┡+"]
    assert len(lines) > 8
    assert len({len(line) for line in lines}) == 1


@learning
def test_evaluate_says_alpha(run_in):
    random_machine([9, 4]).save("m.npz")
    np.save("x.npy", fastws.Bars(3).sample(4))
    assert "C(alpha, d)" in run_in("cp1252", "evaluate", "m.npz", "x.npy")[1]
    assert "C(α, d)" in run_in("cp437", "evaluate", "m.npz", "x.npy")[1]


def test_complaints(run_in):
    code, out, err = run_in("ascii", "bars", "--recipe", "süß …")
    assert (code, out) == (2, "")
    assert err == "Error: there is no recipe 's\\xfc\\xdf ...'; choose one of paper, robust.\n"


@posix
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_names_of_files_that_are_no_text(run_in, encoding):
    name = os.fsdecode(b"m\xff\xfc.npz")
    code, out, err = run_in(encoding, "show", name)
    assert (code, out) == (2, "")
    assert "m\\xff\\xfc.npz" in err or "m\\udcff\\udcfc.npz" in err


@posix
def test_json_is_ascii_whatever_the_names_are(run_in, tmp_path):
    folder = os.fsdecode(b"d\xff")
    random_machine([9, 4]).save("m.npz")
    code, out, _ = run_in("utf-8", "show", "m.npz", "--out", folder, "--json")
    assert code == 0
    assert out.isascii()
    assert json.loads(out) == {"layer_sizes": [9, 4]}


@posix
def test_a_process_whose_locale_is_ascii(tmp_path):
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": ""}
    command = [sys.executable, "-m", "fastws", "plot-sweep", "--help"]
    process = subprocess.run(command, env=environment, capture_output=True, cwd=tmp_path)
    assert process.returncode == 0
    assert process.stdout.isascii()
    assert process.stderr == b""
    assert b"KL(data || model)" in process.stdout


# Width.


def test_numbers_stay_whole_where_it_is_narrow(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    rows = [("asymmetric divergence KL(data ‖ model)", "12,345.678 bits", "2,000,000"), ("", "-0.25 %", "")]
    session.print_table("A table that is wide", ["", "this one run", "the paper"], rows)
    out = capsys.readouterr().out
    for word in ("asymmetric", "divergence", "KL(data", "12,345.678", "2,000,000", "-0.25", "paper"):
        assert re.search(rf"(?<!\S){re.escape(word)}(?!\S)", out), word
    assert max(map(len, out.splitlines())) <= 40


def test_what_cannot_fit_is_wider_than_the_terminal_rather_than_cut(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "10")
    session.print_table("T", ["", "n"], [("longestword", "123456789012345")])
    out = capsys.readouterr().out
    assert "longestword" in out
    assert "123456789012345" in out


def test_where_there_is_room_a_table_is_as_wide_as_its_cells(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    session.print_table("T", ["", "n"], [("two words", "1 bit")])
    assert "│ two words │ 1 bit │" in capsys.readouterr().out


def test_square_brackets_of_a_file_name_are_printed(capsys):
    session.print_table("a [red]name[/red]", ["[b]"], [("[1]",)])
    assert "".join(capsys.readouterr().out.split()).startswith("a[red]name[/red]")


@pytest.mark.parametrize("label", ["Learning", "Backpropagation, for comparison"])
def test_a_progress_bar_keeps_its_numbers_whole(monkeypatch, label):
    import rich.console

    terminal = io.StringIO()
    console = rich.console.Console(file=terminal, width=40, force_terminal=True)
    monkeypatch.setattr("rich.console.Console", lambda **_: console)
    with session.progress_bar(label, 2_000_000, 1_234_567) as show:
        show(1_234_568)
    assert "1234568/2000000" in terminal.getvalue()


# Paths.

NAMES = [
    "a/run.npz",
    "a b/run.npz",
    'it\'s (1) $HOME `x` & "y".npz',
    "-x",
    "-x y",
    "ü",
    "été/α.npz",
    "two\nlines",
    "\\x",
]


@posix
@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
@pytest.mark.parametrize("name", [*NAMES, os.fsdecode(b"\xff'\\.npz")])
def test_a_shell_reads_a_quoted_path_back(monkeypatch, name, encoding):
    stream = io.TextIOWrapper(io.BytesIO(), encoding, errors="strict")
    monkeypatch.setattr(sys, "stdout", stream)
    quoted = output.quoted(name)
    assert quoted.encode(encoding)
    if not quoted.startswith("$'"):
        assert shlex.split(quoted) in ([name], [f"./{name}"])
    bash = subprocess.run(["bash", "-c", f"printf %s {quoted}"], capture_output=True)
    assert bash.stdout.removeprefix(b"./") == os.fsencode(name)
    assert bash.stderr == b""


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        (r"C:\Users\x\run.npz", r"C:\Users\x\run.npz"),
        (r"C:\My runs\run.npz", r'"C:\My runs\run.npz"'),
        (r"a&b\run.npz", r'"a&b\run.npz"'),
        ("it's", '"it\'s"'),
    ],
)
def test_paths_on_windows(monkeypatch, name, quoted):
    monkeypatch.setattr(output, "sys", type("Windows", (), {"platform": "win32"}))
    assert output.quoted(name) == quoted


@learning
def test_hints_can_be_typed(run, monkeypatch, tmp_path):
    folder = "my runs ü"
    np.save("x.npy", fastws.Bars(3).sample(40))
    with monkeypatch.context() as patched:
        patched.setattr("fastws.simulation.Simulation.compile", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
        code, _, err = run("train", "--data", "x.npy", "--layers", "9,4", "--sweeps", 2, "--out", folder)
    assert code == session.INTERRUPTED
    words = shlex.split(err.splitlines()[-1])
    assert words == ["fastws", "resume", str(Path(folder, "run.npz"))]
    code, _, err = run("train", "--data", "x.npy", "--layers", "9,4", "--out", folder)
    assert code == 2
    assert f"fastws resume {shlex.quote(words[-1])}, delete" in err
    assert run(*words[1:])[0] == 0
    _, out, _ = run("sweep", "bars", "--vary", "examples=10", "--seeds", 1, "--out", "my table.csv")
    assert out.endswith("to draw it: fastws plot-sweep 'my table.csv'\n")


# The examples at the end of each page.


def example(run, page):
    """Return the words of the example that a help page ends with."""
    code, out, _ = run(*page, "--help")
    assert code == 0
    last = [line for line in out.splitlines() if line.strip()][-1]
    assert last.startswith(" Example: fastws "), last
    return shlex.split(last)[2:]


@pytest.mark.parametrize("page", PAGES, ids=" ".join)
def test_each_page_ends_with_an_example_that_the_command_understands(run, page):
    import typer.main

    words = example(run, page)
    assert words[: len(page)] == list(page)
    command = typer.main.get_command(app)
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    context = command.make_context("example", words)
    assert "json" in context.params or page == ("live",)  # which serves a page, and has no result


@pytest.mark.long
@learning
def test_the_examples_work_one_after_the_other(run, monkeypatch, tmp_path):
    """In the order in which a person would try them; those that take long are shortened."""
    monkeypatch.setattr("fastws.experiments.digits.BACKPROP_HIDDEN", (2,))
    monkeypatch.setattr("fastws.experiments.digits.BACKPROP_DECAYS", (1.0,))
    monkeypatch.setattr("fastws.experiments.digits.BACKPROP_SWEEPS", 1)
    monkeypatch.setattr("webbrowser.open", lambda _: True)
    monkeypatch.setattr("fastws.live.server.PageServer.serve_forever", lambda _: None)
    np.savez("images.npz", x=np.random.default_rng(0).integers(0, 2, (20, 64)))
    assert run("bars", "--examples", 100)[0] == 0
    shortly = ["--vary", "examples=100", "--vary", "p_bar=0.1,0.2", "--seeds", 1]
    assert run("sweep", "bars", *shortly, "--out", "p_bar.csv")[0] == 0
    shorter = {
        "bars": ["--examples", 100],
        "sweep": ["--vary", "examples=100"],
        "digits": ["--sweeps", 1],
        "density": ["--seeds", 1],
    }
    done = []
    for page in sorted(PAGES, key=len):
        if page in ((), ("sweep",), ("resume",)):
            continue
        words = example(run, page)
        code, _, err = run(*words, *shorter.get(page[0], ()))
        assert code == 0, (page, err)
        done.append(page)
    assert len(done) >= 9


def test_names_of_options_stay_whole_where_it_is_narrow(tmp_path):
    pages = [name for name in PAGES if name != ()]
    script = (
        "import sys\nfrom fastws import cli\n"
        f"for page in {pages!r}:\n"
        "    sys.argv = ['fastws', *page, '--help']\n"
        "    try: cli.main()\n"
        "    except SystemExit: pass\n"
    )
    environment = {**os.environ, "COLUMNS": "40", "TERM": "dumb", "PYTHONIOENCODING": "ascii"}
    words = [sys.executable, "-c", script]
    text = subprocess.run(words, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    for option in (
        "--label-column",
        "--resume-from",
        "--nonnegative",
        "--p-vertical",
        "--probabilities",
        "--per-image",
    ):
        assert option in text


def test_a_title_is_not_broken_where_a_narrow_table_ends(capsys):
    session.print_table("500 images of t10k-images-idx3-ubyte.gz", ["class", "images"], [("0", "43")])
    assert capsys.readouterr().out.splitlines()[0] == "500 images of t10k-images-idx3-ubyte.gz"
