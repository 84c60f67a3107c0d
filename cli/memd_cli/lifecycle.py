"""use, pin, unpin, lifecycle status and run, stats --lifecycle: what helped, and how alive memories are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from memd_cli import human, inputs
from memd_cli.session import Session, write
from memd_cli.sheet import Cell, Sheet
from memd_cli.sheet import show as show_sheets
from memd_cli.verbs import Outcome, ids

Data = dict[str, Any]


def use(session: Session) -> Outcome:
    """Say that memories helped, or didn't."""
    options = session.options
    params = {"ids": ids(session), "verdict": options["verdict"], "via": "cli"}
    params |= {name: options[name] for name in ("who", "session", "recall") if options[name] is not None}
    return Outcome(session.door.call("use", params))


def pin(session: Session) -> Outcome:
    """Keep memories from fading, or let them."""
    return Outcome(session.door.call("pin", {"ids": ids(session), "pinned": session.command == "pin"}))


def status(session: Session) -> Outcome:
    """How alive the memories are as a whole."""
    return Outcome(session.door.call("lifecycle", _now(session)))


def run(session: Session) -> Outcome:
    """Do a maintenance pass, or say what one would do."""
    params = {**_now(session), "dry_run": session.options["dry_run"]}
    return Outcome(session.door.call("maintain", params))


def _now(session: Session) -> Data:
    now = session.options.get("now")
    return {} if now is None else {"now": inputs.moment(now, "--now")}


# --- what is shown ----------------------------------------------------------------------------------


def show_lives(session: Session, outcome: Outcome) -> None:
    """How alive each memory now is, a line each; piped: id, tier, retention, activation, days of stability."""
    for life in outcome.data["lives"]:
        if not session.pretty:
            figures = (f"{life['retention']:.4f}", f"{life['activation']:.3f}", f"{life['stability_days']:.1f}")
            write("\t".join((life["id"], life["tier"], *figures)) + "\n")
            continue
        from memd_cli.render import console

        fate = "pinned, so it doesn't fade" if life["pinned"] else _fate(life)
        used = f"used {_times(life['uses'])}" if life["uses"] else "not used yet"
        console().print(f"[green]✓[/] [yellow]{life['id']}[/] [dim]·[/] {life['tier']} [dim]· {used} · {fate}[/]")


def facts(life: Data) -> list[tuple[str, str]]:
    """How alive a memory is, as names and values."""
    return [
        ("tier", f"{life['tier']}, since {human.ago(life['tier_since'])}"),
        ("next", "pinned: it doesn't fade" if life["pinned"] else _fate(life)),
        ("retention", f"{life['retention']:.4f}, with a stability of {life['stability_days']:,.1f} days"),
        ("needed", f"{100 * life['needed']:.1f} % likely within 30 days"),
        ("activation", f"{life['activation']:.3f}"),
        ("why", life["why"]),
    ]


def _fate(life: Data) -> str:
    following = life["next"]
    if following is None:
        return "nothing: it is found by its words until it is used"
    return f"{following['tier']} on {human.day(human.local(following['at']))}, if not used before"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def show_run(session: Session, outcome: Outcome) -> None:
    """What the pass did, a line each."""
    data = outcome.data
    lines = list(_done(data))
    if not session.pretty:
        write("".join(f"{name}\t{value}\n" for name, value in lines))
        return
    from memd_cli.render import console

    shown = console()
    would = "Would do" if data["dry_run"] else "Done" if data["finished"] else "Stopped early; the next pass goes on"
    shown.print(f"[green]✓[/] {would} [dim]· as of {human.exact(data['at'])} · {data['took_ms'] / 1000:.2f} s[/]")
    for name, value in lines[1:-1]:
        shown.print(f"  [cyan]{value:>9}[/]  {name}")


def _done(data: Data) -> Iterator[tuple[str, str]]:
    yield "at", data["at"]
    yield "looked at", f"{data['looked']:,}"
    for move in data["moved"]:
        yield f"{move['before']} → {move['after']}", f"{move['memories']:,}"
    yield "uses folded", f"{data['folded']:,}"
    yield "gists made", f"{data['gists']:,}"
    yield "given back", human.size(data["freed"])
    yield "took_ms", f"{data['took_ms']:.0f}"


def show_status(session: Session, outcome: Outcome) -> None:
    """Counts and bytes by tier, what is due, and what the last pass did."""
    data = outcome.data
    last = data["last"]
    due = f"{data['due']:,} due now"
    if data["next_due"]:
        due += f", then from {human.day(human.local(data['next_due']))} on"
    passed = "none yet" if last is None else f"{human.exact(last['at'])}, looked at {last['looked']:,}"
    foot = (
        f"{data['pinned']:,} pinned, {data['used']:,} ever used, {data['uses']:,} uses kept one by one. "
        f"{due}. Last pass: {passed}."
    )
    show_sheets(session, [tiers(data)], foot)


def tiers(data: Data) -> Sheet:
    """Counts and bytes by tier, and in all."""
    rows = [
        [Cell(share["tier"]), Cell(str(share["bits"])), *_amounts(share["memories"], share["vectors"], share["bytes"])]
        for share in data["tiers"]
    ]
    memories, vectors, kept = (sum(share[name] for share in data["tiers"]) for name in ("memories", "vectors", "bytes"))
    full = data["float_bytes"]
    note = f"{100 * kept / full:.0f} % of full precision" if full else ""
    rows.append([Cell("all", style="bold"), Cell(""), *_amounts(memories, vectors, kept, note)])
    return Sheet("", ("tier", "bits", "memories", "vectors", "bytes"), rows)


def _amounts(memories: int, vectors: int, size: int, note: str = "") -> list[Cell]:
    return [Cell(f"{memories:,}"), Cell(f"{vectors:,}"), Cell(human.size(size), note)]


def show_stats(session: Session, outcome: Outcome) -> None:
    """Counts, bytes and curves."""
    data = outcome.data
    counts = data["retention"]
    rows = [[Cell(f"{place / 10:.1f} to {(place + 1) / 10:.1f}"), Cell(f"{counts[place]:,}")] for place in range(10)]
    if not session.pretty:
        show_sheets(session, [tiers(data), Sheet("", ("retention", "memories"), rows)])
        return
    show_sheets(session, [tiers(data)])
    from memd_cli.curves import show as show_curves

    show_curves(counts)
