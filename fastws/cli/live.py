"""`fastws live`: the page that teaches wake-sleep."""

from pathlib import Path
from typing import Annotated

import typer


def live(
    seed: Annotated[
        int | None, typer.Option(min=0, help="The seed of the page's first world.", show_default=False)
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: one that is free.")] = 0,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address and leave it to you to open it.")
    ] = False,
    rule: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Learn by the functions wake_rule and sleep_rule of this Python file, or the one that it has; a world "
            "that is reset reads it again.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Open a page where wake-sleep learns before your eyes; it ends when the page is closed, or on Ctrl-C."""
    import webbrowser

    from fastws.cli.interrupts import answered
    from fastws.live.server import PageServer

    if rule is not None:
        from fastws.live.rules import read_rules

        read_rules(rule)
    try:
        server = PageServer(port, "" if seed is None else f"seed={seed}", None if rule is None else str(rule))
    except OSError as error:
        raise OSError(
            f"port {port} cannot be used: {error.strerror}. Give another one with --port, or none: one is then found."
        ) from error
    with server:
        print(server.address, flush=True)
        server.get_ready()
        if not no_browser and not webbrowser.open(server.address):
            print("There is no browser that could be opened; open this address in one on this computer.")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            answered()
            return
    print("The page was closed.")
