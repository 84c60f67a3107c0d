"""stats, doctor, config, completion."""

from __future__ import annotations

from typing import Annotated

import typer

from memd_cli import doctor as examination
from memd_cli import lifecycle as alive
from memd_cli import upkeep
from memd_cli.commands.options import Json, NoDaemon
from memd_cli.help import examples
from memd_cli.session import Session, perform

CARE = "Look after it"

app = typer.Typer(rich_markup_mode="rich")
settings = typer.Typer(rich_markup_mode="rich", invoke_without_command=True)


@app.command(
    rich_help_panel=CARE,
    epilog=examples("memd stats", "memd stats --lifecycle", "memd stats --json | jq .data.by_kind"),
)
def stats(
    lifecycle: Annotated[
        bool, typer.Option("--lifecycle", help="How alive the memories are: tiers, bytes, curves of forgetting.")
    ] = False,
    json: Json = False,
    no_daemon: NoDaemon = False,
) -> int:
    """Say what the store holds and what is still to be done."""
    if lifecycle:
        return perform(Session("stats", {"json": json, "no_daemon": no_daemon}), alive.status, alive.show_stats)
    return perform(Session("stats", {"json": json, "no_daemon": no_daemon}), upkeep.stats)


@app.command(
    rich_help_panel=CARE,
    epilog=examples(
        "memd backup --keep 7", "memd backup --to /mnt/usb/", "memd backup --list", "memd restore --from latest"
    ),
)
def backup(
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="PATH", help="A folder, or a new file. Default: `backups` in the data folder."),
    ] = None,
    keep: Annotated[
        int | None, typer.Option("--keep", min=1, metavar="N", help="Delete all but the N newest copies there.")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Show the copies there instead.")] = False,
    json: Json = False,
) -> int:
    """Copy the store while it is in use, and verify the copy by opening it.

    One is made by itself before a new version of memd changes the store's format.
    """
    from memd_cli import backup as copies

    if list_:
        return perform(Session("backup list", {"json": json, "to": to}), copies.listed, copies.show)
    return perform(Session("backup", {"json": json, "to": to, "keep": keep}), copies.make, copies.show)


@app.command(rich_help_panel=CARE, epilog=examples("memd check", "memd check --json | jq .data.troubles"))
def check(json: Json = False) -> int:
    """Read the whole store, and compare its parts.

    Whether the file is sound; every memory's words are in the index, and no others; every passage has the vector that
    it is said to have; what counts as superseded is; the journal is whole and agrees with the memories. Takes about
    a minute for 100,000 memories, while the daemon goes on answering. Exits with 3 when something is wrong.
    Piped, prints ``sound``, ``memories``, ``passages``, and a line for each trouble: its part, and what is wrong.
    """
    from memd_cli import checking

    return perform(Session("check", {"json": json}), checking.check, checking.show)


@app.command(
    rich_help_panel=CARE,
    epilog=examples("memd repair", "memd repair --with latest --replace", "memd repair --to /mnt/usb/memd.db"),
)
def repair(
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="PATH", help="The new file, or a folder for it. Default: beside the store."),
    ] = None,
    with_: Annotated[
        str | None,
        typer.Option("--with", metavar="BACKUP", help="Take from this backup (or `latest`) what can't be read."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put the new store in the place of the damaged one, which is kept.")
    ] = False,
    json: Json = False,
) -> int:
    """Read out of a damaged store all that can be read, into a new one.

    The damaged file is only read. What is lost is told: how much of each table, and the ids of memories. Passages,
    words and vectors are made anew; the journal keeps what holds, and says where it breaks. Without --replace the new
    store lies beside the damaged one; with it, that one is kept among the backups. The daemon is stopped meanwhile.
    """
    from memd_cli import repair as mending

    options = {"json": json, "to": to, "with_": with_, "replace": replace}
    return perform(Session("repair", options), mending.run, mending.show)


@app.command(
    rich_help_panel=CARE,
    epilog=examples("memd doctor", "memd doctor --agent claude-code", "memd doctor --json | jq .data.checks"),
)
def doctor(
    agent: Annotated[
        str | None,
        typer.Option(
            "--agent", metavar="AGENT", help="Check what stands in this agent's files, as `memd install` has it."
        ),
    ] = None,
    json: Json = False,
) -> int:
    """Check that everything works, by doing it.

    Writes a memory to a throw-away store in the data folder, reads it back, encodes, searches, forgets;
    reads from the real store, which it never writes to; asks the daemon. Exits with 3 when a check fails.

    With --agent it starts memd's server and fires its hooks by the very commands in the agent's files, over a
    throw-away store and project.
    """
    return perform(Session("doctor", locals()), examination.doctor)


@settings.callback()
def config(context: typer.Context, json: Json = False) -> int | None:
    """Show the paths and settings, or change a setting."""
    if context.invoked_subcommand is None:
        raise typer.Exit(perform(Session("config", {"json": json}), upkeep.show_config))
    return None


Name = Annotated[str, typer.Argument(metavar="NAME", help="A setting, as in `memd config`.", show_default=False)]


@settings.command(epilog=examples("memd config get daemon.idle_exit"))
def get(name: Name, json: Json = False) -> int:
    """Print one setting."""
    return perform(Session("config get", locals()), upkeep.get_config)


@settings.command(
    "set", epilog=examples("memd config set daemon.idle_exit 3600  # seconds", "memd config set encryption on")
)
def set_(
    name: Name,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="Its value.", show_default=False)],
    json: Json = False,
) -> int:
    """Write a setting to config.toml. A daemon that runs takes it up when restarted.

    `encryption` (on, off) stands in the store itself: the command does what `memd encrypt` and `memd decrypt` do.
    """
    return perform(Session("config set", locals()), upkeep.set_config)


@settings.command(epilog=examples("memd config unset daemon.idle_exit"))
def unset(name: Name, json: Json = False) -> int:
    """Take a setting out of config.toml, back to its default."""
    return perform(Session("config unset", {"name": name, "value": None, "json": json}), upkeep.set_config)


app.add_typer(
    settings,
    name="config",
    rich_help_panel=CARE,
    epilog=examples(
        "memd config", "memd config set daemon.idle_exit 3600", 'cd "$(memd config --json | jq -r .data.paths.home)"'
    ),
)


@app.command(
    rich_help_panel=CARE,
    epilog=examples("memd completion --install", "memd completion zsh > ~/.zfunc/_memd"),
)
def completion(
    shell: Annotated[str | None, typer.Argument(metavar="SHELL", help="bash, zsh or fish. Default: yours.")] = None,
    install: Annotated[bool, typer.Option("--install", help="Put it where the shell looks for it.")] = False,
    json: Json = False,
) -> int:
    """Print or install the shell's completion."""
    return perform(Session("completion", locals()), upkeep.completion)
