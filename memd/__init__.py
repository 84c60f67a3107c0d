"""memd: a local memory for coding agents.

``from memd import Memory`` opens a store in this process; the ``memd`` command and the daemon offer
the same verbs. Nothing heavy is imported until the first use, because the command line's fast path
passes through here: even ``typing`` costs as much as all else a piped recall imports.
"""

TYPE_CHECKING = False  # what type checkers take for true, as typing's own would be

__version__ = "0.1.0"
__all__ = ["Memory", "__version__"]

if TYPE_CHECKING:
    from memd.api import Memory


def __getattr__(name: str) -> object:
    if name == "Memory":
        from memd.api import Memory

        return Memory
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
