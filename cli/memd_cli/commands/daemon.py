"""daemon run, start, stop, restart, status, logs; service install, uninstall."""

from __future__ import annotations

from typing import Annotated

import typer

from memd_cli import process
from memd_cli.commands.options import Json
from memd_cli.commands.upkeep import CARE
from memd_cli.help import examples
from memd_cli.session import Session, perform

app = typer.Typer(rich_markup_mode="rich")
daemon = typer.Typer(
    rich_markup_mode="rich",
    no_args_is_help=True,
    help="Start, stop and look at the process that holds the store.\n\nThe first command that needs it starts it.",
    epilog=examples("memd daemon status", "memd daemon restart", "memd daemon logs -f"),
)
service = typer.Typer(
    rich_markup_mode="rich",
    no_args_is_help=True,
    help="Have the system start the daemon at login.\n\nA systemd user unit, or a launchd agent on macOS.",
    epilog=examples("memd service install", "memd service uninstall"),
)


@daemon.command(epilog=examples("memd daemon run  # stop it with Ctrl-C", "MEMD_HOME=/tmp/try memd daemon run"))
def run() -> int:
    """Be the daemon, in the foreground, until stopped."""
    return perform(Session("daemon run", {}), process.run, process.show)


@daemon.command(epilog=examples("memd daemon start"))
def start(json: Json = False) -> int:
    """Start the daemon, unless it runs already."""
    return perform(Session("daemon start", locals()), process.start, process.show)


@daemon.command(epilog=examples("memd daemon stop"))
def stop(json: Json = False) -> int:
    """Stop the daemon, once it has finished the write in hand."""
    return perform(Session("daemon stop", locals()), process.stop, process.show)


@daemon.command(epilog=examples("memd daemon restart"))
def restart(json: Json = False) -> int:
    """Stop the daemon and start it again."""
    return perform(Session("daemon restart", locals()), process.restart, process.show)


@daemon.command(epilog=examples("memd daemon status", "memd daemon status --json | jq .data.rss_bytes"))
def status(json: Json = False) -> int:
    """Say whether the daemon runs, and how it is. Exits with 1 when none runs."""
    return perform(Session("daemon status", locals()), process.status, process.show)


@daemon.command(epilog=examples("memd daemon logs", "memd daemon logs -n 200", "memd daemon logs -f"))
def logs(
    lines: Annotated[int, typer.Option("--lines", "-n", metavar="N", help="So many lines from the end.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on printing as it grows, until Ctrl-C.")] = False,
    json: Json = False,
) -> int:
    """Print the daemon's log."""
    return perform(Session("daemon logs", locals()), process.logs, process.show)


@service.command(epilog=examples("memd service install"))
def install(json: Json = False) -> int:
    """Write the unit and enable it: the daemon then starts at login."""
    return perform(Session("service install", locals()), process.install, process.show)


@service.command(epilog=examples("memd service uninstall"))
def uninstall(json: Json = False) -> int:
    """Disable the unit and remove it. The memories stay."""
    return perform(Session("service uninstall", locals()), process.uninstall, process.show)


app.add_typer(daemon, name="daemon", rich_help_panel=CARE)
app.add_typer(service, name="service", rich_help_panel=CARE)
