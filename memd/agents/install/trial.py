"""Whether memd works in an agent, found out by doing what the agent does, by the very commands in its files.

The server is started and spoken to, every hook is fired with a payload of the agent's shape; all of it over a
throw-away data folder and project, so that nothing of the user's is read or written.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from memd.agents import payloads as wire
from memd.agents.install import payloads
from memd.agents.install.agent import SCOPES, Agent, Event, Place
from memd.agents.install.parts import Command
from memd.agents.install.program import words_of
from memd.agents.install.speaking import Server, ServerTrouble
from memd.config import Config
from memd.daemon import process
from memd.errors import MemdError
from memd.home import HOOK_LOG

OK, WARNING, FAILED = "ok", "warning", "failed"

PROBE = "Decision: the ferret ledger listens on port 4711, because 4710 belongs to the otters."
WORD = "4711"  # of the probe: what must come back
TAUGHT = "seven years"  # of what is said
READ = ("claude-code", "codex", "cursor", "gemini-cli", "opencode")  # by their transcripts, or what their hooks say
PAUSES = (0.0, 0.3, 1.0, 2.0, 4.0)  # seconds before each attempt at a hook that gives up
SETTLING = 10.0  # seconds that a transcript may take to be read
PATIENCE = 20.0  # seconds for a hook; the agents give it 5
BUDGET = 0.5  # seconds that a hook may take at most
_ITSELF = "See whether memd itself works: memd doctor"
_BUSY = "Agents wait for hooks; a busy machine may be the cause."
TOOLS = ("remember", "recall", "context", "show", "forget")


@dataclass(frozen=True)
class Step:
    """One thing that was tried: ``ok``, ``warning`` or ``failed``, what was found, what to do."""

    name: str
    status: str
    finding: str
    hint: str = ""


@dataclass(frozen=True)
class _Bench:
    """The throw-away surroundings: a project with its repository, a data folder, the environment that names it."""

    project: Path
    config: Config
    environ: Mapping[str, str]


def steps(agent: Agent, place: Place, program: Sequence[str]) -> Iterator[Step]:
    """Try everything that stands in the agent's files, a step at a time."""
    found: list[Command] = []
    seen: set[str] = set()
    for scope in SCOPES:
        targets = [target for target in agent.files(place, scope, program) if os.path.realpath(target.path) not in seen]
        seen |= {os.path.realpath(target.path) for target in targets}
        try:
            commands = [command for target in targets for command in target.commands()]
        except MemdError as error:
            yield Step(f"{scope}'s files", FAILED, error.message, error.hint)
            continue
        if commands:
            events = len([command for command in commands if command.event])
            server = "the server" if len(commands) > events else "no server"
            yield Step(f"{scope}'s files", OK, f"{server} and {events} hooks")
        found += [command for command in commands if command not in found]
    if not found:
        yield Step("files", FAILED, f"memd isn't in {agent.title}'s files", f"memd install {agent.name}")
        return
    try:
        with _bench() as bench:
            yield from _tried(agent, found, bench)
    except MemdError as error:  # the daemon of the throw-away folder
        yield Step("daemon", FAILED, error.message, error.hint or _ITSELF)


def _tried(agent: Agent, found: Sequence[Command], bench: _Bench) -> Iterator[Step]:
    servers = [command for command in found if not command.event]
    again = f"memd install {agent.name}"
    if not servers:
        yield Step("server", FAILED, "its entry is missing", again)
    for command in servers:
        yield from _server_steps(command, bench)
    by_event = {event.name: event for event in agent.events}
    hooks = [command for command in found if command.event]
    yield from (Step(name, FAILED, "this hook is missing", again) for name in by_event if name not in _events(hooks))
    for command in hooks:
        if command.event in by_event:
            yield _hook_step(agent, by_event[command.event], command, bench)
    if servers and agent.name in READ and "Stop" in {event.means for event in agent.events}:
        yield _learned(servers[0], bench)


def _events(hooks: Sequence[Command]) -> set[str]:
    return {command.event for command in hooks}


# --- the server -------------------------------------------------------------------------------------


def _server_steps(command: Command, bench: _Bench) -> Iterator[Step]:
    """Start it as the agent would; store and recall through it."""
    environ = {**os.environ, **dict(command.environment), **bench.environ}
    line = " ".join(command.words)
    try:
        with Server(command.words, environ, str(bench.project)) as server:
            name = server.greet()
            yield Step("server", OK, f"{line}: {name.get('name')} {name.get('version')}")
            tools = server.tools()
            missing = [tool for tool in TOOLS if tool not in tools]
            if missing:
                yield Step("tools", FAILED, f"without {', '.join(missing)}", "Reinstall memd.")
            else:
                yield Step("tools", OK, ", ".join(tools))
            server.call("remember", {"text": PROBE, "kind": "decision"})
            yield Step("remember", OK, "stored a decision, in a throw-away store")
            answer = server.call("recall", {"query": payloads.PROMPT})
            found = WORD in answer
            yield Step("recall", OK, "found it again") if found else Step("recall", FAILED, "didn't find it", _ITSELF)
    except ServerTrouble as error:
        yield Step("server", FAILED, f"{line}: {error}", "Run that command by hand and see what it says.")


def _learned(command: Command, bench: _Bench) -> Step:
    """Whether what the sessions' transcripts say can be recalled; it is taken in after the hook has ended."""
    environ = {**os.environ, **dict(command.environment), **bench.environ}
    end = time.monotonic() + SETTLING
    try:
        with Server(command.words, environ, str(bench.project)) as server:
            server.greet()
            while not (found := TAUGHT in server.call("recall", {"query": payloads.STATED})) and time.monotonic() < end:
                time.sleep(0.2)
    except ServerTrouble as error:
        return Step("what was said", FAILED, str(error), _ITSELF)
    if not found:
        return Step("what was said", FAILED, "a decision of the session wasn't kept", _ITSELF)
    return Step("what was said", OK, "a decision of the session was kept, and recalled")


# --- the hooks --------------------------------------------------------------------------------------


def _hook_step(agent: Agent, event: Event, command: Command, bench: _Bench) -> Step:
    """Fire it as the agent would; again where it gave up, which it does when the machine is too busy."""
    for attempt, pause in enumerate(PAUSES):
        time.sleep(pause)
        log = bench.config.home / HOOK_LOG
        before = len(_lines(log))
        step = _fired(agent, event, command, bench, f"doctor-{event.means}-{attempt}")
        trouble = _lines(log)[before:]
        if not trouble:
            return replace(step, status=WARNING, hint=_BUSY) if attempt and step.status == OK else step
    return Step(event.name, FAILED, f"it gave up: {trouble[-1]}", _ITSELF)


def _fired(agent: Agent, event: Event, command: Command, bench: _Bench, session: str) -> Step:
    """Once, in a session of its own: nothing is said twice in one."""
    transcript = bench.project.parent / f"{session}.jsonl"
    transcript.write_text(payloads.transcript(agent.name, session, str(bench.project)), encoding="utf-8")
    given = payloads.payload(agent.name, event.means, event.name, session, str(bench.project), str(transcript))
    began = time.perf_counter()
    try:
        done = subprocess.run(
            command.shell,
            shell=True,
            input=json.dumps(given).encode(),
            capture_output=True,
            env={**os.environ, **bench.environ},
            cwd=bench.project,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Step(event.name, FAILED, f"no end within {PATIENCE:.0f} s: {command.shell}", "Run it by hand.")
    took = time.perf_counter() - began
    if done.returncode:
        return _refused(agent, event, command, done)
    brings = wire.takes_context(wire.read(agent.name, event.means, json.dumps(given), str(bench.project)))
    return _judged(event, done.stdout.decode("utf-8", "replace").strip(), took, brings)


def _lines(log: Path) -> list[str]:
    """What hooks could not do; they say so nowhere else."""
    return log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []


def _refused(agent: Agent, event: Event, command: Command, done: subprocess.CompletedProcess[bytes]) -> Step:
    """The command itself is wrong: memd's hook always ends with 0."""
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    last = lines[-1] if lines else "it says nothing"
    program = (words_of(command.shell) or ["memd"])[0]
    hint = f"memd install {agent.name}" if done.returncode in (126, 127) else f"See whether {program} works."
    return Step(event.name, FAILED, f"exit code {done.returncode}: {last}", hint)


def _judged(event: Event, output: str, took: float, brings: bool) -> Step:
    """What a hook said, and how long it took. `brings`: whether the agent takes context from it."""
    told = f"{took * 1000:.0f} ms"
    if output and not _is_json(output):
        return Step(event.name, FAILED, f"it printed what isn't JSON: {output[:80]}", "Report this.")
    if brings and WORD not in output:
        return Step(event.name, FAILED, f"{told}, but it didn't bring what was stored", _ITSELF)
    told += ", brought what was stored" if brings else ""
    return Step(event.name, OK, told) if took <= BUDGET else Step(event.name, WARNING, f"{told}: slow", _BUSY)


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


# --- the surroundings -------------------------------------------------------------------------------


@contextmanager
def _bench() -> Iterator[_Bench]:
    with tempfile.TemporaryDirectory(prefix="memd-doctor-") as folder:
        root = Path(os.path.realpath(folder))
        (root / "project" / ".git").mkdir(parents=True)
        config = Config.load(root / "home", {})
        process.start(config)
        try:
            yield _Bench(root / "project", config, {"MEMD_HOME": str(config.home)})
        finally:
            process.stop(config)
