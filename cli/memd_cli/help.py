"""How help texts are put together: every command's examples in one form, and no noise in the tables."""

from __future__ import annotations

from typing import Any

from rich.markup import escape


def examples(*lines: str) -> str:
    """Command lines as an epilog in rich's markup; what follows two spaces and a ``#`` is dimmed."""
    told = []
    for line in lines:
        command, mark, note = line.partition("  # ")
        told.append(f"  [green]{escape(command)}[/]" + (f"  [dim]# {escape(note)}[/]" if mark else ""))
    return "\n[bold]Examples[/]\n\n" + "\n".join(told)


def tidy(command: Any, parent: Any = None) -> Any:
    """A Typer command and all below it, with nothing said twice in its help.

    Typer's tables give every flag the type ``<bool>`` and every list of words ``<list[str]>``; and the options
    that print a completion script stand in `memd completion`.
    """
    for param in command.params:
        param.hidden = getattr(param, "hidden", False) or param.name in ("install_completion", "show_completion")
        if getattr(param, "is_flag", False):
            param.metavar = ""
        elif param.param_type_name == "argument":
            param.display_type_rich = _no_type
    context = command.make_context(command.name, [], parent=parent, resilient_parsing=True)
    command.get_help_option(context).metavar = ""
    for below in getattr(command, "commands", {}).values():
        tidy(below, context)
    return command


def _no_type(ctx: object) -> str:
    return ""
