"""supersede, history, conflicts, resolve, audit: what holds, what held before, and that nobody tampered with it."""

from __future__ import annotations

from typing import Annotated

import typer

from memd_cli import truth
from memd_cli.commands.options import Json, Kind, NewTags, NoDaemon, Scope
from memd_cli.help import examples
from memd_cli.session import Session, perform

KEEP = "Keep it in order"
CARE = "Look after it"

app = typer.Typer(rich_markup_mode="rich")

Id = Annotated[str, typer.Argument(metavar="ID", help="Its id, or the beginning of it.", show_default=False)]


@app.command(
    rich_help_panel=KEEP,
    epilog=examples(
        'memd supersede 01k9 "the dev server listens on port 9090"',
        'memd supersede 01k9 "we deploy from main" --at 2024-05-07 --why "decided in the retro"',
        "git diff | memd supersede 01k9  # all of standard input",
    ),
)
def supersede(
    old: Annotated[str, typer.Argument(metavar="OLD", help="The memory that no longer holds.", show_default=False)],
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="TEXT", help="What holds now. Without one, standard input.", show_default=False),
    ] = None,
    why: Annotated[str | None, typer.Option("--why", metavar="WORDS", help="Why, for [cyan]memd history[/].")] = None,
    kind: Kind = None,
    tag: NewTags = [],  # noqa: B006
    who: Annotated[str | None, typer.Option("--who", metavar="NAME", help="Who said it.")] = None,
    session: Annotated[
        str | None, typer.Option("--session", metavar="ID", help="The agent session it is from.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="WHEN", help="Since when it is true, and the old one isn't, if not since now."),
    ] = None,
    json: Json = False,
    no_daemon: NoDaemon = False,
) -> int:
    """Store a text in the place of a memory.

    The old one keeps its text, and recall finds the new one instead; [cyan]recall --superseded[/] and
    [cyan]--as-of[/] still find both. Kind, scope and tags are the old one's unless they are given.
    Forgetting the new one lets the old one hold again. Piped, prints the new id.
    """
    return perform(Session("supersede", locals()), truth.supersede, truth.show_superseded)


@app.command(rich_help_panel=KEEP, epilog=examples("memd history 01k9", "memd history --json 01k9"))
def history(id: Id, json: Json = False, no_daemon: NoDaemon = False) -> int:
    """Show every version of a memory, and every change to them.

    Who stored it, through what, from which file, lines or session; what replaced it; and what the journal
    has on it since. Piped, prints lines: ``version``, id, recorded, until, text; ``replaced``, old, new, time,
    until, why; ``change``, time, what, id, details.
    """
    return perform(Session("history", locals()), truth.history, truth.show_history)


@app.command(rich_help_panel=KEEP, epilog=examples("memd conflicts", "memd conflicts --scope all --json"))
def conflicts(
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", help="At most so many.")] = 20,
    scope: Scope = None,
    json: Json = False,
    no_daemon: NoDaemon = False,
) -> int:
    """List memories that can't both hold, with the words in which they differ.

    They are found by rules, in the background: the same subject with another number, version, path, date or name;
    the same thing denied; what one says was moved, replaced or removed. Nothing is decided for you, but where
    both set one key, or the newer one says itself "now" or "no longer". Exits with 1 when there is none.
    Piped, prints a line each: rule, id, words, id, words.
    """
    return perform(Session("conflicts", locals()), truth.conflicts, truth.show_conflicts)


@app.command(
    rich_help_panel=KEEP,
    epilog=examples("memd resolve 01ka 01k9  # 01ka holds, in the place of 01k9", "memd resolve --both 01ka 01k9"),
)
def resolve(
    keep: Annotated[str, typer.Argument(metavar="KEEP", help="The memory that holds.", show_default=False)],
    other: Annotated[str, typer.Argument(metavar="OTHER", help="The one that doesn't.", show_default=False)],
    both: Annotated[bool, typer.Option("--both", help="Both hold: they don't exclude each other.")] = False,
    why: Annotated[str | None, typer.Option("--why", metavar="WORDS", help="Why, for [cyan]memd history[/].")] = None,
    json: Json = False,
    no_daemon: NoDaemon = False,
) -> int:
    """Decide between two memories: the first stands in the place of the second, or both hold."""
    return perform(Session("resolve", locals()), truth.resolve, truth.show_resolved)


@app.command(rich_help_panel=KEEP, epilog=examples("memd gists", "memd gists --scope all --json"))
def gists(
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", help="At most so many.")] = 20,
    scope: Scope = None,
    json: Json = False,
    no_daemon: NoDaemon = False,
) -> int:
    """List gists: a few sentences that stand for memories about the same, word for word, each with where it is from.

    The maintenance pass makes them, of three to twelve memories of one scope, and drops one as soon as a member is
    forgotten, superseded or purged. Recall shows them with [cyan]--gists[/] alone: more is found without.
    Exits with 1 when there is none. Piped, prints a line a sentence: gist, memory, start, end, sentence.
    """
    return perform(Session("gists", locals()), truth.gists, truth.show_gists)


@app.command(rich_help_panel=CARE, epilog=examples("memd audit", "memd audit --since-link 17:9f2c…  # kept elsewhere"))
def audit(
    since_link: Annotated[
        str | None,
        typer.Option(
            "--since-link",
            metavar="N:LINK",
            help="An entry's number and link, as an earlier audit printed them: the journal must still have it.",
        ),
    ] = None,
    json: Json = False,
    no_daemon: NoDaemon = False,
) -> int:
    """Verify the journal: that every change is there, as it was written, and that the memories are as it says.

    Names the first link that is broken, and exits with 3. Whoever keeps the printed number and link elsewhere
    can also tell later whether the journal was written anew.
    """
    return perform(Session("audit", locals()), truth.audit, truth.show_audit)
