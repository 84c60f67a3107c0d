"""use, pin, unpin; lifecycle status, lifecycle run."""

from __future__ import annotations

from typing import Annotated

import typer

from memd_cli import lifecycle as verbs
from memd_cli.commands.memories import KEEP
from memd_cli.commands.options import Ids, Json, NoDaemon
from memd_cli.commands.upkeep import CARE
from memd_cli.help import examples
from memd_cli.session import Session, perform

app = typer.Typer(rich_markup_mode="rich")
lifecycle = typer.Typer(
    rich_markup_mode="rich",
    no_args_is_help=True,
    help="How memories fade: what is used stays sharp, the rest takes fewer bytes. No text is ever lost by it.",
    epilog=examples("memd lifecycle status", "memd lifecycle run --dry-run --now 2030-01-01"),
)

Now = Annotated[
    str | None, typer.Option("--now", metavar="WHEN", help="Take this as the present: a date, or words for one.")
]


@app.command(
    rich_help_panel=KEEP,
    epilog=examples(
        "memd use 01k9  # it helped",
        "memd use 01k9 01ka --who claude-code --session s42",
        "memd use 01k9 --useless  # recall showed it, and it was no help",
    ),
)
def use(
    words: Ids = None,
    useful: Annotated[bool, typer.Option("--useful", help="It helped. That is what is meant without a word.")] = False,
    cited: Annotated[bool, typer.Option("--cited", help="An answer rests on it.")] = False,
    useless: Annotated[bool, typer.Option("--useless", help="It didn't help.")] = False,
    who: Annotated[str | None, typer.Option("--who", metavar="NAME", help="Who says so.")] = None,
    session: Annotated[str | None, typer.Option("--session", metavar="ID", help="The agent session it was in.")] = None,
    recall: Annotated[str | None, typer.Option("--recall", metavar="ID", help="The recall that showed it.")] = None,
    json: Json = False,
    no_daemon: NoDaemon = False,
) -> int:
    """Say that memories helped, so that they stay.

    Each use lets a memory fade later, more so after a long gap. One that had faded is sharp again at once.
    Being shown by recall is no use; saying the same text again is. Piped, prints a line each: id, tier,
    retention, activation, stability in days.
    """
    chosen = [name for name, said in (("useful", useful), ("cited", cited), ("useless", useless)) if said]
    if len(chosen) > 1:
        raise typer.BadParameter(f"--{chosen[0]} and --{chosen[1]} were both given; say one.")
    options = {
        "words": words, "verdict": chosen[0] if chosen else "useful", "who": who, "session": session,
        "recall": recall, "json": json, "no_daemon": no_daemon,
    }  # fmt: skip
    return perform(Session("use", options), verbs.use, verbs.show_lives)


@app.command(rich_help_panel=KEEP, epilog=examples("memd pin 01k9", "memd pin 01k9 01ka --json"))
def pin(words: Ids = None, json: Json = False, no_daemon: NoDaemon = False) -> int:
    """Keep memories from fading, used or not."""
    return perform(Session("pin", locals()), verbs.pin, verbs.show_lives)


@app.command(rich_help_panel=KEEP, epilog=examples("memd unpin 01k9"))
def unpin(words: Ids = None, json: Json = False, no_daemon: NoDaemon = False) -> int:
    """Let pinned memories fade again, from their last use on."""
    return perform(Session("unpin", locals()), verbs.pin, verbs.show_lives)


@lifecycle.command(epilog=examples("memd lifecycle status", "memd lifecycle status --now 'in 3 months' --json"))
def status(now: Now = None, json: Json = False, no_daemon: NoDaemon = False) -> int:
    """Say how many memories are at each tier, what is due, and what the last pass did."""
    return perform(Session("lifecycle status", locals()), verbs.status, verbs.show_status)


@lifecycle.command(
    epilog=examples("memd lifecycle run --dry-run", "memd lifecycle run", "memd lifecycle run --now 2030-01-01")
)
def run(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")] = False,
    now: Now = None,
    json: Json = False,
    no_daemon: NoDaemon = False,
) -> int:
    """Do a maintenance pass now: move what has faded to its tier, fold old uses, give space back.

    The daemon does so by itself when nobody asks for anything.
    """
    return perform(Session("lifecycle run", locals()), verbs.run, verbs.show_run)


app.add_typer(lifecycle, name="lifecycle", rich_help_panel=CARE)
