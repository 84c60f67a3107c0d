"""The verbs on versions and the journal, and how their answers are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from memd.errors import BadInput
from memd_cli import inputs
from memd_cli.plain import record
from memd_cli.session import Session, write
from memd_cli.verbs import Outcome

if TYPE_CHECKING:
    from rich.console import Console

Data = dict[str, Any]


def supersede(session: Session) -> Outcome:
    """Store a text in the place of a memory."""
    options = session.options
    words = options["words"]
    if not words and inputs.at_terminal():
        raise BadInput("There is nothing to put in its place", 'Try: memd supersede ID "what holds now"')
    text = inputs.joined(words) if words and words != ["-"] else inputs.standard_input()
    source = {"via": "cli"} | {name: options[name] for name in ("who", "session") if options[name] is not None}
    params: Data = {"old": inputs.joined([options["old"]]), "text": text, "source": source}
    for option, name in (("why", "why"), ("kind", "kind")):
        if options[option] is not None:
            params[name] = options[option]
    if options["tag"]:
        params["tags"] = options["tag"]
    if options["at"] is not None:
        params["event_at"] = inputs.moment(options["at"], "--at")
    return Outcome(session.door.call("supersede", params))


def history(session: Session) -> Outcome:
    """Every version of a memory, and every change."""
    return Outcome(session.door.call("history", {"id": inputs.joined([session.options["id"]])}))


def audit(session: Session) -> Outcome:
    """Whether the journal and the memories are what was written."""
    params: Data = {}
    if session.options["since_link"] is not None:
        number, _, link = session.options["since_link"].partition(":")
        if not (number.isascii() and number.isdigit() and len(number) < 16 and link):
            raise BadInput("--since-link is no number and link", "Give them as `memd audit` printed them: 17:9f2c…")
        params = {"number": int(number), "link": link}
    data = session.door.call("audit", params)
    return Outcome(data, exit_code=0 if data["sound"] else 3)


def conflicts(session: Session) -> Outcome:
    """The memories that can't both hold."""
    options = session.options
    params = {"scope": inputs.scope(options["scope"]), "limit": options["limit"]}
    data = session.door.call("conflicts", params)
    return Outcome(data, exit_code=0 if data["conflicts"] else 1)


def resolve(session: Session) -> Outcome:
    """Decide between two memories."""
    options = session.options
    keep, other = inputs.joined([options["keep"]]), inputs.joined([options["other"]])
    params = {"keep": keep, "other": other, "both": options["both"], "why": options["why"] or ""}
    return Outcome(session.door.call("resolve", params))


def show_conflicts(session: Session, outcome: Outcome) -> None:
    """Each with its two memories and the differing words."""
    data = outcome.data
    if not session.pretty:
        for found in data["conflicts"]:
            (one, other), (mine, theirs) = found["memories"], found["differing"]
            write(record(found["rule"], one["id"], mine, other["id"], theirs) + "\n")
        return
    from rich.text import Text

    from memd_cli.render import one_line, when
    from memd_cli.session import visible

    shown = _console()
    for found in data["conflicts"]:
        for memory, words in zip(found["memories"], found["differing"], strict=True):
            line = Text(memory["id"], style="yellow").append(f"  {when(memory)}  ", style="dim")
            text = Text(one_line(memory["text"]), style="default")
            if words:
                text.highlight_words([visible(words)], "bold red")
            shown.print(line.append_text(text), no_wrap=True, overflow="ellipsis")
        older, newer = (memory["id"] for memory in found["memories"])
        shown.print(f"  [dim]{found['rule']} ·[/] [cyan]memd resolve {newer} {older}[/]\n")
    if not data["conflicts"]:
        shown.print("[green]✓[/] No two memories here exclude each other, as far as memd can tell.")
    if data["waiting"]:
        shown.print(f"[dim]{data['waiting']} memories are yet to be compared.[/]")


def gists(session: Session) -> Outcome:
    """What stands for several memories."""
    options = session.options
    data = session.door.call("gists", {"scope": inputs.scope(options["scope"]), "limit": options["limit"]})
    return Outcome(data, exit_code=0 if data["gists"] else 1)


def show_gists(session: Session, outcome: Outcome) -> None:
    """Each with its sentences, and the memory that each is from."""
    data = outcome.data
    if not session.pretty:
        for gist in data["gists"]:
            for quote in gist["quotes"]:
                write(record(gist["id"], quote["id"], quote["start"], quote["end"], quote["text"]) + "\n")
        return
    from rich.text import Text

    from memd_cli.render import one_line

    shown = _console()
    for gist in data["gists"]:
        quoted = {quote["id"] for quote in gist["quotes"]}
        shown.print(f"[yellow]{gist['id']}[/]  [dim]stands for {len(gist['members'])} memories[/]")
        for quote in gist["quotes"]:
            line = Text(f"  {quote['id']}  ", style="dim").append(Text(one_line(quote["text"]), style="default"))
            shown.print(line, overflow="fold")
        if rest := [id_ for id_ in gist["members"] if id_ not in quoted]:
            shown.print(f"  [dim]and {', '.join(rest)}[/]")
        shown.print()
    if not data["gists"]:
        shown.print("There are no gists here: no three memories are about the same, or the daemon made none yet.")
    if data["waiting"]:
        shown.print(f"[dim]{data['waiting']} memories are yet to be looked at; memd lifecycle run does so now.[/]")


def show_resolved(session: Session, outcome: Outcome) -> None:
    """What became of the two."""
    kept, other = outcome.data["memories"]
    if not session.pretty:
        for memory in (kept, other):
            write(record(memory["id"], memory["superseded_by"] or "") + "\n")
    elif other["superseded_by"]:
        _console().print(f"[green]✓[/] [yellow]{kept['id']}[/] stands in the place of [yellow]{other['id']}[/]")
    else:
        _console().print(f"[green]✓[/] [yellow]{kept['id']}[/] and [yellow]{other['id']}[/] both hold")


def show_superseded(session: Session, outcome: Outcome) -> None:
    """The new id; at a terminal also what it replaced."""
    data = outcome.data
    if not session.pretty:
        write(data["id"] + "\n")
        return
    if data["id"] == data["old"]:
        _console().print(f"[green]✓[/] Said again [yellow]{data['id']}[/] [dim]· it is the same text[/]")
    else:
        _console().print(f"[green]✓[/] [yellow]{data['id']}[/] stands in the place of [yellow]{data['old']}[/]")


def show_history(session: Session, outcome: Outcome) -> None:
    """Versions, replacements and changes, each in order of time."""
    data = outcome.data
    if session.pretty:
        _history(data)
        return
    for memory in data["versions"]:
        write(record("version", memory["id"], memory["recorded_at"], memory["until"] or "", memory["text"]) + "\n")
    for link in data["replacements"]:
        write(record("replaced", link["old"], link["new"], link["at"], link["until"], link["why"]) + "\n")
    for change in data["changes"]:
        write(record("change", change["at"], change["what"], change["id"], _details(change)) + "\n")


def _details(change: Data) -> str:
    """What the journal says of a change, in words."""
    source = change["source"]
    span = source.get("span")
    path = source.get("path", "") + (f":{span[0]}-{span[1]}" if span else "")
    said = [
        (name, value)
        for name, value in (
            ("who", source.get("who")), ("via", source.get("via")), ("path", path), ("session", source.get("session")),
        )
        if value
    ]  # fmt: skip
    return ", ".join([f"{name} {value}" for name, value in said] + [f"{k} {v}" for k, v in change["details"].items()])


def _history(data: Data) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from memd_cli import human
    from memd_cli.render import one_line
    from memd_cli.session import visible

    shown = _console()
    whys = {link["old"]: link["why"] for link in data["replacements"] if link["why"]}
    for memory in data["versions"]:
        holds = not memory["superseded_by"] and not memory["forgotten_at"]
        head = Text(memory["id"], style="bold yellow" if memory["id"] == data["id"] else "yellow")
        head.append(f"  {human.exact(memory['event_at'] or memory['recorded_at'])}", style="dim")
        if memory["until"]:
            head.append(f" until {human.exact(memory['until'])}", style="dim")
        gone = "purged" if memory["purged_at"] else "forgotten"
        state = gone if memory["forgotten_at"] else "holds" if holds else f"→ {memory['superseded_by']}"
        head.append(f"  {state}", style="green" if holds else "red" if memory["forgotten_at"] else "")
        if memory["id"] in whys:
            head.append(f"  {visible(whys[memory['id']])}", style="dim italic")
        shown.print(head)
        shown.print(Padding(Text(one_line(memory["text"])), (0, 0, 0, 2)))
    grid = Table.grid(padding=(0, 2))
    for change in data["changes"]:
        grid.add_row(
            Text(human.exact(change["at"]), style="dim"),
            change["what"],
            Text(change["id"], style="yellow"),
            Text(visible(_details(change)), style="dim", overflow="fold"),
        )
    shown.print("\n[dim]changes[/]")
    shown.print(grid)


def show_audit(session: Session, outcome: Outcome) -> None:
    """What is wrong, or the number and link of the last entry."""
    data = outcome.data
    last = f"{data['entries']}:{data['link']}"
    if not session.pretty:
        for name in ("sound", "entries", "link"):
            write(record(name, str(data[name]).lower()) + "\n")
        for trouble in data["troubles"]:
            write(record("trouble", trouble) + "\n")
        return
    shown = _console()
    if data["sound"]:
        shown.print(f"[green]✓[/] The journal is whole: {data['entries']} entries, and the memories are as it says.")
        shown.print(f"[dim]Keep this elsewhere to tell later that nothing was written anew:[/] {last}", soft_wrap=True)
        return
    for trouble in data["troubles"]:
        shown.print(f"[red]✗[/] {trouble}", markup=True, highlight=False)
    if data["more"]:
        shown.print(f"[dim]and {data['more']} more[/]")


def _console() -> Console:
    from memd_cli.render import console

    return console()
