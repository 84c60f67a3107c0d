"""export and import: the store as a file, and what others have kept.

An export is read from the store itself, as one snapshot; nothing is asked of the daemon. An import is read here, twice:
first all of it is checked, then it goes to the daemon in batches. What an import would do is tried here alone.
"""

from __future__ import annotations

import getpass
import os
import socket
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from memd.clock import system_clock
from memd.config import Config
from memd.errors import BadInput, StoreFull, StoreReadOnly, StoreUnusable
from memd.exchange import lines as x
from memd.exchange.desk import EVERY_SCOPE, SHOWN, Tally, together
from memd.exchange.reading import ExportFile, Survey, is_export
from memd.exchange.records import Origin, Report, Trouble
from memd.exchange.taking import batches, lines_of
from memd.model import ALL_SCOPES, GLOBAL_SCOPE
from memd.store.filters import Filters
from memd.store.validation import check_filters, plain_scope
from memd_cli import inputs
from memd_cli.session import Session, complain, write
from memd_cli.verbs import Outcome

if TYPE_CHECKING:
    from memd.exchange.signing import Judgement

COMPARING_S = 2.0
AUTO = "auto"
PLACES = 8  # scopes that are told
OWN = "memd"


# --- export -------------------------------------------------------------------------------------------


def export(session: Session) -> Outcome:
    """Write the store, or a part of it, to a file or to standard output."""
    options = session.options
    to = None if options["to"] in (None, "-") else Path(options["to"]).expanduser().absolute()
    if to is None and session.json:
        raise BadInput("--json tells of an export; the export itself goes elsewhere.", "Add: --to FILE")
    config = Config.load()
    selection = _selection(options)
    lines = _lines(config, selection)
    if options["sign"]:
        from memd.exchange import signing

        signing.check_name(config.settings.exchange.name or _name())
        lines = _signed(lines, config)
    if to is None:
        for line in lines:
            sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
        return Outcome({})
    return Outcome(_into_file(session, to, lines))


def _selection(options: dict[str, Any]) -> x.Selection:
    scopes = tuple(plain_scope(inputs.own_scope(scope)) for scope in options["scope"])
    since, until = (inputs.moment(options[name], f"--{name}") for name in ("since", "until"))
    selection = x.Selection(
        scopes=scopes,
        kinds=tuple(options["kind"]),
        tags=tuple(tag.lower() for tag in options["tag"]),
        source=options["source"] or "",
        since=None if since is None else datetime.fromisoformat(since),
        until=None if until is None else datetime.fromisoformat(until),
        everything=options["everything"],
    )
    asked = (selection.kinds, selection.tags, selection.source, selection.since, selection.until)
    check_filters(Filters(ALL_SCOPES, *asked))
    if selection.whole:
        return x.Selection()  # everything is in it anyway
    return selection


def _lines(config: Config, selection: x.Selection) -> Iterator[bytes]:
    from memd.api import Memory

    with Memory.open(config.home, encode="off") as memory:
        with suppress(StoreUnusable):  # a store that can't be written can be read all the same
            memory.compare(COMPARING_S)  # what was stored just now
        yield from memory.export(selection, config.settings.exchange.name or _name())


def _name() -> str:
    """What people call this store, where they haven't said so."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def _signed(lines: Iterable[bytes], config: Config) -> Iterator[bytes]:
    from memd.exchange import signing

    last = b""
    for last in lines:
        yield last
    end = x.decode(last)
    assert isinstance(end, x.End)
    at = system_clock().replace(microsecond=0)
    signature = signing.sign(config.home, end.digest, config.settings.exchange.name or _name(), at)
    yield x.encode(signature) + b"\n"


def _into_file(session: Session, to: Path, lines: Iterator[bytes]) -> dict[str, Any]:
    """Write a file in one step: the old one or the whole new one. One that is no export isn't replaced."""
    _refuse_others(to)
    size, signer, line = 0, None, b""
    first = next(lines)
    header = msgspec.json.decode(first, type=x.Header)
    try:
        with tempfile.NamedTemporaryFile(dir=to.parent, prefix=f".{to.name}.", delete=False) as file:
            try:
                with session.progress("Exporting", sum(header.counts.values()), unit="lines") as step:
                    for line in chain([first], lines):
                        file.write(line)
                        size += len(line)
                        step(1)
                last = x.decode(line)
                if isinstance(last, x.Signature):
                    signer = {"name": last.signer, "fingerprint": _fingerprint(last.key)}
                file.flush()
                os.fsync(file.fileno())
                os.replace(file.name, to)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        kind = StoreFull if error.errno == 28 else StoreReadOnly
        raise kind(f"{to} can't be written: {error.strerror}.", "Give another place with --to.") from None
    return {
        "path": str(to),
        "bytes": size,
        "origin": msgspec.to_builtins(header.origin),
        "selection": msgspec.to_builtins(header.selection),
        "counts": header.counts,
        "signer": signer,
    }


def _refuse_others(to: Path) -> None:
    try:
        with to.open("rb") as file:
            start = file.read(64)
    except FileNotFoundError:
        return
    except OSError as error:
        raise BadInput(f"{to} can't be written: {error.strerror}.", "Give another place with --to.") from None
    if start and not is_export(start):
        raise BadInput(f"{to} is there, and no export of memd's.", "Give another place with --to, or move it away.")


def _fingerprint(key: str) -> str:
    import base64

    from memd.exchange import signing

    return signing.fingerprint(base64.b64decode(key))


def show_export(session: Session, outcome: Outcome) -> None:
    """Say what was written: a sentence at a terminal; path, bytes and counts in a pipe."""
    data = outcome.data
    if not data:
        return
    if not session.pretty:
        write(f"path\t{data['path']}\nbytes\t{data['bytes']}\n")
        write("".join(f"{name}\t{count}\n" for name, count in data["counts"].items()))
        return
    from memd_cli import human
    from memd_cli.render import console

    shown = console()
    memories = human.count(data["counts"].get("memory", 0), "memory", "memories")
    shown.print(f"[green]✓[/] {memories} in {human.path(data['path'])} [dim]· {human.size(data['bytes'])}[/]")
    if data["signer"]:
        shown.print(f"  [dim]signed by[/] {_plain(data['signer']['name'])} [dim]{data['signer']['fingerprint']}[/]")


# --- import -------------------------------------------------------------------------------------------


def import_(session: Session) -> Outcome:
    """Take in an export of memd's, or the files of another tool."""
    options = session.options
    given = options["file"]
    with _opened(given) as (path, file):
        kind = _kind(options["from_"], path, file)
        if kind == OWN:
            if file is None:
                raise BadInput(f"{given} is a folder.", "An export of memd's is a file.")
            return _import_own(session, ExportFile(file, given, skip_bad=options["skip_bad"]))
        return _import_foreign(session, kind, path)


@contextmanager
def _opened(given: str) -> Iterator[tuple[Path, BinaryIO | None]]:
    """The file, readable twice; what comes through a pipe is put into a temporary one without a name."""
    path = Path("/dev/stdin") if given == "-" else Path(given).expanduser().absolute()
    if path.is_dir():
        yield path, None
        return
    try:
        with sys.stdin.buffer if given == "-" else path.open("rb") as file:
            if file.seekable() and given != "-":
                yield path, file
                return
            with tempfile.TemporaryFile() as copy:
                while part := file.read(1 << 20):
                    copy.write(part)
                copy.seek(0)
                yield path, copy
    except OSError as error:
        raise BadInput(f"{given} can't be read: {error.strerror}.", "Check the path and its permissions.") from None


def _kind(wanted: str, path: Path, file: BinaryIO | None) -> str:
    from memd.exchange.foreign import READERS

    known = [OWN, *READERS]
    if wanted not in (AUTO, *known):
        raise BadInput(f"memd knows no files from {wanted!r}.", f"--from takes {', '.join(known)}, or auto.")
    if wanted != AUTO:
        return wanted
    if file is not None:
        start = file.read(64)
        file.seek(0)
        if is_export(start):
            return OWN
    for name, reader in READERS.items():
        if path.exists() and reader.fits(path):
            return name
    raise BadInput(f"{path} is none of the files that memd knows.", f"Say whose it is: --from {'|'.join(known)}")


def _import_own(session: Session, file: ExportFile) -> Outcome:
    options = session.options
    with session.progress("Checking", file.size, unit="bytes") as step:
        survey = file.survey(step)
    judged = _judge(survey)
    scopes = _scopes(options["scope"], survey)
    with session.progress("Trying" if options["dry_run"] else "Importing", survey.bytes, unit="bytes") as step:
        raw = (line for _, line in file.records(step))
        report = _send(session, raw, survey.origin, scopes)
    told = survey.bad + report.troubles
    more = survey.more + report.more + len(told[SHOWN:])
    report = msgspec.structs.replace(report, troubles=told[:SHOWN], more=more)
    if judged.standing == "new" and not options["dry_run"]:
        _remember(judged)
    outcome = _outcome(session, report, OWN, judged)
    outcome.notices = [*_about_signer(judged), *outcome.notices]
    outcome.degraded = session.degraded
    return outcome


def _import_foreign(session: Session, kind: str, path: Path) -> Outcome:
    from memd.exchange.foreign import READERS

    options, reader, bad = session.options, READERS[kind], dict[Trouble, None]()
    if any("=" in scope for scope in options["scope"]) or len(options["scope"]) > 1:
        raise BadInput("Another tool's memories go into one scope.", "Give --scope once, as a folder or global.")
    # What a tool keeps without a project is about no project: it would be out of place in the one that one stands in.
    scope = plain_scope(inputs.own_scope(options["scope"][0])) if options["scope"] else GLOBAL_SCOPE

    def refuse(trouble: Trouble) -> None:
        if not options["skip_bad"]:
            where = f"line {trouble.line}: " if trouble.line else ""
            raise BadInput(f"{path}, {where}{trouble.why}", "Nothing was changed. Go on after what is bad: --skip-bad")
        bad[trouble] = None  # it is told of at each reading

    origin, now = reader.origin(path), system_clock()

    def lines() -> Iterator[x.Line]:
        return lines_of(lambda: reader.read(path, refuse), origin, scope, now, refuse)

    places = Counter[str]()
    with session.progress("Checking", unit="records") as step:
        for line in lines():
            places.update([line.scope] if isinstance(line, x.MemoryLine) else [])
            step(1)
    with session.progress("Trying" if options["dry_run"] else "Importing", unit="records") as step:
        report = _send(session, _counted((x.encode(line) for line in lines()), step), origin, {})
    told = (*bad, *report.troubles)
    told, more = told[:SHOWN], report.more + len(told[SHOWN:])
    outcome = _outcome(session, msgspec.structs.replace(report, troubles=told, more=more), kind, None)
    outcome.data["scopes"] = dict(places.most_common())
    if len(places) > 1:
        named = [f"{count:,} of {place}" for place, count in places.most_common(PLACES)]
        rest = [f"{places.total():,} in {len(places):,} scopes"] if len(places) > PLACES else []
        outcome.notices.append(f"they are {', '.join(named + rest)}")
    outcome.degraded = session.degraded
    return outcome


def _counted(items: Iterable[bytes], step: Callable[[int], None]) -> Iterator[bytes]:
    for item in items:
        step(1)
        yield item


def _send(session: Session, raw: Iterable[bytes], origin: Origin, scopes: dict[str, str]) -> Report:
    """Take lines in, a batch at a time, or see what that would come to."""
    if session.options["dry_run"]:
        return _rehearse(raw, origin, scopes)
    report = Tally().report(origin, dry_run=False)
    for batch in chain(batches(raw, len), [[]]):
        params = {
            "origin": msgspec.to_builtins(origin),
            "scopes": scopes,
            "lines": [line.decode() for line in batch],
            "last": not batch,
        }
        answer = session.door.call("take_in", params)
        session.degraded = answer.pop("degraded", [])
        report = together(report, msgspec.convert(answer["report"], Report))
    return report


def _rehearse(raw: Iterable[bytes], origin: Origin, scopes: dict[str, str]) -> Report:
    from memd.api import Memory
    from memd.exchange import checking

    config = Config.load()
    with tempfile.TemporaryDirectory() as nothing:
        home = config.home if config.store.exists() else Path(nothing)
        with Memory.open(home, encode="off") as memory:
            parts = batches(raw, len)
            read = ([checking.record(line) for line in part] for part in parts)
            return memory.taker.rehearse(read, origin, scopes)


def _scopes(given: list[str], survey: Survey) -> dict[str, str]:
    """Which scope takes the place of which: `OLD=NEW`, or one for all."""
    found: dict[str, str] = {}
    for scope in given:
        old, is_pair, new = scope.partition("=")
        if is_pair and not Path(scope).expanduser().is_dir():
            if old not in survey.scopes:
                raise BadInput(f"Nothing in the file is of the scope {old}.", f"It has {', '.join(survey.scopes)}.")
            found[old] = plain_scope(inputs.own_scope(new))
        elif EVERY_SCOPE in found:
            raise BadInput("Everything can go into one scope only.", "Give --scope once, or OLD=NEW for each.")
        else:
            found[EVERY_SCOPE] = plain_scope(inputs.own_scope(scope))
    return found


def _judge(survey: Survey) -> Judgement:
    from memd.exchange import signing

    config = Config.load()
    return signing.judge(config.home, survey.digest, survey.signature, config.settings.exchange.known)


def _remember(judged: Judgement) -> None:
    """Let the name go with its key from now on."""
    from memd_cli.upkeep import put_setting

    known = Config.load().settings.exchange.known | {judged.signer: judged.key}
    put_setting("exchange.signers", ", ".join(f"{name}={key}" for name, key in known.items()))


def _about_signer(judged: Judgement) -> list[str]:
    if judged.standing == "unsigned":
        return ["it is not signed: nobody vouches for it but who gave it to you"]
    if judged.standing == "new":
        return [
            f"this is the first file signed by {judged.signer}, with the key {judged.fingerprint}; once it is imported,"
            " that name goes with this key"
        ]
    return []


def _outcome(session: Session, report: Report, kind: str, judged: Judgement | None) -> Outcome:
    data = msgspec.to_builtins(report) | {
        "from": kind,
        "signed": None if judged is None else _signed_by(judged),
        "scopes": {},
    }
    outcome = Outcome(data)
    if report.passages and not report.dry_run and not session.options["no_daemon"]:  # which has made them already
        outcome.notices.append(
            f"{report.passages} passages get their vectors in the background; until then words alone find them"
        )
    return outcome


def _signed_by(judged: Judgement) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(judged)
    return plain


def show_import(session: Session, outcome: Outcome) -> None:
    """Say what came of it, and each thing that wasn't taken in as it stands."""
    data = outcome.data
    if session.pretty:
        _render_import(data)
    else:
        memories = {"added": data["added"].get("memory", 0), **{name: data[name] for name in _COUNTS}}
        write("".join(f"{name}\t{count}\n" for name, count in memories.items()))
    for trouble in data["troubles"]:
        where = f"line {trouble['line']}: " if trouble.get("line") else ""
        complain(trouble["what"], where + trouble["why"])
    if data["more"]:
        complain("note", f"{data['more']} more of these")


_COUNTS = ("merged", "known", "redacted", "passages")


def _render_import(data: dict[str, Any]) -> None:
    from memd_cli import human
    from memd_cli.render import console

    shown = console()
    added = human.count(data["added"].get("memory", 0), "memory", "memories")
    words = f"{'Would add' if data['dry_run'] else 'Added'} {added}"
    rest = [f"{data['known']:,} known", f"{data['merged']:,} added to"]
    if data["redacted"]:
        rest.append(f"{data['redacted']:,} without secrets")
    shown.print(f"[green]{'·' if data['dry_run'] else '✓'}[/] {words} [dim]· {' · '.join(rest)}[/]")
    others = [human.count(count, *_NAMES.get(name, (name,))) for name, count in data["added"].items() if name in _NAMES]
    if others:
        shown.print(f"  [dim]with {', '.join(others)}[/]")
    origin = data["origin"]
    shown.print(f"  [dim]from[/] {_plain(origin['name'] or origin['store'])} [dim]({data['from']})[/]")
    if data["signed"] and data["signed"]["signer"]:
        shown.print(f"  [dim]signed by[/] {_plain(data['signed']['signer'])} [dim]{data['signed']['fingerprint']}[/]")


_NAMES = {
    "version": ("version",),
    "conflict": ("conflict",),
    "twin": ("near-duplicate",),
    "gist": ("gist",),
    "file": ("file of notes", "files of notes"),
    "tasks": ("task",),
    "session": ("session",),
    "watch": ("watch", "watches"),
}


def _plain(text: str) -> str:
    """Text of a file's for a terminal: nothing in it acts."""
    from rich.markup import escape

    from memd_cli.session import visible

    return escape(visible(text))
