"""The way of scripts and hooks: read the line, ask the daemon, print. Standard library only."""

from memd_cli.arguments import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def run(argv: "Sequence[str]", terminal: bool) -> "int | None":
    """The exit code, or None where Typer must read the line or a person reads the answer.

    Args:
        argv: the command line after ``memd``.
        terminal: whether standard output is a terminal.
    """
    parsed = parse(argv)
    if parsed is None:
        return None
    command, options = parsed
    if terminal and not options["json"]:
        return None
    from memd_cli.session import Session, perform
    from memd_cli.verbs import FAST

    return perform(Session(command, options), FAST[command])
