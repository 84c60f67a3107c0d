"""A recollection at a terminal: hits with their matched words and, with ``--explain``, the reasons."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from memd_cli import human
from memd_cli.highlight import excerpt, marked, wanted
from memd_cli.plain import WEAK_HINT
from memd_cli.render import console, empty, kind, next_steps, one_line, tags, when
from memd_cli.session import Session, took_ms, visible

Data = dict[str, Any]

LINES = 3  # of a passage, before it is cut
BAR = 20  # cells of the longest bar
CHANNEL_STYLES = {
    "lexical": "green",
    "semantic": "blue",
    "entity": "magenta",
    "temporal": "yellow",
    "spreading": "cyan",
}


def recollection(session: Session, data: Data) -> None:
    """Print the hits, then the trace where there is one."""
    shown = console()
    trace = data.get("trace")
    if trace:
        _analysis(shown, data["query"], trace)
    if not data["hits"]:
        empty(session, shown, "Nothing found.")
        if data["withheld"]:
            shown.print(WEAK_HINT)
    stems = wanted(data["query"])
    most = max((part["share"] for hit in data["hits"] for part in hit.get("contributions", ())), default=0.0)
    for number, hit in enumerate(data["hits"], 1):
        if number > 1:
            shown.print()
        _hit(shown, number, hit, stems, session.options)
        if hit.get("contributions"):
            shown.print(Padding(_contributions(hit, most, shown.width), (0, 0, 0, 4)))
    if trace:
        _channels(shown, trace)
        _missed(shown, trace, stems)
        _stages(shown, trace)
    elif data["hits"]:
        _footer(session, shown, data)


def _hit(shown: Console, number: int, hit: Data, stems: frozenset[str], options: Data) -> None:
    memory = hit["memory"]
    head = Table.grid(padding=(0, 1), expand=True)
    head.add_column(width=2, justify="right", style="dim")
    head.add_column(no_wrap=True, style="yellow")
    head.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    head.add_column(justify="right", no_wrap=True, style="dim")
    about = Text(" · ", style="dim").join([kind(memory["kind"]), Text(when(memory), style="dim"), *_where(memory)])
    head.add_row(str(number), memory["id"], about, _strength(hit))
    shown.print(head)
    width = shown.width - 4
    if options["full"]:
        text = marked(memory["text"], stems)
    else:
        text = excerpt(hit["excerpt"]["text"], stems, shown, width, LINES)
    shown.print(Padding(text, (0, 0, 0, 4)))
    if memory["superseded_by"]:
        until = f" · true until {human.exact(memory['until'])}" if memory["until"] else ""
        shown.print(Padding(f"[red]superseded by[/] [yellow]{memory['superseded_by']}[/][dim]{until}[/]", (0, 0, 0, 4)))
    if memory["conflicts"]:
        shown.print(Padding(f"[red]in conflict with[/] [yellow]{', '.join(memory['conflicts'])}[/]", (0, 0, 0, 4)))
    if memory["supersedes"]:
        shown.print(
            Padding(f"[dim]replaced {', '.join(memory['supersedes'])} · memd history {memory['id']}[/]", (0, 0, 0, 4))
        )


def _strength(hit: Data) -> str:
    """How likely the hit answers; its fused score where that isn't known."""
    return f"{hit['score']:.3f}" if hit["relevance"] is None else f"{hit['relevance']:.0%}"


def _where(memory: Data) -> list[Text]:
    source = memory["source"]
    found = []
    if memory["tags"]:
        found.append(tags(memory))
    if source.get("who"):
        found.append(Text(visible(source["who"]), style="dim"))
    path = source.get("path", "")
    if source.get("via") == "git":
        found.append(Text(source.get("session", "")[:10], style="dim"))
    elif path:
        span = source.get("span")
        found.append(Text(visible(path.rsplit("/", 1)[-1]) + (f":{span[0]}" if span else ""), style="dim"))
    return found


def _contributions(hit: Data, most: float, width: int) -> Table:
    """A bar a channel: its rank, its own score, and its share of the fused one."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True, width=BAR)
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(justify="right", no_wrap=True, style="dim")
    total = sum(part["share"] for part in hit["contributions"]) or 1.0
    for part in sorted(hit["contributions"], key=lambda part: -part["share"]):
        style = CHANNEL_STYLES.get(part["channel"], "")
        cells = max(1, round(BAR * part["share"] / most)) if most > 0 else 0
        grid.add_row(
            Text(part["channel"], style=style),
            Text("▇" * cells, style=style),
            f"#{part['rank']}",
            f"{part['share']:.3f} {100 * part['share'] / total:3.0f} %",
            f"score {part['score']:.2f}" if width >= 70 else "",
        )
    return grid


def _analysis(shown: Console, query: str, trace: Data) -> None:
    """How the query was read."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row("asked", Text(one_line(query)))
    grid.add_row("words", Text(visible(" ".join(trace["terms"])) or "none but stop words"))
    if trace["entities"]:
        grid.add_row("entities", Text(visible("  ".join(trace["entities"])), style="magenta"))
    for start, end in trace["times"]:
        grid.add_row("time", Text(f"{human.exact(start)} until {human.exact(end)}", style="yellow"))
    shown.print(grid)
    shown.print()


def _channels(shown: Console, trace: Data) -> None:
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", title_justify="left")
    grid.add_column("channel", no_wrap=True)
    grid.add_column("weight", justify="right", no_wrap=True)
    grid.add_column("ms", justify="right", no_wrap=True)
    grid.add_column("found", justify="right", no_wrap=True)
    grid.add_column("why", overflow="fold")
    for part in trace["channels"]:
        style = CHANNEL_STYLES.get(part["channel"], "") if part["open"] else "dim"
        grid.add_row(
            Text(part["channel"], style=style),
            f"{part['weight']:g}" if part["open"] and part["weight"] else "",
            f"{part['took_ms']:.1f}" if part["open"] else "",
            f"{len(part['candidates'])}" if part["open"] else Text("silent", style="dim"),
            Text(visible(part["why"]), style="" if part["open"] else "dim"),
        )
    shown.print()
    shown.print(grid)


def _missed(shown: Console, trace: Data, stems: frozenset[str]) -> None:
    if not trace["missed"]:
        return
    grid = Table.grid(padding=(0, 2), expand=True)
    grid.add_column(justify="right", style="dim", no_wrap=True)
    grid.add_column(style="yellow", no_wrap=True)
    grid.add_column(justify="right", style="dim", no_wrap=True)
    grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    for candidate in trace["missed"]:
        grid.add_row(
            str(candidate["rank"]),
            candidate["id"],
            f"{candidate['score']:.3f}",
            marked(one_line(candidate["snippet"]), stems),
        )
    shown.print("\n[dim]just missed[/]")
    shown.print(grid)


def _stages(shown: Console, trace: Data) -> None:
    stages = [f"{name.replace('_', ' ')} {ms:.1f}" for name, ms in trace["stages_ms"].items()]
    if stages:
        shown.print(Text(f"\nms: {' · '.join(stages)}", style="dim"))


def _footer(session: Session, shown: Console, data: Data) -> None:
    found = human.count(len(data["hits"]), "memory", "memories")
    shown.print(f"\n[dim]{found} in {took_ms(session):.0f} ms[/]")
    first = data["hits"][0]["memory"]["id"]
    next_steps(shown, (f"memd show {first}", "the whole text"), ("memd recall --explain …", "why these"))
