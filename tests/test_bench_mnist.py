"""The figures of sigmoid belief nets on MNIST: python -m bench.mnist, on other images and smaller nets."""

import json
from pathlib import Path

import numpy as np
import pytest

import fastws
from chance import INTERPRETED
from fastws import exact
from machines import parameter_bits, random_machine

ROOT = Path(__file__).parents[1]
FOUND_KEYS = {"net", "plan", "seconds", "curve", "bounds", "many", "many_less", "measuring_seconds", "examples"} | {
    "ns_an_example_a_sample"
}
MEAN_KEYS = {"nats", "half_interval_nats"}

pytestmark = [
    pytest.mark.skipif(INTERPRETED, reason="draws thousands of representations"),
    pytest.mark.long,
]


@pytest.fixture
def mnist(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    from bench import mnist

    for name, value in {"counts": (1, 10, 100), "many": 200, "images_for_many": 5}.items():
        monkeypatch.setattr(mnist.Study, name, value)
    return mnist


@pytest.fixture
def parts(mnist):
    x = fastws.Bars(3).sample(60, seed=1)
    return mnist.Parts(x[:30], x[30:40], x[40:])


@pytest.fixture
def nets(mnist):
    return [mnist.Net((9, 4), 1, sweeps=30), mnist.Net((9, 3, 2), 3, sweeps=20)]


def silent(line):
    """Stand in for what says what is going on."""


def test_a_study_says_of_each_net_what_it_took_and_what_it_reached(mnist, parts, nets, tmp_path):
    result = mnist.Study(parts, nets, tmp_path, silent).run()
    assert json.loads((tmp_path / "result.json").read_text(encoding="utf-8")) == result
    head, *lines = mnist.table(result)
    assert head[3:7] == ["1", "10", "100", "200: less by"]
    assert [line[:3] for line in lines] == [["9-4", "1", ""], ["9-3-2", "3", ""]]
    assert {len(line) for line in lines} == {len(head)}
    names = {"9-4-k1-seed0.npz", "9-3-2-k3-seed0.npz", "bounds.png", "bounds.svg", "result.json"}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert [found["plan"]["recognition"] for found in result["nets"]] == ["sleep", "both"]
    for net, found in zip(nets, result["nets"], strict=True):
        assert set(found) == FOUND_KEYS
        assert [set(bound) for bound in found["bounds"]] == [{"n_samples", *MEAN_KEYS}] * 3
        assert (set(found["many"]), set(found["many_less"])) == ({"n_samples", "n_images", *MEAN_KEYS}, MEAN_KEYS)
        assert (found["many"]["n_samples"], found["many"]["n_images"]) == (200, 5)
        assert found["examples"] == 30 * net.sweeps
        assert found["ns_an_example_a_sample"] * found["examples"] * net.n_samples == pytest.approx(
            1e9 * found["seconds"]
        )
        assert [sweep for sweep, _ in found["curve"]] == sorted({round(net.sweeps * k / 15) for k in range(1, 16)})


def test_bounds_begin_at_the_free_energy_and_fall_towards_the_negative_log_probability(mnist, parts, tmp_path):
    # Recognition that knows nothing of what generation does: the free energy is far from -log P.
    machine = random_machine([9, 4, 2], seed=3)
    found = mnist.Study(parts, [], tmp_path, silent).measure(machine)
    one, ten, hundred = (bound["nats"] for bound in found["bounds"])
    free_energy, truth = (
        np.log(2) * measure(machine, parts.test).mean() for measure in (exact.free_energy_bits, exact.neg_log_prob_bits)
    )
    assert free_energy - truth > 2
    assert abs(one - free_energy) < 3 * found["bounds"][0]["half_interval_nats"]
    assert one - 0.5 > ten > hundred + 0.1 > truth
    few = np.log(2) * fastws.estimate.neg_log_prob_bits(machine, parts.test[:5], 200)
    assert found["many"]["nats"] == pytest.approx(few.mean())
    hundred_of_few = np.log(2) * fastws.estimate.neg_log_prob_bits(machine, parts.test[:5], 100)
    assert found["many_less"]["nats"] == pytest.approx((hundred_of_few - few).mean())


def test_an_interrupted_study_goes_on_to_the_same_bits_and_repeats_nothing(mnist, parts, nets, tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.mkdir()
    cut.mkdir()
    expected = mnist.Study(parts, nets, whole, silent).run()

    def interrupting(said):
        def say(line):
            if line.startswith(said):
                raise KeyboardInterrupt

        return say

    for moment in ("9-4, K = 1, seed 0: sweep 16 ", "describing 20 images with 10 ", "9-3-2, K = 3, seed 0: sweep 8 "):
        with pytest.raises(KeyboardInterrupt):
            mnist.Study(parts, nets, cut, interrupting(moment)).run()
    lines = []
    result = mnist.Study(parts, nets, cut, lines.append).run()
    assert lines[0].startswith("9-3-2, K = 3, seed 0: sweep 9 ")
    for found, other in zip(result["nets"], expected["nets"], strict=True):
        for key in ("net", "plan", "curve", "bounds", "many", "many_less", "examples"):
            assert found[key] == other[key]
    for name in ("9-4-k1-seed0.npz", "9-3-2-k3-seed0.npz"):
        np.testing.assert_array_equal(
            parameter_bits(fastws.Machine.load(cut / name)), parameter_bits(fastws.Machine.load(whole / name))
        )
    mnist.Study(parts, nets, cut, lambda line: pytest.fail(line)).run()


def test_what_was_found_otherwise_is_not_taken_over(mnist, parts, nets, tmp_path):
    with pytest.raises(ValueError, match=r"9-4, K = 1, seed 0 has 9 inputs; the images have 8 pixels\."):
        mnist.Study(mnist.Parts(*(part[:, 1:] for part in parts)), nets, tmp_path, silent)

    def interrupt(line):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mnist.Study(parts, nets, tmp_path, interrupt).run()
    slower = [mnist.Net((9, 4), 1, sweeps=30, first_rate=0.01), nets[1]]
    for other, images in ((slower, parts), (nets, parts._replace(train=parts.train[::-1]))):
        with pytest.raises(ValueError, match=r"9-4-k1-seed0.run.npz learns otherwise; delete it, or give another"):
            mnist.Study(images, other, tmp_path, silent).run()
    mnist.Study(parts, nets, tmp_path, silent).run()
    with pytest.raises(ValueError, match=r"has 9-4, K = 1, seed 0, which learned otherwise; give another folder"):
        mnist.Study(parts, slower, tmp_path, silent)
    with pytest.raises(ValueError, match=r"result.json is of other images; give another folder"):
        mnist.Study(parts._replace(test=parts.test[1:]), nets, tmp_path, silent)


def test_nets_begin_at_base_rates_and_their_rates_fall_by_the_same_factor(mnist, parts):
    run = mnist.Net((9, 4, 2), 2, sweeps=3, first_rate=0.4, last_rate=0.1).begin(parts.train)
    on = (1 + sum(int(pixel) for pixel in parts.train[:, 0])) / 32
    np.testing.assert_allclose(1 / (1 + np.exp(-run.machine.gen_biases[0][0])), on, rtol=1e-6)
    assert all((biases == -1).all() for biases in (*run.machine.gen_biases[1:], *run.machine.rec_biases))
    assert not any(weights.any() for weights in (*run.machine.gen_weights, *run.machine.rec_weights))
    assert [n for n, _ in run.schedule] == [30] * 3
    np.testing.assert_allclose([rates for _, rates in run.schedule], [[0.4] * 3, [0.2] * 3, [0.1] * 3], rtol=1e-6)


def test_grey_images_are_drawn_once_and_the_last_sixth_watches(mnist, tmp_path):
    grey = np.tile(np.array([0, 51, 255], np.uint8), (3000, 1))
    np.savez(tmp_path / "grey.npz", x_train=grey, x_test=grey)
    train, validation, test = mnist.read(tmp_path / "grey.npz")
    assert [len(part) for part in (train, validation, test)] == [2500, 500, 3000]
    drawn = np.concatenate([train, validation])
    assert (drawn[:, 0].sum(), drawn[:, 2].sum()) == (0, 3000)
    # A fifth of 3000, eight standard deviations wide.
    assert abs(drawn[:, 1].sum() - 600) < 180
    assert (drawn[:, 1] != test[:, 1]).any()
    again = mnist.read(tmp_path / "grey.npz")
    assert all(np.array_equal(*pair) for pair in zip(again, (train, validation, test), strict=True))


def test_the_command_answers_in_a_line(mnist, tmp_path, monkeypatch, capsys):
    np.savez(tmp_path / "narrow.npz", x_train=np.eye(6), x_test=np.eye(6))
    assert mnist.main([str(tmp_path / "narrow.npz"), "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err == "Error: 784-200, K = 1, seed 0 has 784 inputs; the images have 6 pixels.\n"
    assert mnist.main([str(tmp_path / "nowhere"), "--out", str(tmp_path / "out")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    monkeypatch.setattr(mnist, "NETS", [mnist.Net((6, 2), 1, sweeps=2)])
    words = [str(tmp_path / "narrow.npz"), "--out", str(tmp_path / "out")]
    assert mnist.main([*words, "--json"]) == 0
    [found] = json.loads(capsys.readouterr().out)["nets"]
    assert mnist.main(words) == 0
    out = capsys.readouterr().out
    assert all(f"{mean['nats']:.2f}" in out for mean in (*found["bounds"], found["many_less"]))
