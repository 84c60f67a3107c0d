"""One run of one command: its options, its door, and how its answer leaves. Standard library only.

`perform` is the one way through for every command, fast or not: it opens what is needed, runs the verb,
shows the outcome and turns every error into two lines on standard error (or one JSON object) and an exit
code. Rich is imported for terminals only.
"""

import sys
from time import perf_counter

from memd.errors import MemdError, StoreLocked
from memd.text.hidden import Spelling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import Any, Protocol

    from memd_cli.verbs import Outcome

    class Door(Protocol):
        """The daemon's verbs, over a socket or in this process."""

        def call(self, method: str, params: dict[str, Any]) -> Any: ...
        def close(self) -> None: ...

    Verb = Callable[["Session"], Outcome]
    Show = Callable[["Session", Outcome], None]
    Step = Callable[[int], None]


class Session:
    """What a verb works with.

    Attributes:
        command: its name, as the envelope gives it (``"daemon status"``).
        options: by name; ``json`` and ``no_daemon`` may be missing.
        degraded: what could not take part, added to by verbs that call more than once.
    """

    def __init__(self, command: str, options: "dict[str, Any]") -> None:
        self.command = command
        self.options = options
        self.started = perf_counter()
        self.degraded: list[str] = []
        self._door: Door | None = None

    @property
    def json(self) -> bool:
        """Whether one JSON object is the answer."""
        return bool(self.options.get("json"))

    @property
    def pretty(self) -> bool:
        """Whether a person reads standard output."""
        return not self.json and is_terminal(sys.stdout)

    @property
    def door(self) -> "Door":
        """The way to the memories: the daemon, started when none answers, or this process itself."""
        if self._door is None:
            if self.options.get("no_daemon"):
                from memd_cli.inprocess import InProcess

                self._door = InProcess()
            else:
                from memd_cli.door import Door

                self._door = Door()
        return self._door

    def close(self) -> None:
        """Let go of the door."""
        if self._door is not None:
            self._door.close()
            self._door = None

    def stored(self, remembered: "list[dict[str, Any]]") -> None:
        """Tell a pipe of memories as soon as they are durable: an id a line."""
        if not self.json and not self.pretty:
            sys.stdout.write("".join([memory["id"] + "\n" for memory in remembered]))
            sys.stdout.flush()

    def progress(self, title: str, total: "int | None" = None, unit: str = "") -> "AbstractContextManager[Step]":
        """A progress bar on standard error where a person sees it; gives a function that moves it on."""
        if not self.json and is_terminal(sys.stderr):
            from memd_cli.progress import bar

            return bar(title, total, unit)
        return _NoProgress()

    def tracked(self, title: str) -> "AbstractContextManager[Callable[[int, int], None]]":
        """As `progress`, for work that tells (done, in all)."""
        if not self.json and is_terminal(sys.stderr):
            from memd_cli.progress import tracker

            return tracker(title)
        return _NoProgress()


class _NoProgress:
    def __enter__(self) -> "Callable[..., None]":
        return _still

    def __exit__(self, *_: object) -> None:
        return None


def _still(*_: int) -> None:
    """Moves nothing."""


def perform(session: Session, verb: "Verb", show: "Show | None" = None) -> int:
    """Run a verb and show what it came to; the exit code.

    Args:
        session: of this run.
        verb: does the work.
        show: prints the outcome for a person or a pipe; None takes `plain` or `render` by the command's name.
    """
    try:
        try:
            outcome = verb(session)
        except StoreLocked:
            if session.json or not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
                raise
            from memd_cli.crypt import asked

            if not asked(session):
                raise
            outcome = verb(session)
        _leave(session, outcome, show)
        return outcome.exit_code
    except MemdError as error:
        return fail(session, error)
    finally:
        session.close()


def _leave(session: Session, outcome: "Outcome", show: "Show | None") -> None:
    if session.json:
        write_json(
            {
                "ok": outcome.exit_code < 2,
                "command": session.command,
                "data": outcome.data,
                "degraded": outcome.degraded,
                "took_ms": took_ms(session),
            }
        )
        return
    if show is not None:
        show(session, outcome)
    elif session.pretty:
        from memd_cli.render import show as render

        render(session, outcome)
    else:
        from memd_cli.plain import show as plain

        plain(session, outcome)
    for reason in outcome.degraded:
        complain("degraded", reason)
    for notice in outcome.notices:
        complain("note", notice)


def took_ms(session: Session) -> float:
    """Milliseconds since the command line was read."""
    return round((perf_counter() - session.started) * 1000, 3)


def fail(session: Session, error: MemdError) -> int:
    """Say what went wrong; the exit code."""
    if session.json:
        told = {"code": error.code, "message": error.message, "hint": error.hint}
        write_json(
            {"ok": False, "command": session.command, "error": told, "degraded": [], "took_ms": took_ms(session)}
        )
    else:
        complain("memd", error.message, error.hint)
    return error.exit_code


def complain(label: str, message: str, hint: str = "") -> None:
    """A line on standard error, and the hint on one of its own. Never raises."""
    if sys.stderr is None:
        return
    colour = has_colour(sys.stderr)
    style = "1;31" if label == "memd" else "33"
    lines = [f"{_paint(label + ':', style, colour)} {visible(message)}"]
    if label != "memd":
        lines[0] = f"{_paint('memd:', '1', colour)} {lines[0]}"
    if hint:
        lines.append(f"{_paint('hint:', '36', colour)} {visible(hint)}")
    try:
        sys.stderr.write("\n".join(lines) + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        pass


def _paint(text: str, style: str, colour: bool) -> str:
    return f"\x1b[{style}m{text}\x1b[0m" if colour else text


# What a terminal obeys rather than shows: a stored text must not move the cursor or set the title.
_CONTROLS = Spelling(
    but={code: 0x2400 + code for code in range(32) if code not in (9, 10)}
    | {127: 0x2421}
    | dict.fromkeys((*range(128, 160), *range(0xD800, 0xE000)), 0xFFFD)
)


def visible(text: str) -> str:
    """The text with what can't be seen or would be obeyed made visible, what isn't Unicode replaced; for terminals."""
    return text.translate(_CONTROLS)


def write_json(value: object) -> None:
    """One JSON object on a line of its own."""
    from memd_cli.door import dumps

    try:
        line = dumps(value)
        line.encode()
    except UnicodeEncodeError:  # a command line that is no UTF-8, told back in an error
        line = line.encode("utf-8", "replace").decode()
    if not line.isascii() or "\x7f" in line:
        line = line.translate(Spelling(_in_json))
    write(line + "\n")


def _in_json(code: int) -> str:
    """A character as JSON may spell it, within a string."""
    if code < 0x10000:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


def write(text: str) -> None:
    """Text to standard output as UTF-8, whatever the locale."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))
    sys.stdout.flush()


def is_terminal(stream: "Any") -> bool:
    """Whether a person sees this stream."""
    try:
        return stream is not None and bool(stream.isatty())
    except ValueError:  # closed
        return False


def has_colour(stream: "Any") -> bool:
    """Whether this stream shows colours: a terminal that isn't dumb, and no NO_COLOR."""
    from os import environ

    return is_terminal(stream) and not environ.get("NO_COLOR") and environ.get("TERM", "") != "dumb"
