"""remember, recall, show, list; forget, restore, tag."""

from __future__ import annotations

from typing import Annotated

import typer

from memd_cli import changes, verbs
from memd_cli.commands.options import (
    Ids,
    Json,
    Kind,
    Kinds,
    NewTags,
    NoDaemon,
    OwnScope,
    Scope,
    Since,
    Source,
    Tags,
    Until,
    Without,
)
from memd_cli.help import examples
from memd_cli.session import Session, perform

ASK = "Remember and recall"
KEEP = "Keep it in order"

app = typer.Typer(rich_markup_mode="rich")


@app.command(
    rich_help_panel=ASK,
    epilog=examples(
        'memd remember "we deploy with make release, from main"',
        'memd remember -k decision -t db "one SQLite file, WAL"',
        "git diff | memd remember -k fix -t parser  # all of standard input",
        "memd remember --file notes.md --at 2024-05-07",
        'memd remember --pin "never push to main on a Friday"',
        "memd remember --jsonl < memories.jsonl  # many at once",
    ),
)
def remember(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="TEXT", help="The text. Without one, standard input.", show_default=False),
    ] = None,
    file: Annotated[
        list[str],
        typer.Option("--file", "-f", metavar="PATH", help="Store a file's text. Repeatable."),
    ] = [],  # noqa: B006 - Typer copies it
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help='Store many: each line is {"text": …}, with any other field of a memory.')
    ] = False,
    kind: Kind = None,
    scope: OwnScope = None,
    tag: NewTags = [],  # noqa: B006
    who: Annotated[str | None, typer.Option("--who", metavar="NAME", help="Who said it.")] = None,
    session: Annotated[
        str | None, typer.Option("--session", metavar="ID", help="The agent session it is from.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="WHEN", help="When it happened or was true, if that isn't now.")
    ] = None,
    episode: Annotated[
        str | None,
        typer.Option("--episode", metavar="KEY", help="The ordered group it is part of: a session, a file."),
    ] = None,
    position: Annotated[
        int | None, typer.Option("--position", metavar="N", help="Its place in the episode; at the end by default.")
    ] = None,
    importance: Annotated[
        float | None,
        typer.Option("--importance", metavar="P", min=0, max=1, help="How slowly it fades, 0 to 1; 0.5 is ordinary."),
    ] = None,
    pin: Annotated[bool, typer.Option("--pin", help="It doesn't fade at all.")] = False,
    json: Json = False,
    no_daemon: NoDaemon = False,
) -> int:
    """Store text, word for word.

    When the id comes back, it is on disk. The same text twice in one scope is one memory, said again.
    Piped, prints an id a line.
    """
    return perform(Session("remember", locals()), verbs.remember)


@app.command(
    rich_help_panel=ASK,
    epilog=examples(
        'memd recall "how do we deploy"',
        "memd recall --explain sqlite3.OperationalError: database is locked",
        'memd recall -k decision "what did we choose last month"',
        "memd recall --since 2024-05-01 --until 2024-06-01 release",
        'memd recall --as-of 2024-05-07 "which port"  # as memd knew it then',
        'memd recall --json -n 3 "port of the dev server" | jq .data.hits',
        "memd recall -n 50 --budget 500 deploy  # as much as fits into 500 tokens",
        "pytest 2>&1 | tail -5 | memd recall  # ask with an error",
    ),
)
def recall(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="QUERY", help="A question, words or an error. Without one, standard input.", show_default=False
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", help="At most so many memories.")] = 10,
    scope: Scope = None,
    kind: Kinds = [],  # noqa: B006
    tag: Tags = [],  # noqa: B006
    source: Source = None,
    since: Since = None,
    until: Until = None,
    now: Annotated[
        str | None, typer.Option("--now", metavar="WHEN", help='What "last week" in the query is relative to.')
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="WHEN", help="Answer as memd would have known it then."),
    ] = None,
    superseded: Annotated[
        bool, typer.Option("--superseded", help="Also find what another memory has replaced.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", "-e", help="Show why: each channel's rank and share, and what just missed.")
    ] = False,
    without: Without = [],  # noqa: B006
    min_relevance: Annotated[
        float | None,
        typer.Option(
            "--min-relevance",
            metavar="P",
            min=0,
            max=1,
            help="Leave out what is less likely to answer than this, 0 to 1; 0 shows whatever comes nearest. "
            "By default a recall without any likely answer finds nothing.",
        ),
    ] = None,
    budget: Annotated[
        int | None,
        typer.Option("--budget", "-b", metavar="TOKENS", help="As many as have passages of so many tokens together."),
    ] = None,
    gists: Annotated[
        bool, typer.Option("--gists", help="Let a gist stand for several found memories that are about the same.")
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="Print whole memories, not passages.")] = False,
    json: Json = False,
    no_daemon: NoDaemon = False,
) -> int:
    """Find the passages that answer a question.

    Sees the project you are in and what is global. Exits with 1 when nothing is found.
    Piped, prints a line a hit: id, score, kind, time, scope, tags, passage.
    """
    return perform(Session("recall", locals()), verbs.recall)


@app.command(
    rich_help_panel=ASK,
    epilog=examples(
        "memd show 01k9", "memd show --text 01k9 > back.md  # the text, exactly", "memd show --json 01k9 01ka"
    ),
)
def show(
    words: Ids = None,
    text: Annotated[bool, typer.Option("--text", help="The text alone, exactly as it was given.")] = False,
    json: Json = False,
    no_daemon: NoDaemon = False,
) -> int:
    """Show memories whole: the text and all that is known about it."""
    return perform(Session("show", locals()), verbs.show)


@app.command(
    "list",
    rich_help_panel=ASK,
    epilog=examples(
        "memd list",
        "memd list -k decision --since yesterday",
        "memd list --forgotten  # what `memd restore` brings back",
        "memd list -n 100 --before 01k9  # the page before",
    ),
)
def list_(
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", help="At most so many memories.")] = 20,
    scope: Scope = None,
    kind: Kinds = [],  # noqa: B006
    tag: Tags = [],  # noqa: B006
    source: Source = None,
    since: Since = None,
    until: Until = None,
    forgotten: Annotated[bool, typer.Option("--forgotten", help="List what was forgotten instead.")] = False,
    superseded: Annotated[bool, typer.Option("--superseded", help="List also what was replaced.")] = False,
    before: Annotated[
        str | None, typer.Option("--before", metavar="ID", help="Only those older than this one.")
    ] = None,
    json: Json = False,
    no_daemon: NoDaemon = False,
) -> int:
    """List memories, newest first.

    Piped, prints a line each: id, kind, time, scope, tags, text.
    """
    return perform(Session("list", locals()), verbs.list_)


@app.command(
    rich_help_panel=KEEP,
    epilog=examples(
        "memd forget 01k9",
        "memd forget --dry-run 01k9 01ka",
        "memd forget --yes 01k9  # in a script",
        "memd forget --purge 01k9  # for good, in all copies",
        "memd forget --purge  # go on with what a purge left",
    ),
)
def forget(
    words: Ids = None,
    purge: Annotated[
        bool, typer.Option("--purge", help="Leave no trace of them: they can't be restored, and backups lose them too.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go, and forget nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    json: Json = False,
    no_daemon: NoDaemon = False,
) -> int:
    """Forget memories, until they are restored.

    Recall and list pass them over; [cyan]memd restore[/] brings them back.
    Asks first. Without a terminal to ask at, [cyan]--yes[/] is needed.

    With --purge the text is erased, with all that was made of it: from the store's file and its log, and from every
    copy that memd made and can reach. It says what it couldn't reach, goes on with it when told so without ids, and
    exits with 3 until nothing is left. What replaced what stays known, and that something was purged. A file that
    memd watches keeps its text, and that isn't taken in again.
    """
    if purge:
        from memd_cli import purging

        return perform(Session("forget", locals()), purging.purge, purging.show)
    return perform(Session("forget", locals()), changes.forget)


@app.command(
    rich_help_panel=KEEP, epilog=examples("memd restore 01k9", "memd list --forgotten", "memd restore --from latest")
)
def restore(
    words: Ids = None,
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="BACKUP", help="Put this backup (or `latest`) in the whole store's place."),
    ] = None,
    json: Json = False,
    no_daemon: NoDaemon = False,
) -> int:
    """Bring forgotten memories back, or a backup of the whole store.

    With --from, the present store is kept beside the backups, and the daemon is stopped while they change places.
    """
    if from_ is not None:
        from memd_cli import backup

        return perform(Session("restore", locals()), backup.put_back, backup.show)
    return perform(Session("restore", locals()), changes.restore)


@app.command(
    rich_help_panel=KEEP, epilog=examples("memd tag 01k9 --add deploy --add ci", "memd tag 01k9 01ka --remove draft")
)
def tag(
    words: Ids = None,
    add: Annotated[list[str], typer.Option("--add", "-a", metavar="TAG", help="Put it on. Repeatable.")] = [],  # noqa: B006
    remove: Annotated[list[str], typer.Option("--remove", "-r", metavar="TAG", help="Take it off. Repeatable.")] = [],  # noqa: B006
    json: Json = False,
    no_daemon: NoDaemon = False,
) -> int:
    """Put tags on memories, or take them off."""
    return perform(Session("tag", locals()), changes.tag)
