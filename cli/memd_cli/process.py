"""daemon and service: the process that holds the store, and the unit that starts it."""

from __future__ import annotations

import time
from collections import deque
from typing import IO, TYPE_CHECKING, Any

from memd.errors import NotFound
from memd_cli.plain import flat, record
from memd_cli.session import Session, complain, visible, write
from memd_cli.verbs import Outcome

if TYPE_CHECKING:
    from memd.config import Config

_POLL = 0.25  # seconds between two looks at a growing log


def run(session: Session) -> Outcome:
    """Be the daemon until stopped."""
    from memd.config import Config
    from memd.daemon import process

    config = Config.load()
    ran = process.serve(config, lambda: complain("daemon", f"answers on {config.socket}, Ctrl-C stops it"))
    return Outcome({"ran": ran})


def start(session: Session) -> Outcome:
    """Start it, unless it runs."""
    from memd.config import Config
    from memd.daemon import process

    config = Config.load()
    return _running(config, process.start(config))


def stop(session: Session) -> Outcome:
    """Stop it, if it runs."""
    from memd.config import Config
    from memd.daemon import process

    return Outcome({"running": False, "stopped": process.stop(Config.load())})


def restart(session: Session) -> Outcome:
    """Stop it and start it again."""
    from memd.config import Config
    from memd.daemon import process

    config = Config.load()
    return _running(config, process.restart(config))


def status(session: Session) -> Outcome:
    """How it is."""
    from memd.config import Config
    from memd.daemon import process

    config = Config.load()
    found = process.status(config)
    if found is None:
        return Outcome({"running": False, "home": str(config.home)}, exit_code=1)
    return _running(config, found)


def _running(config: Config, status: dict[str, Any]) -> Outcome:
    return Outcome({"running": True, "socket": str(config.socket), **status}, status["degraded"])


def logs(session: Session) -> Outcome:
    """The end of its log; with ``follow`` also what comes."""
    from memd.config import Config

    path = Config.load().log
    try:
        file = path.open(encoding="utf-8", errors="replace")
    except OSError:
        raise NotFound(f"There is no log at {path}", "The daemon writes one once it runs: memd daemon start") from None
    with file:
        lines = [line.rstrip("\n") for line in deque(file, max(session.options["lines"], 0))]
        if session.options["follow"] and not session.json:
            _print_lines(session, lines)
            _follow(session, file)
    return Outcome({"path": str(path), "lines": lines})


def _follow(session: Session, file: IO[str]) -> None:
    while True:
        lines = file.read().splitlines()
        if lines:
            _print_lines(session, lines)
        else:
            time.sleep(_POLL)


def _print_lines(session: Session, lines: list[str]) -> None:
    write("".join([(visible(line) if session.pretty else line) + "\n" for line in lines]))


def install(session: Session) -> Outcome:
    """Write the system's unit for the daemon and enable it."""
    from memd.config import Config
    from memd.daemon import service

    return Outcome({"path": str(service.install(Config.load()))})


def uninstall(session: Session) -> Outcome:
    """Disable the unit and remove it."""
    from memd.daemon import service

    path = service.uninstall()
    if path is None:
        raise NotFound("No service is installed", "Install one: memd service install")
    return Outcome({"path": str(path)})


def show(session: Session, outcome: Outcome) -> None:
    """Say it: a sentence at a terminal, name and value in a pipe; a log as it is."""
    data = outcome.data
    if session.command == "daemon logs":
        _print_lines(session, data["lines"])
    elif session.command == "daemon run":
        if not data["ran"]:
            complain("memd", "a daemon runs already", "See: memd daemon status")
    elif session.pretty:
        from memd_cli.render import process

        process(session.command, data)
    else:
        write("".join([record(name, _word(value)) + "\n" for name, value in flat(data)]))


def _word(value: object) -> object:
    return {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
