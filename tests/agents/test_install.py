"""memd in agents' files and out again: the files of every agent, in many shapes, stay what they were."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memd.agents import payloads
from memd.agents.install import joining
from memd.agents.install.agent import SCOPES, Place
from memd.agents.install.jsontext import JSON, JSON_WITH_COMMENTS, JSONC, Dialect, parse
from memd.agents.install.ledger import Ledger
from memd.agents.install.program import starts_memd, words_of
from memd.agents.install.registry import AGENTS
from memd.agents.install.work import Target, apply, planned_install
from memd.errors import FileChanged, FileUnusable, MalformedFile
from tests.agents.test_install_toml import toml_text
from tests.agents.written import json_text, objects

QUICK = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # every write is flushed, which disks take long over
PROGRAM = ("memd",)
OTHER = ("/opt/my tools/bin/memd",)


@dataclass
class Machine:
    """A home folder and a project of their own, where no agent is found."""

    root: Path

    @property
    def place(self) -> Place:
        return Place(self.root / "home", self.root / "work", {"PATH": str(self.root / "bin")}, mac=False)

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.root / "memd")

    def targets(self, agent: str, scope: str) -> list[Target]:
        return AGENTS[agent].files(self.place, scope, PROGRAM)

    def install(self, agent: str, scope: str, program: tuple[str, ...] = PROGRAM) -> list[str]:
        done = joining.install(AGENTS[agent], scope, self.place, program, self.ledger)
        return [one.change.action for one in done]

    def uninstall(self, agent: str, scope: str) -> list[str]:
        done = joining.uninstall(AGENTS[agent], scope, self.place, PROGRAM, self.ledger)
        return [one.change.action for one in done]

    def tree(self) -> dict[str, tuple[int, bytes]]:
        """Every file of the home folder and the project, with its permissions; and every folder."""
        paths = [path for part in ("home", "work") for path in sorted((self.root / part).rglob("*"))]
        return {
            str(path): (path.lstat().st_mode, os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes())
            if not path.is_dir()
            else (path.lstat().st_mode, b"")
            for path in paths
        }

    def write(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


@contextlib.contextmanager
def fresh_machine() -> Iterator[Machine]:
    with tempfile.TemporaryDirectory(dir=QUICK) as folder:
        for part in ("home", "work", "bin"):
            (Path(folder) / part).mkdir()
        yield Machine(Path(folder))


@pytest.fixture
def machine() -> Iterator[Machine]:
    with fresh_machine() as made:
        yield made


FILES = [
    pytest.param(agent, scope, number, id=f"{agent}-{scope}-{number}")
    for agent in AGENTS
    for scope in SCOPES
    for number in range(len(Machine(Path("/nowhere")).targets(agent, scope)))
]
ALL = [pytest.param(agent, scope, id=f"{agent}-{scope}") for agent in AGENTS for scope in SCOPES]


def dialect(target: Target) -> Dialect | None:
    """What the file is written in; None for TOML."""
    return getattr(target.parts[0], "dialect", None)


def values(target: Target) -> Any:
    text = target.path.read_text(encoding="utf-8-sig")
    if target.path.suffix == ".toml":
        return tomllib.loads(text)
    root = parse(text, dialect(target) or JSON)
    return None if root is None else root.value


SERVER = '{"command": "npx", "args": ["-y", "other"], "env": {"KEY": "s3cret"}}'
JSON_SHAPES = {
    "empty": b"",
    "nothing": b"{}",
    "nothing, spread": b"{ \n\n }\n",
    "blank": b"\n \n",
    "minified": b'{"theme":"dark","x":[1,2.50,1e3,-0],"u":"\\u00e9\xc3\xa9"}',
    "one line": b'{ "theme": "dark", "n": null }\n',
    "tabs": b'{\n\t"theme": "dark",\n\t"deep": {\n\t\t"a": [\n\t\t\t1\n\t\t]\n\t}\n}\n',
    "four, no last line end": b'{\n    "theme": "dark"\n}',
    "crlf and bom": b'\xef\xbb\xbf{\r\n  "theme": "dark",\r\n  "mcpServers": {}\r\n}\r\n',
    "empty containers": b'{\n  "mcpServers": {},\n  "servers": { },\n  "mcp": {\n  },\n  "hooks": {}\n}\n',
    "odd": b'{ "a" :1\n ,"b": [ ]\n, "hooks"\t:{ "Stop":[ ] ,"stop" : [] } }   \n\n',
    "others": (
        f'{{\n  "mcpServers": {{\n    "other": {SERVER}\n  }},\n  "servers": {{"other": {SERVER}}},\n'
        f'  "mcp": {{"other": {SERVER}}},\n  "unknown": [{{"memd": 1}}, "memd hook"],\n  "numFormat": 1.0\n}}\n'
    ).encode(),
    "twice": b'{"hooks": {"a": 1}, "hooks": {}, "mcpServers": {"memd": 1}, "mcpServers": {}}',
}
NESTED = {
    "other hooks": b"""{
  "hooks": {
    "PostToolUse": [
      {"matcher": "Edit", "hooks": [{"type": "command", "command": "prettier"}, {"type": "prompt"}]}
    ],
    "AfterTool": [{"hooks": []}],
    "Notification": [{"hooks": [{"type": "command", "command": "say done", "timeout": 10}]}]
  }
}
"""
}
FLAT = {
    "other hooks": b'{\n "version": 1,\n "hooks": {"stop": [{"command": "./done.sh"}], "Stop": [{"type": "x"}]}\n}\n'
}
NOTED = {
    "comments": (
        b'// settings\n{\n  // a theme\n  "theme": "dark", // dark\n  /* none\n  yet */\n'
        b'  "mcp": {\n    // "x": 1\n  }\n}\n// end'
    ),
    "comment on one line": b'{"servers"://\n{//\n},"mcpServers":{/* */}, "mcp":{//\n}//\n}//',
    "comment alone": b"// nothing yet",
}
TRAILING = {
    "trailing commas": (
        b'{\n  "servers": {\n    "a": {"url": "http://x//y"},\n  },\n  "mcp": {"a": {"type": "remote",},},\n}\n'
    )
}
TOML_SHAPES = {
    "empty": b"",
    "plain": b'model = "o5" # mine\napproval_policy = "never"\n\n[tui]\nnotifications = true\n',
    "no last line end": b"[features]\nhooks = true",
    "servers": b'[mcp_servers.other]\ncommand = "npx"\nargs = [\n  "-y", # yes\n  "x",\n]\n\n\n# the end\n',
    "crlf and bom": b'\xef\xbb\xbfa = """\r\n[mcp_servers.memd]\r\n"""\r\n\r\n[projects."/home/a b"]\r\nb = 1\r\n',
    "inline": b'mcp_servers = { other = { command = "npx" } }\n',
    "hooks": b'[[hooks.Stop]]\n[[hooks.Stop.hooks]]\ntype = "command"\ncommand = "say done"\n',
}


def shapes(target: Target) -> dict[str, bytes]:
    if target.path.suffix == ".toml":
        return TOML_SHAPES
    if target.path.suffix == ".js":
        return {}
    kind = dialect(target)
    nested = any(getattr(part, "nested", False) for part in target.parts)
    flat = any(getattr(part, "nested", True) is False for part in target.parts)
    more = (NOTED if kind and kind.comments else {}) | (TRAILING if kind and kind.trailing_commas else {})
    return JSON_SHAPES | (NESTED if nested else {}) | (FLAT if flat else {}) | more


@pytest.mark.parametrize(("agent", "scope", "number"), FILES)
def test_every_shape_of_file_comes_back_byte_for_byte(agent: str, scope: str, number: int) -> None:
    for name, data in shapes(Machine(Path("/nowhere")).targets(agent, scope)[number]).items():
        with fresh_machine() as machine:
            target = machine.targets(agent, scope)[number]
            machine.write(target.path, data)
            target.path.chmod(0o640)
            target = machine.targets(agent, scope)[number]
            before, tree = values(target), machine.tree()
            machine.install(agent, scope)
            once = machine.tree()
            assert "memd" in target.path.read_text() and stat.S_IMODE(target.path.stat().st_mode) == 0o640
            assert kept(before, values(target)), name
            assert set(machine.install(agent, scope)) == {"unchanged"} and machine.tree() == once, name
            machine.uninstall(agent, scope)
            assert machine.tree() == tree, name


def kept(before: Any, after: Any) -> bool:
    """Whether all that was there is there still; only objects and lists may have got more."""
    if before is None:
        return True
    if isinstance(before, dict) and isinstance(after, dict):
        return all(name in after and kept(value, after[name]) for name, value in before.items())
    if isinstance(before, list) and isinstance(after, list):
        return after[: len(before)] == before
    return bool(before == after)


@pytest.mark.parametrize(("agent", "scope"), ALL)
def test_where_nothing_was_nothing_is_left(machine: Machine, agent: str, scope: str) -> None:
    assert set(machine.install(agent, scope)) == {"made"}
    assert set(machine.uninstall(agent, scope)) <= {"removed", "unchanged"}
    assert machine.tree() == {}


@pytest.mark.parametrize(("agent", "scope"), ALL)
def test_memd_stands_in_the_files_as_the_agent_wants_it(machine: Machine, agent: str, scope: str) -> None:
    machine.install(agent, scope, OTHER)
    commands = [command for target in machine.targets(agent, scope) for command in target.commands()]
    (server,) = [command for command in commands if not command.event]
    assert server.words == (*OTHER, "mcp")
    hooks = [words_of(command.shell) for command in commands if command.event]
    assert hooks == [[*OTHER, "hook", event.means, "--agent", agent] for event in AGENTS[agent].events]
    assert {event.means for event in AGENTS[agent].events} <= set(payloads.EVENTS) and agent in payloads.AGENTS


GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize(("agent", "scope", "number"), FILES)
def test_the_files_are_as_written_down(machine: Machine, agent: str, scope: str, number: int) -> None:
    """What a typical file becomes, in full: tests/agents/golden. GOLDEN=write writes them anew."""
    target = machine.targets(agent, scope)[number]
    typical = {".toml": TOML_SHAPES["servers"], ".js": b""}.get(target.path.suffix, JSON_SHAPES["others"])
    if typical:
        machine.write(target.path, typical)
    machine.install(agent, scope)
    golden = GOLDEN / agent / f"{scope}-{target.path.name.lstrip('.')}"
    if os.environ.get("GOLDEN") == "write":
        machine.write(golden, target.path.read_bytes())
    assert target.path.read_bytes() == golden.read_bytes()


@pytest.mark.parametrize(("agent", "scope"), ALL)
def test_what_is_edited_meanwhile_stays(machine: Machine, agent: str, scope: str) -> None:
    typical = {".toml": TOML_SHAPES["servers"], ".json": JSON_SHAPES["others"]}
    targets = [target for target in machine.targets(agent, scope) if target.path.suffix in typical]
    for target in targets:
        machine.write(target.path, typical[target.path.suffix])
    machine.install(agent, scope)
    edited = {}
    for target in targets:
        for path in (target.path,):
            path.write_bytes(path.read_bytes().replace(b"npx", b"bunx") + b"\n")
            edited[path] = typical[path.suffix].replace(b"npx", b"bunx") + b"\n"
    machine.uninstall(agent, scope)
    assert {target.path: target.path.read_bytes() for target in targets} == edited


@pytest.mark.parametrize(("agent", "scope"), ALL)
def test_it_goes_without_any_record_too(machine: Machine, agent: str, scope: str) -> None:
    typical = {".toml": TOML_SHAPES["servers"], ".json": JSON_SHAPES["others"]}
    targets = [target for target in machine.targets(agent, scope) if target.path.suffix in typical]
    for target in targets:
        machine.write(target.path, typical[target.path.suffix])
    machine.install(agent, scope)
    joining.uninstall(AGENTS[agent], scope, machine.place, PROGRAM, Ledger(machine.root / "another"))
    assert all(target.path.read_bytes() == typical[target.path.suffix] for target in targets)


def pruned(value: Any) -> Any:
    """Without empty containers: where nothing is known, those that memd's parts leave empty go."""
    if not isinstance(value, dict):
        return value
    inner = {name: pruned(item) for name, item in value.items()}
    return {
        name: item for name, item in inner.items() if item not in ({}, [], None) and name not in ("version", "$schema")
    }


@pytest.mark.parametrize(("agent", "scope", "number"), [case for case in FILES if case.values[1] == "user"])
def test_without_any_record_every_shape_keeps_its_values(agent: str, scope: str, number: int) -> None:
    for name, data in shapes(Machine(Path("/nowhere")).targets(agent, scope)[number]).items():
        with fresh_machine() as machine:
            target = machine.targets(agent, scope)[number]
            machine.write(target.path, data)
            before = values(target)
            machine.install(agent, scope)
            joining.uninstall(AGENTS[agent], scope, machine.place, PROGRAM, Ledger(machine.root / "another"))
            assert pruned(values(target) or {}) == pruned(before or {}), name


@settings(max_examples=12)
@given(st.data())
@pytest.mark.parametrize(("agent", "scope", "number"), [case for case in FILES if case.values[1] == "user"])
def test_any_file_comes_back(agent: str, scope: str, number: int, data: st.DataObject) -> None:
    with fresh_machine() as machine:
        target = machine.targets(agent, scope)[number]
        kind = dialect(target)
        if target.path.suffix == ".js":
            return
        if kind is None:
            text = data.draw(toml_text())
        else:
            inside = objects.map(lambda found: {name: value for name, value in found.items() if name != "memd"})
            value = data.draw(inside) | data.draw(
                st.fixed_dictionaries({}, optional={"mcpServers": inside, "servers": inside})
            )
            value.pop("mcp", None)
            for name in ("mcpServers", "servers", "hooks"):
                if not isinstance(value.get(name, {}), dict):
                    value.pop(name)
            text = data.draw(json_text(value, kind.comments, kind.trailing_commas))
        machine.write(target.path, text.encode())
        try:
            machine.install(agent, scope)
        except FileUnusable:  # an event that isn't a list, say
            assert target.path.read_bytes() == text.encode()
            return
        assert set(machine.install(agent, scope)) == {"unchanged"}
        machine.uninstall(agent, scope)
        assert target.path.read_bytes() == text.encode()


MALFORMED = {".toml": (b"a = 1\nb = [1,,2]\n", 2), ".json": (b'{\n  "a": 1,\n  "b": tru\n}\n', 3), ".js": (b"", 0)}


@pytest.mark.parametrize(("agent", "scope", "number"), FILES)
def test_a_malformed_file_is_refused_and_nothing_is_touched(
    machine: Machine, agent: str, scope: str, number: int
) -> None:
    target = machine.targets(agent, scope)[number]
    if target.path.suffix == ".js":
        machine.write(target.path, b"export const Mine = 1\n")
        tree = machine.tree()
        with pytest.raises(FileUnusable):
            machine.install(agent, scope)
    else:
        data, line = MALFORMED[target.path.suffix]
        machine.write(target.path, data)
        tree = machine.tree()
        for act in (machine.install, machine.uninstall):
            with pytest.raises(MalformedFile) as caught:
                act(agent, scope)
            assert caught.value.line == line and str(target.path) in caught.value.message
    assert machine.tree() == tree


@pytest.mark.parametrize(
    ("agent", "scope", "number"), [case for case in FILES if case.values[0] in ("claude-code", "codex")]
)
def test_comments_are_refused_where_the_agent_reads_none(machine: Machine, agent: str, scope: str, number: int) -> None:
    target = machine.targets(agent, scope)[number]
    if target.path.suffix == ".json":
        machine.write(target.path, b'{\n  // no\n  "a": 1\n}\n')
        with pytest.raises(MalformedFile) as caught:
            machine.install(agent, scope)
        assert (caught.value.line, caught.value.column) == (2, 3)


def test_dialects_are_those_of_the_agents(machine: Machine) -> None:
    found = {(agent, dialect(target)) for agent in AGENTS for target in machine.targets(agent, "user")[:1]}
    assert found == {
        ("claude-code", JSON),
        ("codex", None),
        ("cursor", JSONC),
        ("gemini-cli", JSON_WITH_COMMENTS),
        ("vscode", JSONC),
        ("opencode", JSONC),
    }


def test_not_utf_8_says_where(machine: Machine) -> None:
    path = machine.place.home / ".claude.json"
    machine.write(path, b'{\n  "a": "caf\xe9"\n}')
    with pytest.raises(MalformedFile) as caught:
        machine.install("claude-code", "user")
    assert (caught.value.line, caught.value.column) == (2, 12)


@pytest.mark.parametrize("value", ["[]", '"x"', "3"])
def test_a_file_that_holds_something_else_is_refused(machine: Machine, value: str) -> None:
    for text in (value, f'{{"mcpServers": {value}}}', f'{{"mcpServers": {{"memd": {value}}}}}'):
        path = machine.place.home / ".claude.json"
        machine.write(path, text.encode())
        with pytest.raises(FileUnusable) as caught:
            machine.install("claude-code", "user")
        assert caught.value.message.startswith(str(path)) and caught.value.hint
        assert path.read_bytes() == text.encode()


def test_another_server_called_memd_is_left_alone(machine: Machine) -> None:
    path = machine.place.home / ".cursor" / "mcp.json"
    machine.write(path, b'{"mcpServers": {"memd": {"url": "https://example.com"}}}')
    with pytest.raises(FileUnusable, match="called memd"):
        machine.install("cursor", "user")
    machine.uninstall("cursor", "user")
    assert path.read_bytes() == b'{"mcpServers": {"memd": {"url": "https://example.com"}}}'


def test_a_read_only_file_is_refused(machine: Machine) -> None:
    path = machine.place.home / ".claude" / "settings.json"
    machine.write(path, b"{}")
    path.chmod(0o444)
    tree = machine.tree()
    with pytest.raises(FileUnusable, match="read-only"):
        machine.install("claude-code", "user")
    assert machine.tree() == tree


def test_a_link_stays_a_link(machine: Machine) -> None:
    kept_at = machine.root / "home" / "dotfiles" / "claude.json"
    machine.write(kept_at, b'{"a": 1}\n')
    path = machine.place.home / ".claude" / "settings.json"
    path.parent.mkdir(parents=True)
    path.symlink_to("../dotfiles/claude.json")
    tree = machine.tree()
    machine.install("claude-code", "user")
    assert path.is_symlink() and b"memd hook" in kept_at.read_bytes()
    machine.uninstall("claude-code", "user")
    assert machine.tree() == tree


def test_a_link_to_nothing_and_a_folder_are_refused(machine: Machine) -> None:
    path = machine.place.home / ".claude.json"
    path.symlink_to("elsewhere/claude.json")
    with pytest.raises(FileUnusable, match="isn't there"):
        machine.install("claude-code", "user")
    path.unlink()
    path.mkdir()
    with pytest.raises(FileUnusable):
        machine.install("claude-code", "user")


def test_a_change_between_reading_and_writing_is_never_written_over(machine: Machine) -> None:
    first, second = (target.path for target in machine.targets("claude-code", "user"))
    machine.write(first, b'{"a": 1}')
    machine.write(second, b'{"b": 1}')
    changes = planned_install(machine.targets("claude-code", "user"))
    second.write_bytes(b'{"b": 2}')
    with pytest.raises(FileChanged):
        apply(changes, machine.ledger, "claude-code", "user")
    assert (first.read_bytes(), second.read_bytes()) == (b'{"a": 1}', b'{"b": 2}')
    assert not [path for path in machine.tree() if path.endswith(".memd")]
    machine.install("claude-code", "user")
    machine.uninstall("claude-code", "user")
    assert (first.read_bytes(), second.read_bytes()) == (b'{"a": 1}', b'{"b": 2}')


def test_a_file_that_appears_meanwhile_is_never_written_over(machine: Machine) -> None:
    changes = planned_install(machine.targets("codex", "user"))
    path = machine.place.home / ".codex" / "hooks.json"
    machine.write(path, b"mine")
    with pytest.raises(FileChanged):
        apply(changes, machine.ledger, "codex", "user")
    assert path.read_bytes() == b"mine" and not (path.parent / "config.toml").exists()


def test_a_folder_that_can_not_be_written_undoes_the_rest(machine: Machine) -> None:
    machine.write(machine.place.home / ".claude", b"a file where a folder should be")
    tree = machine.tree()
    with pytest.raises(FileUnusable):
        machine.install("claude-code", "user")
    assert machine.tree() == tree


def test_a_moved_memd_is_corrected_and_what_people_set_stays(machine: Machine) -> None:
    machine.install("claude-code", "user")
    servers, hooks = (target.path for target in machine.targets("claude-code", "user"))
    servers.write_text(servers.read_text().replace('"command"', '"env": {"MEMD_HOME": "/x"},\n      "command"'))
    hooks.write_text(hooks.read_text().replace('"timeout": 5', '"timeout": 9').replace("Bash|", "Bash|Task|"))
    assert machine.install("claude-code", "user", OTHER) == ["changed", "changed"]
    entry = json.loads(servers.read_text())["mcpServers"]["memd"]
    assert entry == {"type": "stdio", "env": {"MEMD_HOME": "/x"}, "command": OTHER[0], "args": ["mcp"]}
    handlers = [handler for groups in json.loads(hooks.read_text())["hooks"].values() for handler in groups[0]["hooks"]]
    assert all(words_of(handler["command"])[0] == OTHER[0] and handler["timeout"] == 9 for handler in handlers)
    assert "Bash|Task|" in hooks.read_text()
    machine.uninstall("claude-code", "user")
    assert machine.tree() == {}


def test_a_hook_of_an_event_no_longer_wanted_goes(machine: Machine) -> None:
    path = machine.place.home / ".claude" / "settings.json"
    old = {"hooks": {"Notification": [{"hooks": [{"type": "command", "command": "/old/memd hook Notification"}]}]}}
    machine.write(path, json.dumps(old, indent=2).encode())
    machine.install("claude-code", "user")
    assert "Notification" not in json.loads(path.read_text())["hooks"]


def test_copies_of_how_files_were_are_kept_for_the_user_alone(machine: Machine) -> None:
    path = machine.place.home / ".claude.json"
    machine.write(path, b'{"token": "s3cret"}')
    done = joining.install(AGENTS["claude-code"], "user", machine.place, PROGRAM, machine.ledger)
    copy = Path(done[0].copy or "")
    assert copy.read_bytes() == b'{"token": "s3cret"}' and done[1].copy is None
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600 and stat.S_IMODE(machine.ledger.folder.stat().st_mode) == 0o700


def test_opencode_2_gets_its_server_where_it_wants_it(machine: Machine) -> None:
    program = machine.root / "bin" / "opencode"
    program.write_text("#!/bin/sh\necho 2.1.0\n")
    program.chmod(0o755)
    machine.install("opencode", "user")
    (target,) = machine.targets("opencode", "user")
    assert values(target)["mcp"] == {"servers": {"memd": {"type": "local", "command": ["memd", "mcp"]}}}
    program.unlink()  # it is taken out whatever version is there now
    machine.uninstall("opencode", "user")
    assert [path for path in machine.tree() if path.endswith(".json")] == []


def test_opencode_keeps_to_the_file_that_is_there(machine: Machine) -> None:
    path = machine.place.home / ".config" / "opencode" / "opencode.jsonc"
    machine.write(path, b"{\n  // mine\n}\n")
    machine.install("opencode", "user")
    assert b"memd" in path.read_bytes() and not path.with_suffix(".json").exists()


@pytest.mark.parametrize(
    ("agent", "variable", "under"),
    [
        ("claude-code", "CLAUDE_CONFIG_DIR", [".claude.json", "settings.json"]),
        ("codex", "CODEX_HOME", ["config.toml", "hooks.json"]),
        ("gemini-cli", "GEMINI_CLI_HOME", [".gemini/settings.json"]),
        ("opencode", "XDG_CONFIG_HOME", ["opencode/opencode.json", "opencode/plugins/memd.js"]),
        ("vscode", "XDG_CONFIG_HOME", ["Code/User/mcp.json"]),
        ("vscode", "VSCODE_PORTABLE", ["user-data/User/mcp.json"]),
        ("vscode", "COPILOT_HOME", ["hooks/memd.json"]),
    ],
)
def test_the_agents_own_variables_are_followed(machine: Machine, agent: str, variable: str, under: list[str]) -> None:
    elsewhere = machine.root / "elsewhere"
    place = Place(machine.place.home, machine.place.project, {variable: str(elsewhere)}, mac=False)
    found = [target.path for target in AGENTS[agent].files(place, "user", PROGRAM)]
    assert {elsewhere / path for path in under} <= set(found)


def test_every_edition_of_vs_code_gets_it(machine: Machine) -> None:
    for edition in ("Code", "Code - Insiders"):
        (machine.place.home / ".config" / edition / "User").mkdir(parents=True)
    assert machine.install("vscode", "user") == ["made"] * 3
    mac = Place(machine.place.home, machine.place.project, {}, mac=True)
    assert AGENTS["vscode"].folder(mac) == machine.place.home / "Library/Application Support/Code/User"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("memd hook Stop", True),
        ("'/opt/my tools/memd' hook Stop --agent x", True),
        ("/usr/bin/python3 -m memd_cli hook Stop", True),
        ("env A=1 memd hook Stop", True),
        (["memd", "hook"], True),
        ("memd recall hook", False),
        ("mymemd hook", False),
        ("echo 'memd hook'", False),
        ("memd 'hook", False),
        (None, False),
        ([1, 2], False),
    ],
)
def test_memds_commands_are_known(command: object, expected: bool) -> None:
    assert starts_memd(command, "hook") is expected
