"""The command line for people: Typer's groups, help and completion around the verbs.

``run`` is called by `main` for whatever the fast way leaves: a terminal, help, a wrong use, the commands
that no hook waits for. Every command's function only names its options; the work is in `verbs`,
`housekeeping` and their like, and every error leaves through `session`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.exceptions import Abort, TyperException
from typer.main import get_command

from memd import __version__
from memd.errors import BadInput
from memd_cli.commands import (
    bench,
    crypt,
    daemon,
    exchange,
    feed,
    hook,
    install,
    lifecycle,
    memories,
    models,
    tasks,
    truth,
    upkeep,
    watch,
)
from memd_cli.help import examples, tidy
from memd_cli.session import Session, fail, write

INTERRUPTED = 130

EPILOG = (
    examples(
        'memd remember "we deploy with make release, from main"',
        'memd recall "how do we deploy"',
        "memd recall --explain TypeError in the loader",
        "memd ingest README.md docs/",
        "memd ingest --git  # the commit messages",
        "memd watch add ~/notes  # and keep up with them",
    )
    + "\n\n"
    + "[bold]Exit codes[/]\n\n"
    "  0  done\n"
    "  1  nothing found\n"
    "  2  wrong use; the store is as it was\n"
    "  3  the store or the daemon can't serve\n\n"
    "[bold]Environment[/]\n\n"
    "  MEMD_HOME        the data folder, in place of the user's own\n"
    "  MEMD_PASSPHRASE  of an encrypted store; MEMD_KEY_FILE: a file with it, or with the key\n"
    "  NO_COLOR         no colours, whatever the terminal\n\n"
    "[dim]Piped, every command prints plain lines with fields split by tabs;\n"
    "with --json, one JSON object. `memd COMMAND --help` has examples.[/]"
)

app = typer.Typer(
    name="memd",
    help="A local memory for coding agents: store text word for word, get the right passages back.",
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
    invoke_without_command=True,
    add_completion=True,
)
for _part in (
    memories.app,
    truth.app,
    lifecycle.app,
    feed.app,
    exchange.app,
    watch.app,
    upkeep.app,
    crypt.app,
    models.app,
    daemon.app,
    bench.app,
    install.app,
    hook.app,
    tasks.app,
):
    app.add_typer(_part)


def _version(wanted: bool) -> None:
    if wanted:
        write(f"memd {__version__}\n")
        raise typer.Exit()


@app.callback()
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        context.get_help()


def command() -> Any:
    """The whole command line as Typer's command object."""
    return tidy(get_command(app))


def run(words: Sequence[str]) -> int:
    """Run one command line through Typer; the exit code."""
    try:
        result = command().main(args=list(words), prog_name="memd", standalone_mode=False)
    except TyperException as error:
        return fail(Session(_command(words), {"json": "--json" in words}), wrong_use(error))
    except Abort:
        return INTERRUPTED
    return result if isinstance(result, int) else 0


def _command(words: Sequence[str]) -> str:
    """The command a line was meant for, as far as it can be told."""
    named = [word for word in words[:2] if not word.startswith("-")]
    group = command().commands.get(named[0] if named else "")
    return " ".join(named if hasattr(group, "commands") else named[:1])


def wrong_use(error: TyperException) -> BadInput:
    """Typer's complaint as memd's: what is wrong, and what to do."""
    message, _, suggestion = error.format_message().partition(". Did you mean ")
    message, _, options = message.partition(" (Possible options: ")
    message = re.sub(r"Input should be a valid integer.*", "a whole number is needed", message)
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "memd"
    if suggestion:
        hint = f"Did you mean {suggestion}"
    elif options:
        hint = f"Did you mean {options.rstrip(')')}?"
    elif message.startswith("No such option: "):
        hint = f"A text that starts with a dash goes after two: {path} -- -text. Options: {path} --help"
    else:
        hint = f"See: {path} --help"
    return BadInput(message.rstrip("."), hint)
