"""The page itself, in a real browser: what it shows is what the library computes, and its buttons do what they say."""

import csv
import json
import math
import re
import shutil
import threading
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlencode

import numpy as np
import pytest

from fastws import exact
from fastws.experiments.bars import new_simulation
from fastws.live import front
from fastws.live.server import PageServer

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright, which drives a browser, is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed to open the page in"),
]

OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
VIEWS = "unit wake sleep halves ledger two away divergences bars time worlds cross levers draw".split()
PATIENCE = 60_000
PAINTED = "c => new Set(new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size"
FILES = Path(__file__).parents[1] / "examples"


@contextmanager
def serving():
    with PageServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server():
    with serving() as server:
        yield server


@pytest.fixture
def visit(browser, server):
    """Return what opens the page; complaints of the browser fail the test that caused them."""
    contexts, complaints = [], []

    def open_page(width=1280, moving=False, address=server.address, **link):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, reduced_motion="no-preference" if moving else "reduce"
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None)
        page.goto("&".join([address, *([urlencode(link)] if link else [])]))
        if "view" in link:
            show(page, link["view"])
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints


def show(page, view):
    """Scroll to a figure, wait until it is there, and return it."""
    section = page.locator(f"#view-{view}")
    section.locator("figure").evaluate("element => element.scrollIntoView()")
    page.locator(f"#view-{view}[data-ready]").wait_for(state="attached")
    return section


def press(section, name):
    """Press a button, and wait until what it began is done."""
    section.get_by_role("button", name=name, exact=True).click()
    section.page.wait_for_function("view => !('busy' in view.dataset)", arg=section.element_handle())


def readouts(section):
    """Return the numbers of a figure by their names."""
    names, numbers = (section.locator(f".readout .{part}").all_inner_texts() for part in ("name", "number"))
    return dict(zip(names, numbers, strict=True))


def fragment(page):
    """Return the link that the address bar holds, without the token."""
    _, _, text = page.url.partition("#")[2].partition("&")
    return {key: value for key, [value] in parse_qs(text).items()}


def shown(number, digits=2):
    return f"{number:.{digits}f}".replace("-", "−")


def whole(n):
    return f"{n:,}".replace(",", "\N{THIN SPACE}")


def measured(run):
    report = exact.report(run.machine, *run.stream.distribution())
    return {
        "examples seen": whole(run.examples_seen),
        "divergence, bits": shown(report.asymmetric_divergence_bits),
        "free energy, bits": shown(report.free_energy_bits),
        "KL penalty, bits": shown(report.kl_penalty_bits),
    }


@pytest.mark.parametrize("width", [360, 1280])
def test_every_view_opens_without_a_complaint_and_fits(visit, width):
    page = visit(width)
    page.locator(f"#view-{VIEWS[-1]}").wait_for(state="attached")
    assert page.locator(".view").evaluate_all("views => views.map(view => view.id.slice(5))") == VIEWS
    for view in VIEWS:
        section = show(page, view)
        assert not section.locator(".message.wrong:visible").count(), view
        page.wait_for_function(f"view => ({PAINTED})(view.querySelector('canvas')) > 3", arg=section.element_handle())
        # As many pixels as are shown: a click is where it seems to be, and a square is one.
        shown, drawn = section.locator("canvas").first.evaluate(
            "c => [[c.clientWidth, c.clientHeight], [c.width, c.height]]"
        )
        assert drawn == shown, view
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_step_reset_and_the_numbers_of_the_library(visit):
    page = visit(view="bars")
    bars = show(page, "bars")
    run = new_simulation()
    assert readouts(bars) == measured(run)
    for _ in range(3):
        press(bars, "Step")
    run.advance(3)
    assert readouts(bars) == measured(run)
    assert fragment(page) == {"view": "bars", "seed": "0", "n": "3"}
    press(bars, "Reset")
    assert readouts(bars) == measured(new_simulation())


def test_a_link_gives_back_the_state_and_follows_it(visit):
    run = new_simulation(seed=3).advance(20_000)
    first = visit(view="bars", seed=3, n=20_000)
    assert readouts(show(first, "bars")) == measured(run)
    press(show(first, "bars"), "Step")
    second = visit(**fragment(first))
    assert readouts(show(second, "bars")) == measured(run.advance(1)) == readouts(show(first, "bars"))


def test_other_settings_are_in_the_link(visit):
    page = visit(view="levers")
    levers = show(page, "levers")
    levers.get_by_title("44 of 64 runs succeeded").click()
    page.wait_for_function("view => 'playing' in view.dataset", arg=levers.element_handle())
    press(levers, "Pause")
    link = fragment(page)
    assert json.loads(link["hidden"]) == [10, 1]
    other = show(visit(**link), "levers")
    run = new_simulation(n_hidden=10).advance(int(link["n"]))
    assert readouts(other) == measured(run)


def test_it_plays_and_pauses(visit):
    page = visit(moving=True)
    unit = show(page, "unit")
    page.wait_for_function("view => 'playing' in view.dataset", arg=unit.element_handle())
    page.wait_for_function("view => view.innerText.includes('draws were on')", arg=unit.element_handle())
    press(unit, "Pause")
    before = unit.locator(".live").inner_text()
    page.wait_for_timeout(400)
    assert unit.locator(".live").inner_text() == before
    page.locator("body").press(" ")
    page.wait_for_function("view => 'playing' in view.dataset", arg=unit.element_handle())


def test_the_opening_learns_while_it_is_read(visit):
    hero = visit(moving=True).locator(".hero")
    hero.locator("canvas").wait_for()
    hero.page.wait_for_function(f"hero => ({PAINTED})(hero.querySelector('canvas')) > 4", arg=hero.element_handle())


def test_the_first_picture_waits_for_nothing_that_is_compiled(browser, server):
    def answer(route):
        if route.request.post_data_json["op"] in ("hello", "reset"):
            route.continue_()

    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.route("**/ask", answer)
    page.goto(server.address)
    hero = page.locator(".hero")
    hero.locator("canvas").wait_for()
    page.wait_for_function(f"hero => ({PAINTED})(hero.querySelector('canvas')) > 3", arg=hero.element_handle())
    context.close()


def test_play_at_the_end_begins_anew(visit):
    page = visit(view="bars", n=2_000_000)
    bars = show(page, "bars")
    assert readouts(bars)["examples seen"] == whole(2_000_000)
    bars.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function(
        "view => !['2\u2009000\u2009000', '0'].includes(view.querySelector('.number').textContent)",
        arg=bars.element_handle(),
    )


def test_nobody_moves_who_asked_for_stillness(visit):
    unit = show(visit(), "unit")
    assert unit.get_attribute("data-playing") is None
    press(unit, "Step")
    assert "1 draws were on" in unit.locator(".live").inner_text()


def test_a_unit_draws_as_often_as_it_should(visit):
    unit = show(visit(view="unit", b=-1, w="2.5 -2 1", s="101", draws=3000), "unit")
    text = unit.locator(".live").inner_text()
    p, share = float(re.search(r"\) = ([\d.]+)", text)[1]), float(re.search(r"on: ([\d.]+)", text)[1])
    assert p == pytest.approx(1 / (1 + math.exp(-2.5)), abs=5e-4)
    # Six standard deviations of 3000 draws.
    assert share == pytest.approx(p, abs=0.03)


def test_the_ledger_is_that_of_the_library(visit):
    run = new_simulation().advance()
    image, states = "1010101010101010", "100010001"
    ledger = show(visit(view="ledger", image=image, states=states), "ledger")
    x = [list(map(int, image))]
    table = exact.neg_log_prob_bits(run.machine, x)[0] - np.log2(exact.posterior(run.machine, x)[0])
    assert readouts(ledger)["bits, with these units"] == shown(table[int(states, 2)])
    press(ledger, "What does it draw?")
    assert readouts(ledger)["cheapest of all 512"] == shown(table.min())


def test_the_time_machine_goes_to_any_example_and_branches(visit):
    page = visit(view="time", n=5000)
    time = show(page, "time")
    time.locator("input[type=range]").evaluate(
        "input => { input.value = 500; input.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    page.wait_for_function("view => !('busy' in view.dataset)", arg=time.element_handle())
    example = int(fragment(page)["n"])
    run = new_simulation().advance(example)
    bits = exact.report(run.machine, *run.stream.distribution()).asymmetric_divergence_bits
    assert f"run: example {whole(example)}, {shown(bits)} bits" in time.locator(".live").inner_text()
    time.get_by_role("button", name="Branch here", exact=True).click()
    page.wait_for_function("view => view.innerText.includes('branch: example')", arg=time.element_handle())
    press(time, "Pause")
    link = fragment(page)
    again = show(visit(**link), "time")
    assert again.locator(".live").inner_text() == time.locator(".live").inner_text()


def test_the_worlds_that_are_stuck_are_those_of_the_library(visit):
    worlds = show(visit(view="worlds", n=50_000), "worlds")
    runs = [new_simulation(seed=seed).advance(50_000) for seed in range(16)]
    bits = [exact.report(run.machine, *run.stream.distribution()).asymmetric_divergence_bits for run in runs]
    assert readouts(worlds)["stuck so far"] == f"{sum(found > 0.5 for found in bits)} of 16"
    assert readouts(worlds)["lowest divergence, bits"] == shown(min(bits))


def test_a_cross_that_is_split_by_hand_is_in_the_link_and_heals(visit):
    page = visit(view="cross", seed=6, n=100_000)
    cross = show(page, "cross")
    before = float(readouts(cross)["divergence, bits"])
    press(cross, "Split the cross")
    page.wait_for_function("() => location.hash.includes('plan')")
    press(cross, "Pause")
    other = show(visit(**fragment(page)), "cross")
    assert float(readouts(other)["divergence, bits"]) < before
    for _ in range(20):
        press(other, "Step")
    healed = readouts(other)
    assert float(healed["divergence, bits"]) < before / 2
    assert float(healed["KL penalty, bits"]) < 1


def test_as_python_makes_the_same_machine(visit):
    page = visit(view="bars", seed=5, n=700)
    bars = show(page, "bars")
    bars.get_by_role("button", name="Python", exact=True).click()
    text = page.locator("dialog pre").inner_text()
    made = {}
    exec(text, made)
    run = new_simulation(seed=5).advance(700)
    [machine] = [value for value in made.values() if type(value).__name__ == "Machine"]
    for name, array in run.machine.arrays().items():
        np.testing.assert_array_equal(machine.arrays()[name], array)


def test_what_goes_wrong_is_a_sentence(visit, server):
    page = visit(view="bars")
    bars = show(page, "bars")
    bars.get_by_label("seed").fill("-1")
    bars.get_by_label("seed").press("Enter")
    assert "give a whole number of at least 0" in bars.locator(".message").inner_text()
    page.evaluate("() => { window.fetch = () => Promise.reject(new TypeError('gone')); }")
    bars.get_by_role("button", name="Step", exact=True).click()
    bars.get_by_text("Start it again").wait_for()


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ({"seed": "many"}, "seed is many"),
        ({"n": "-4"}, "n is -4"),
        ({"plan": "{"}, "not JSON"),
        ({"plan": '{"seed": 1, "example": -2}'}, "example"),
        ({"size": "99"}, "size is 99"),
    ],
)
def test_a_link_that_leads_nowhere_is_a_sentence_and_a_beginning(visit, link, words):
    bars = show(visit(view="bars", **link), "bars")
    assert words in bars.locator(".message").inner_text()
    assert readouts(bars)["examples seen"] == "0"


def test_a_seed_alone_is_that_of_the_bars(visit):
    bars = show(visit(seed=4), "bars")
    press(bars, "Step")
    assert readouts(bars) == measured(new_simulation(seed=4).advance(1))


def test_keys(visit):
    page = visit()
    show(page, "bars")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('#view-bars .number').textContent === '1'")
    page.keyboard.press("d")
    assert page.locator(".fastws-live").get_attribute("data-theme") == "dark"
    page.keyboard.press("?")
    assert "play or pause" in page.locator("dialog pre").inner_text()


def test_a_unit_of_the_ledger_is_switched_by_key(visit):
    page = visit(view="ledger", image="1000100010001000", states="000000000")
    ledger = show(page, "ledger")
    page.keyboard.press("3")
    page.wait_for_function("() => location.hash.includes('001000000')")
    page.keyboard.press("3")
    page.wait_for_function("() => location.hash.includes('000000000')")
    assert ledger.locator(".message:visible").count() == 0


def test_a_wrong_token_is_a_sentence(browser, server):
    context = browser.new_context()
    page = context.new_page()
    page.goto(server.address.partition("#")[0] + "#wrong")
    page.locator(".notice").wait_for(timeout=PATIENCE)
    assert len(page.locator(".notice span").inner_text()) > 20
    context.close()


def test_a_guess_shows_its_answer_and_moves_nothing(visit):
    unit = show(visit(), "unit")
    height = unit.evaluate("view => view.offsetHeight")
    unit.get_by_role("button", name="always", exact=True).click()
    assert unit.locator(".answer span").evaluate("answer => getComputedStyle(answer).visibility") == "visible"
    assert unit.evaluate("view => view.offsetHeight") == height


def test_the_levers_are_the_table_of_the_runs():
    found = {}
    usual = {"p_vertical": 2 / 3, "p_bar": 0.2, "first_hidden_bias": -3.0, "hidden": 8, "nonnegative": True}
    with (FILES / "success-rates.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            values = {name: json.loads(row[name].lower() or str(usual[name])) for name in usual}
            other = [name for name in usual if values[name] != usual[name]]
            if row["exclude"] != "none" or row["top"] != "1" or len(other) > 1:
                continue
            for name in other or usual:
                counts = found.setdefault((name, values[name]), [0, 0])
                counts[0] += float(row["asymmetric_divergence_bits"]) <= 0.10
                counts[1] += 1
    table = json.loads(re.search(r"const SUCCESS = (\{.*?\});", front.script(), re.S)[1])
    assert {(name, row[0]): row[1:] for name, rows in table.items() for row in rows} == found


def test_the_front_end_is_one_module_and_small():
    text, style = front.script(), front.style()
    assert len(re.findall("^export default", text, re.M)) == 1
    assert not re.findall(r"^import|\bimport\(", text, re.M)
    assert len(text.encode()) + len(style.encode()) < 200_000
    assert "http" not in re.sub("http://www.w3.org", "", style)
    outside = [rule for rule in re.findall(r"^([^@}\s][^{]*)\{", style, re.M) if ".fastws-live" not in rule]
    assert outside == []
