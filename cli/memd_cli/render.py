"""Answers for people at a terminal: colour, tables, matched words, and what to do next."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from memd_cli import human
from memd_cli.plain import facts
from memd_cli.session import Session, visible
from memd_cli.verbs import Outcome

Data = dict[str, Any]

KIND_STYLES = {
    "decision": "magenta",
    "fact": "blue",
    "preference": "cyan",
    "convention": "cyan",
    "procedure": "green",
    "fix": "red",
    "task": "yellow",
}
size = human.size


def console(stderr: bool = False) -> Console:
    """A console that adds no colours of its own to what it prints."""
    return Console(stderr=stderr, highlight=False, emoji=False)


def show(session: Session, outcome: Outcome) -> None:
    """Print an outcome on the terminal."""
    _SHOWN[session.command](session, outcome.data)


# --- pieces -----------------------------------------------------------------------------------------


def when(memory: Data) -> str:
    """When it happened, else when it was stored."""
    return human.ago(memory["event_at"] or memory["recorded_at"])


def kind(name: str) -> Text:
    """A kind in its colour."""
    return Text(name, style=KIND_STYLES.get(name, ""))


def tags(memory: Data) -> Text:
    """The tags, each with its mark."""
    return Text(" ".join(f"#{visible(tag)}" for tag in memory["tags"]), style="green")


def one_line(text: str) -> str:
    """A text as one line, safe for a terminal."""
    return visible(" ".join(text[:400].split()))


def table(memories: list[Data]) -> Table:
    """Memories, one a row, cut to the width."""
    scopes = {memory["scope"] for memory in memories}
    tagged = any(memory["tags"] for memory in memories)
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", expand=True)
    shown.add_column("id", style="yellow", no_wrap=True)
    shown.add_column("when", no_wrap=True, style="dim")
    shown.add_column("kind", no_wrap=True)
    if len(scopes) > 1:
        shown.add_column("scope", no_wrap=True, overflow="ellipsis", max_width=24, style="dim")
    if tagged:
        shown.add_column("tags", no_wrap=True, overflow="ellipsis", max_width=18)
    shown.add_column("text", no_wrap=True, overflow="ellipsis", ratio=1)
    for memory in memories:
        row: list[RenderableType] = [memory["id"], when(memory), kind(memory["kind"])]
        if len(scopes) > 1:
            row.append(Text(_short_scope(memory["scope"])))
        if tagged:
            row.append(tags(memory))
        shown.add_row(*row, Text(one_line(memory["text"])))
    return shown


def _short_scope(scope: str) -> str:
    """The end of a long path says the most."""
    scope = visible(human.path(scope))
    return scope if len(scope) <= 24 else "…" + scope[-23:]


def next_steps(shown: Console, *lines: tuple[str, str]) -> None:
    """What to do now: a command and what it does, a line each."""
    steps = Table.grid(padding=(0, 2))
    for command, effect in lines:
        steps.add_row(Text(command, style="cyan"), Text(effect, style="dim"))
    shown.print(Padding(steps, (0, 0, 0, 2)))


# --- commands ---------------------------------------------------------------------------------------


def _remember(session: Session, data: Data) -> None:
    shown = console()
    remembered = data["remembered"]
    if len(remembered) == 1:
        memory = remembered[0]
        word = "Said again" if memory["again"] else "Remembered"
        note = "it was there already" if memory["again"] else human.count(memory["passages"], "passage")
        shown.print(f"[green]✓[/] {word} [yellow]{memory['id']}[/] [dim]· {note}[/]")
        return
    new = sum(not memory["again"] for memory in remembered)
    again = len(remembered) - new
    said = f" [dim]· {human.count(again, 'was', 'were')} there already[/]" if again else ""
    shown.print(f"[green]✓[/] Remembered {human.count(new, 'memory', 'memories')}{said}")


def _recall(session: Session, data: Data) -> None:
    from memd_cli.render_recall import recollection

    recollection(session, data)


def _show(session: Session, data: Data) -> None:
    from memd_cli.lifecycle import facts as alive

    shown = console()
    lives = {life["id"]: life for life in data["lives"]}
    for number, memory in enumerate(data["memories"]):
        if session.options["text"]:
            shown.print(Text(visible(memory["text"])), soft_wrap=True)
            continue
        if number:
            shown.rule(style="dim")
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column(overflow="fold")
        for name, value in facts(memory):
            grid.add_row(name, _fact(name, value, memory))
        for name, value in alive(lives[memory["id"]]) if memory["id"] in lives else ():
            grid.add_row(name, Text(value))
        shown.print(grid)
        shown.print()
        shown.print(Text(visible(memory["text"])), soft_wrap=True)


def _fact(name: str, value: str, memory: Data) -> Text:
    value = visible(value)
    if name == "id":
        return Text(value, style="yellow")
    if name == "kind":
        return kind(value)
    if name == "tags":
        return tags(memory)
    if name in ("recorded", "happened", "forgotten"):
        raw = {"recorded": "recorded_at", "happened": "event_at", "forgotten": "forgotten_at"}[name]
        text = Text(human.exact(memory[raw]), style="red" if name == "forgotten" else "")
        return text.append(f"  {human.ago(memory[raw])}", style="dim")
    if name == "said":
        return Text(f"{memory['said']} times, last {human.ago(memory['said_at'])}")
    return Text(human.path(value) if name in ("scope", "path", "episode") else value)


def _list(session: Session, data: Data) -> None:
    shown = console()
    memories = data["memories"]
    if not memories:
        empty(session, shown, "Nothing is forgotten here." if session.options["forgotten"] else "No memories here.")
        return
    shown.print(table(memories))
    total = data.get("total", len(memories))
    if total > len(memories):
        shown.print(
            f"\n[dim]{len(memories)} of {human.count(total, 'memory', 'memories')} · older ones:[/] "
            f"[cyan]memd list --before {memories[-1]['id']}[/]"
        )


def empty(session: Session, shown: Console, sentence: str) -> None:
    """Nothing to show: say so, and what would change that."""
    from memd_cli.inputs import ALL_SCOPES, GLOBAL_SCOPE, scope

    stats = session.door.call("stats", {})
    if not stats["memories"]:
        shown.print("[bold]Nothing is remembered yet.[/]")
        next_steps(
            shown,
            ('memd remember "we deploy with make release"', "store a note"),
            ("memd ingest README.md docs/", "take in this project's notes"),
            ("memd ingest --git", "and its history"),
        )
        return
    shown.print(f"[bold]{sentence}[/]")
    where = scope(session.options["scope"])
    if where != ALL_SCOPES:
        seen = "what is global" if where == GLOBAL_SCOPE else f"{human.path(where)} and what is global"
        shown.print(f"[dim]Looked in {escape(visible(seen))}; the store has "
                    f"{human.count(stats['memories'], 'memory', 'memories')} in all.[/]")  # fmt: skip
        next_steps(shown, (f"memd {session.command} --scope all …", "look everywhere"))
    filters = [name for name in ("kind", "tag", "source", "since", "until") if session.options.get(name)]
    if filters:
        next_steps(shown, (f"without --{', --'.join(filters)}", "look past the filter"))


def _changed(word: str, nothing: str) -> Callable[[Session, Data], None]:
    def shown_as(session: Session, data: Data) -> None:
        shown = console()
        memories = data["memories"]
        if not memories:
            shown.print(f"[dim]{nothing}[/]")
            return
        shown.print(table(memories))
        done = f"Would be {word.lower()}" if data.get("dry_run") else word
        back = session.command == "forget" and not data.get("dry_run")
        shown.print(
            f"\n[green]✓[/] {done}: {human.count(len(memories), 'memory', 'memories')}"
            + (f" [dim]· undo:[/] [cyan]memd restore {' '.join(m['id'] for m in memories[:3])}"
               f"{' …' if len(memories) > 3 else ''}[/]" if back else "")
        )  # fmt: skip

    return shown_as


def ask_to_forget(memories: list[Data]) -> bool:
    """Show what would go and ask, on standard error; true when the answer is yes."""
    shown = console(stderr=True)
    shown.print(table(memories))
    many = len(memories) > 1
    shown.print(
        f"\nForget {'these ' + human.count(len(memories), 'memory', 'memories') if many else 'this memory'}? "
        f"[dim]`memd restore` brings {'them' if many else 'it'} back.[/] \\[y/N] ",
        end="",
    )
    sys.stderr.flush()
    answer = sys.stdin.readline().strip().lower()
    return answer in ("y", "yes")


def _stats(session: Session, data: Data) -> None:
    shown = console()
    if not (data["memories"] or data["superseded"] or data["forgotten"]):
        empty(session, shown, "")
        return
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    rest = [f"{data[name]:,} {name}" for name in ("superseded", "forgotten") if data[name]]
    beside = f"  [dim]and {', '.join(rest)}[/]" if rest else ""
    grid.add_row("memories", f"[bold]{data['memories']:,}[/]{beside}")
    waiting = f"  [yellow]{data['pending']:,} wait for a vector[/]" if data["pending"] else "  [dim]all encoded[/]"
    grid.add_row("passages", f"{data['passages']:,}{waiting}")
    grid.add_row("episodes", f"{data['episodes']:,}")
    grid.add_row("entities", f"{data['entities']:,}")
    wal = f"  [dim]and {size(data['wal_bytes'])} in the log[/]" if data["wal_bytes"] else ""
    grid.add_row("on disk", f"{size(data['store_bytes'])}{wal}")
    grid.add_row("encoder", Text(data["encoder"] or "none: recall goes by words"))
    grid.add_row("store", Text(f"{visible(human.path(data['path']))}, format {data['format']}"))
    shown.print(grid)
    _bars(shown, "by kind", data["by_kind"], kind)
    _bars(shown, "by scope", data["by_scope"], lambda name: Text(visible(human.path(name))))


def _bars(shown: Console, title: str, counts: dict[str, int], label: Callable[[str], Text]) -> None:
    """Counts as bars, largest first; the rest in one line."""
    if not counts:
        return
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    most = ordered[0][1]
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, overflow="ellipsis", max_width=44)
    grid.add_column(justify="right")
    grid.add_column()
    for name, number in ordered[:12]:
        grid.add_row(label(name), f"{number:,}", Text("▇" * max(1, round(24 * number / most)), style="blue"))
    shown.print(f"\n[dim]{title}[/]")
    shown.print(Padding(grid, (0, 0, 0, 2)))
    if len(ordered) > 12:
        shown.print(f"  [dim]and {len(ordered) - 12} more[/]")


_SIGNS = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "failed": "[red]✗[/]"}


def _doctor(session: Session, data: Data) -> None:
    shown = console()
    grid = Table.grid(padding=(0, 2))
    grid.add_column()
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for check in data["checks"]:
        told = Text(visible(check["finding"]), style="" if check["status"] == "ok" else "bold")
        if check["hint"]:
            told.append(f"\n→ {visible(check['hint'])}", style="cyan")
        grid.add_row(_SIGNS[check["status"]], check["name"], told)
    shown.print(grid)
    failed, warnings = data["failed"], data["warnings"]
    if failed:
        shown.print(f"\n[red]{human.count(failed, 'check')} failed.[/]")
    elif warnings:
        shown.print(f"\nAll works, with {human.count(warnings, 'warning')}.")
    else:
        shown.print("\n[green]All is well.[/]")


def ingested(data: Data) -> None:
    """What an ingest took in, and what it passed over."""
    shown = console()
    added, known = data["added"], data["known"]
    already = f" [dim]· {known:,} there already[/]" if known else ""
    told = ("superseded", "restored", "retired")
    already += "".join(f" [dim]· {data[name]:,} {name}[/]" for name in told if data[name])
    shown.print(
        f"[green]✓[/] Added {human.count(added, 'memory', 'memories')} "
        f"[dim]in {human.count(data['passages'], 'passage')}[/]{already}"
    )
    skipped = data["skipped"]
    for file in skipped[:8]:
        shown.print(f"  [dim]skipped {escape(visible(human.path(file['path'])))}: {escape(file['why'])}[/]")
    if len(skipped) > 8:
        shown.print(f"  [dim]and {len(skipped) - 8} more, listed by --json[/]")
    if not added and not known:
        shown.print("[dim]There was nothing to take in: notes are .md, .rst, .adoc, .org and .txt files.[/]")
    elif added:
        next_steps(shown, ('memd recall "…"', "ask for it"), ("memd stats", "see what is still being encoded"))


def process(command: str, data: Data) -> None:
    """The daemon's state, and what was done to it."""
    shown = console()
    if command.startswith("service"):
        word = "Installed" if command.endswith(" install") else "Removed"
        shown.print(f"[green]✓[/] {word} {escape(human.path(data['path']))}")
    elif command == "daemon stop":
        shown.print("[green]✓[/] Stopped" if data["stopped"] else "[dim]No daemon was running.[/]")
    elif not data["running"]:
        shown.print(f"No daemon runs for {escape(human.path(data['home']))}.")
        next_steps(shown, ("memd daemon start", "start it; any recall does so too"))
    else:
        _status(shown, data)


def _status(shown: Console, data: Data) -> None:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    grid.add_row("daemon", f"[green]running[/]  process {data['pid']}, up {human.duration(data['uptime_s'])}")
    grid.add_row("version", f"{data['version']}, protocol {data['protocol']}")
    grid.add_row("memory", f"{size(data['rss_bytes'])}  [dim]at most {size(data['peak_rss_bytes'])}[/]")
    grid.add_row(
        "served", f"{human.count(data['requests'], 'request')}, {human.count(data['connections'], 'connection')} open"
    )
    grid.add_row("waiting", f"{human.count(data['pending'], 'passage')} for a vector" if data["pending"] else "nothing")
    grid.add_row("encoder", Text(data["encoder"] or "none"))
    grid.add_row("home", Text(human.path(data["home"])))
    if data["encryption"] != "off":
        opened_by = {"key": "by a key", "passphrase": "by a passphrase"}[data["encryption"]]
        grid.add_row("encrypted", f"{opened_by}{', [red]locked[/]: memd unlock' if data['locked'] else ''}")
    shown.print(grid)


def _config(session: Session, data: Data) -> None:
    shown = console()
    if session.command == "config":
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim")
        grid.add_column(overflow="fold")
        for name, value in data["paths"].items():
            grid.add_row(name, Text(human.path(value)))
        shown.print(grid)
        shown.print()
    settings = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("setting", "value", "from"):
        settings.add_column(name, overflow="fold")
    for setting in data["settings"]:
        settings.add_row(Text(setting["name"], style="cyan"), str(setting["value"]), Text(setting["from"], style="dim"))
    shown.print(settings)
    if session.command in ("config set", "config unset"):
        shown.print("\n[dim]A daemon that runs takes it up when restarted:[/] [cyan]memd daemon restart[/]")


def _completion(session: Session, data: Data) -> None:
    shown = console()
    if data["path"]:
        shown.print(f"[green]✓[/] Installed for {data['shell']} in {escape(human.path(data['path']))}")
        shown.print("[dim]It works in shells started from now on.[/]")
    else:
        sys.stdout.write(data["script"] + "\n")


_SHOWN: dict[str, Callable[[Session, Data], None]] = {
    "remember": _remember,
    "recall": _recall,
    "show": _show,
    "list": _list,
    "forget": _changed("Forgotten", "Nothing was forgotten."),
    "restore": _changed("Restored", "Nothing was restored."),
    "tag": _changed("Tagged", "Nothing was tagged."),
    "stats": _stats,
    "doctor": _doctor,
    "config": _config,
    "config get": _config,
    "config set": _config,
    "config unset": _config,
    "completion": _completion,
}
