"""What memd puts into an agent's file: a server's entry, hooks, or a file of its own. Pure functions on texts.

Each part knows how to put itself into a text, and how to take itself out. Both are idempotent. `made` lists the
containers (as paths of names) that were made for it: only those are taken out when they end up empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from memd.agents.install import jsontext, tomltext
from memd.agents.install.jsontext import JSON, Dialect, Node
from memd.agents.install.program import starts_memd
from memd.errors import FileUnusable

NAME = "memd"  # of the server, in every agent's file

Made = list[list[str]]


class Part(Protocol):
    """One thing that memd puts into a file."""

    def put(self, text: str) -> tuple[str, Made]:
        """The text with the part in it, as it should be now, and the containers that were made.

        Raises:
            MalformedFile, FileUnusable: the text can't take it.
        """
        ...

    def take(self, text: str, made: Made | None) -> str:
        """The text without the part; `made` is None where nobody knows what was made."""
        ...

    def commands(self, text: str) -> list[Command]:
        """The part's commands as they stand in the text."""
        ...


@dataclass(frozen=True)
class Command:
    """A command line found in an agent's file. `event` is the agent's own name, empty for the server."""

    event: str
    words: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    shell: str = ""


# --- the server -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class JsonServer:
    """A server in a JSON file: ``{parent: {"memd": entry}}``.

    Attributes:
        parent: the names that lead to the servers.
        entry: what stands there.
        dialect: of the file.
        environment: the entry's name for variables.
    """

    parent: tuple[str, ...]
    entry: dict[str, Any]
    dialect: Dialect = JSON
    environment: str = "env"

    def put(self, text: str) -> tuple[str, Made]:
        """Add the entry, or correct its command; other keys of it stay."""
        text, made = with_containers(text, self.parent, self.dialect)
        path = [*self.parent, NAME]
        node = jsontext.find(jsontext.parse(text, self.dialect), path)
        if node is None:
            return jsontext.added(text, self.parent, NAME, self.entry, self.dialect), made
        _must_be_ours(node.value)
        for name, value in self.entry.items():
            if name not in node.value:
                text = jsontext.added(text, path, name, value, self.dialect)
            elif node.value[name] != value:
                text = jsontext.replaced(text, [*path, name], value, self.dialect)
        return text, made

    def take(self, text: str, made: Made | None) -> str:
        """Remove the entry, and what was made for it."""
        entry = jsontext.find(jsontext.parse(text, self.dialect), [*self.parent, NAME])
        if entry is None or not _is_ours(entry.value):
            return text
        text = jsontext.removed(text, [*self.parent, NAME], self.dialect)
        return without_containers(text, [self.parent], made, self.dialect)

    def commands(self, text: str) -> list[Command]:
        """The server's command."""
        entry = jsontext.find(jsontext.parse(text, self.dialect), [*self.parent, NAME])
        value = entry.value if entry is not None else None
        return [_server_command(value, self.environment)] if isinstance(value, dict) and _is_ours(value) else []


@dataclass(frozen=True)
class TomlServer:
    """A server in a TOML file: ``[parent.memd]``."""

    parent: tuple[str, ...]
    entry: dict[str, Any]

    def put(self, text: str) -> tuple[str, Made]:
        """Add the table, or correct its command."""
        path = (*self.parent, NAME)
        present = tomltext.find(text, path)
        if present is None:
            return tomltext.with_table(text, path, self.entry), []
        _must_be_ours(present)
        return tomltext.with_values(text, path, self.entry), []

    def take(self, text: str, made: Made | None) -> str:
        """Remove the table and those below it."""
        path = (*self.parent, NAME)
        return tomltext.without_table(text, path) if _is_ours(tomltext.find(text, path)) else text

    def commands(self, text: str) -> list[Command]:
        """The server's command."""
        value = tomltext.find(text, (*self.parent, NAME))
        return [_server_command(value, "env")] if _is_ours(value) else []


def _argv(entry: Any) -> list[Any]:
    if not isinstance(entry, dict):
        return []
    command, arguments = entry.get("command"), entry.get("args", [])
    words = command if isinstance(command, list) else [command]
    return [*words, *(arguments if isinstance(arguments, list) else [])]


def _is_ours(entry: Any) -> bool:
    return starts_memd(_argv(entry), "mcp")


def _must_be_ours(entry: Any) -> None:
    if not _is_ours(entry):
        raise FileUnusable(
            f"there is a server called {NAME} in it already, which isn't this one", "Give that one another name."
        )


def _server_command(entry: dict[str, Any], environment: str) -> Command:
    variables = entry.get(environment)
    pairs = variables.items() if isinstance(variables, dict) else ()
    return Command("", tuple(_argv(entry)), tuple((str(name), str(value)) for name, value in pairs))


# --- hooks ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hook:
    """A command to run at an event.

    Attributes:
        event: as the agent calls it.
        command: a line for the shell.
        matcher: which tools it is for; empty for all.
    """

    event: str
    command: str
    matcher: str = ""


@dataclass(frozen=True)
class JsonHooks:
    """Hooks in a JSON file, under ``hooks`` by event.

    Attributes:
        hooks: those that should be there, one for an event.
        handler: what stands beside each command.
        nested: whether handlers stand in groups, ``[{"matcher", "hooks": [handler]}]``, or alone, ``[handler]``.
        dialect: of the file.
    """

    hooks: tuple[Hook, ...]
    handler: tuple[tuple[str, Any], ...] = ()
    nested: bool = True
    dialect: Dialect = JSON

    def put(self, text: str) -> tuple[str, Made]:
        """Add what is missing, correct commands that changed, remove those for events not wanted any more.

        Matchers and timeouts of a hook that is there stay as they are: a person may have set them.
        """
        text, made = with_containers(text, ("hooks",), self.dialect)
        wanted = {hook.event: hook for hook in self.hooks}
        for path, command in reversed([*self._ours(text)]):
            hook = wanted.pop(str(path[1]), None)
            if hook is None:
                text = self._without(text, path, None)
            elif command != hook.command:
                text = jsontext.replaced(text, [*path, "command"], hook.command, self.dialect)
        for hook in self.hooks:
            if hook.event in wanted:
                text, more = self._with(text, hook)
                made += more
        return text, made

    def take(self, text: str, made: Made | None) -> str:
        """Remove every hook that runs memd, whatever the event, and what was made for them."""
        for path, _ in reversed([*self._ours(text)]):
            text = self._without(text, path, made)
        return without_containers(text, [("hooks",)], made, self.dialect)

    def commands(self, text: str) -> list[Command]:
        """The commands by event."""
        return [Command(str(path[1]), (), (), command) for path, command in self._ours(text)]

    def _with(self, text: str, hook: Hook) -> tuple[str, Made]:
        beside = dict(self.handler)
        typed = {"type": beside.pop("type")} if "type" in beside else {}
        handler = {**typed, "command": hook.command, **beside}
        matcher = {"matcher": hook.matcher} if hook.matcher else {}
        value = {**matcher, "hooks": [handler]} if self.nested else {**handler, **matcher}
        text, made = with_containers(text, ("hooks", hook.event), self.dialect, last=list)
        return jsontext.added(text, ("hooks", hook.event), None, value, self.dialect), made

    def _without(self, text: str, path: Sequence[jsontext.Key], made: Made | None) -> str:
        """Without one handler, its group when that was all, and its event's list when that was made for it."""
        text = jsontext.removed(text, path, self.dialect)
        if self.nested:
            group = jsontext.find(jsontext.parse(text, self.dialect), path[:3])
            if group is not None and not group.value["hooks"]:
                text = jsontext.removed(text, path[:3], self.dialect)
        return without_containers(text, [("hooks", str(path[1]))], made, self.dialect)

    def _ours(self, text: str) -> Iterator[tuple[list[jsontext.Key], str]]:
        """The path and command of each handler that runs memd."""
        root = jsontext.parse(text, self.dialect)
        for event, items in _members(jsontext.find(root, ["hooks"])):
            for number, item in _items(items):
                path: list[jsontext.Key] = ["hooks", event, number]
                for at, handler in self._handlers(path, item):
                    command = dict(_members(handler)).get("command")
                    if command is not None and starts_memd(command.value, "hook"):
                        yield at, str(command.value)

    def _handlers(self, path: list[jsontext.Key], item: Node) -> list[tuple[list[jsontext.Key], Node]]:
        if not self.nested:
            return [(path, item)]
        return [([*path, "hooks", number], handler) for number, handler in _items(dict(_members(item)).get("hooks"))]


def _members(node: Node | None) -> list[tuple[str, Node]]:
    """An object's members, of those with one name the last."""
    if node is None or node.kind != "object":
        return []
    return list({element.name: element.node for element in node.elements}.items())


def _items(node: Node | None) -> list[tuple[int, Node]]:
    if node is None or node.kind != "array":
        return []
    return [(number, element.node) for number, element in enumerate(node.elements)]


# --- a file of memd's own ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Whole:
    """A file that is all memd's, known by its first line.

    Attributes:
        content: all of it.
        hooked: reads the hooks' commands off it.
    """

    content: str
    hooked: Callable[[str], list[Command]]

    @property
    def _mark(self) -> str:
        return self.content.split("\n", 1)[0]

    def put(self, text: str) -> tuple[str, Made]:
        """The content as it should be now."""
        if text.strip() and not text.startswith(self._mark):
            raise FileUnusable("it isn't memd's", "Move it away and try again.")
        return self.content, []

    def take(self, text: str, made: Made | None) -> str:
        """Nothing, where it is memd's."""
        return "" if text.startswith(self._mark) else text

    def commands(self, text: str) -> list[Command]:
        """The commands that it runs."""
        return self.hooked(text) if text.startswith(self._mark) else []


# --- containers -------------------------------------------------------------------------------------


def with_containers(
    text: str, path: Sequence[str], dialect: Dialect, last: type[dict[str, Any]] | type[list[Any]] = dict
) -> tuple[str, Made]:
    """The text with every container along a path, the last an object or a list; and those that had to be made."""
    made: Made = []
    if jsontext.parse(text, dialect) is None:
        gap = "\n" if text.strip("\ufeff \t\r\n") and not text.endswith("\n") else ""
        text = f"{text}{gap}{{}}\n"
    for length in range(len(path) + 1):
        kind = last if length == len(path) and length else dict
        node = jsontext.find(jsontext.parse(text, dialect), path[:length])
        if node is None:
            text = jsontext.added(text, path[: length - 1], path[length - 1], kind(), dialect)
            made.append(list(path[:length]))
        elif node.kind != ("array" if kind is list else "object"):
            name = ".".join(path[:length]) or "the whole"
            raise FileUnusable(f"{name} in it isn't {'a list' if kind is list else 'an object'}", "Correct it first.")
    return text, made


def without_containers(text: str, paths: Sequence[Sequence[str]], made: Made | None, dialect: Dialect) -> str:
    """The text without those containers along the paths that are empty and were made (any, where nobody knows)."""
    for whole in paths:
        for length in range(len(whole), 0, -1):
            path = list(whole[:length])
            root = jsontext.parse(text, dialect)
            node, parent = jsontext.find(root, path), jsontext.find(root, path[:-1])
            if parent is None or [element.name for element in parent.elements].count(path[-1]) > 1:
                break  # one of the same name before it would count from then on
            if node is None or node.elements or node.kind == "scalar" or (made is not None and path not in made):
                break
            if text[node.start + 1 : node.end - 1].strip():  # a comment is something too
                break
            text = jsontext.removed(text, path, dialect)
    return text
