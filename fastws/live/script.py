"""“Copy as Python”: a script that makes the world of a plan, to the bit."""

from typing import Any


def script(plan: dict[str, Any], rule_file: str | None = None) -> str:
    """Return a script that ends with the machine of a plan, learned by the rules of a file if there is one."""
    settings, path = plan["settings"], plan["path"]
    kinds = {event[0] for event in path}
    *first, (n, rates) = settings["schedule"]
    # The last rates go on for ever on the page.
    length = max(n, plan["example"] - sum(n for n, _ in first) + 1)
    schedule = ", ".join(f"({n}, {rates})" for n, rates in [*first, (length, rates)])
    lines = ["from fastws import Bars, Machine, Simulation"]
    if kinds & {"phases", "rates"}:
        lines.append("from fastws.history import branch")
    if rule_file is not None:
        lines.append("from fastws.live.rules import RuledBars, read_rules")
    elif "phases" in kinds:
        lines.append("from fastws.streams import OnePhase")
    lines += [
        "",
        f"bars = Bars({settings['size']}, p_vertical={settings['p_vertical']}, p_bar={settings['p_bar']})",
        *([] if rule_file is None else [f"bars = RuledBars(bars, read_rules({rule_file!r}))"]),
        f"machine = Machine({[settings['size'] ** 2, *settings['hidden']]})",
        f"machine.gen_biases[1][:] = {settings['initial_bias']}",
        f"run = Simulation(machine, bars, [{schedule}], {settings['nonnegative']}, seed={plan['seed']})",
    ]
    here = 0
    for event in path:
        lines += _advance(event[1] - here)
        here = event[1]
        lines.append(_change(event, max(1, plan["example"] - here), rule_file is not None))
    lines += _advance(plan["example"] - here)
    return "\n".join([*lines, "print(run)", "print(run.machine.gen_weights[0])", ""])


def _advance(n_examples: int) -> list[str]:
    return [f"run.advance({n_examples})"] if n_examples else []


def _change(event: list[Any], left: int, ruled: bool) -> str:
    match event:
        case ["phases", _, phase] if ruled:
            return f'run = branch(run, stream=RuledBars(bars.bars, bars.rules, "{phase}"))'
        case ["phases", _, "both"]:
            return "run = branch(run, stream=bars)"
        case ["phases", _, phase]:
            return f'run = branch(run, stream=OnePhase(bars, "{phase}"))'
        case ["rates", _, rates]:
            return f"run = branch(run, [({left}, {rates})])"
        case [_, _, name, level, index, value]:
            return f"run.machine.{name}[{level}]{index} = {value}"
    raise AssertionError(f"{event} is no event of a path")
