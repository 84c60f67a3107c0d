"""What changes memories after they were stored: forget, restore, tag."""

from __future__ import annotations

import sys
from typing import Any

from memd.errors import BadInput
from memd_cli.session import Session, is_terminal
from memd_cli.verbs import Outcome, ids


def forget(session: Session) -> Outcome:
    """Forget memories, asking first unless told not to; undone by `restore`."""
    options = session.options
    wanted = ids(session)
    if options["dry_run"] or not options["yes"]:
        found = session.door.call("forget", {"ids": wanted, "dry_run": True})
        if options["dry_run"]:
            return Outcome({"memories": found["memories"], "dry_run": True})
        if not _agreed(session, found["memories"]):
            return Outcome({"memories": [], "dry_run": False})
        wanted = [memory["id"] for memory in found["memories"]]  # what was shown, whatever came since
    done = session.door.call("forget", {"ids": wanted})
    return Outcome({"memories": done["memories"], "dry_run": False})


def _agreed(session: Session, memories: list[dict[str, Any]]) -> bool:
    """Ask the person at the terminal. Raises BadInput where there is none."""
    if session.json or not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        raise BadInput(
            "There is nobody to ask", "Say --yes to forget without a question, or --dry-run to see what would go."
        )
    from memd_cli.render import ask_to_forget

    return ask_to_forget(memories)


def restore(session: Session) -> Outcome:
    """Bring forgotten memories back."""
    return Outcome(session.door.call("restore", {"ids": ids(session)}))


def tag(session: Session) -> Outcome:
    """Put tags on and take tags off."""
    options = session.options
    if not options["add"] and not options["remove"]:
        raise BadInput("No tag was given", "Use --add TAG or --remove TAG.")
    params = {"ids": ids(session), "add": options["add"], "remove": options["remove"]}
    return Outcome(session.door.call("tag", params))
