"""The entry of the ``memd`` command: the fast way or Typer's, and a clean end whatever happens."""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED = 130  # 128 + SIGINT, as shells say it
PIPE_CLOSED = 141  # 128 + SIGPIPE
FAILED = 3


def main(argv: "Sequence[str] | None" = None) -> int:
    """Run one command line; the exit code.

    0 done, 1 nothing found, 2 wrong use, 3 the store or the daemon can't serve. No exception leaves.
    """
    _open_standard_streams()
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if words[:1] == ["hook"]:
            from memd_cli.hook import run

            if (done := run(words[1:])) is not None:
                return done
        code = _run(words)
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = _interrupted()
    except BrokenPipeError:
        _silence()
        code = PIPE_CLOSED
    except OSError as error:
        _silence()
        code = _failed(error)
    except Exception as error:
        code = _bug(error, words)
    return code


def _run(words: "list[str]") -> int:
    if "_MEMD_COMPLETE" not in os.environ:
        from memd_cli.fast import run

        code = run(words, sys.stdout.isatty())
        if code is not None:
            return code
    from memd_cli.app import run as run_app

    return run_app(words)


def _open_standard_streams() -> None:
    """Give closed standard streams somewhere to go, so that no socket or file takes their number."""
    if sys.stdin is not None and sys.stdout is not None and sys.stderr is not None:
        return
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            setattr(sys, name, open(number, "r" if number == 0 else "w", encoding="utf-8"))  # noqa: SIM115


def _silence() -> None:
    """Standard output is gone: let the interpreter's last flush go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _interrupted() -> int:
    _silence()
    if sys.stderr.isatty():
        sys.stderr.write("\n")
    return INTERRUPTED


def _failed(error: OSError) -> int:
    """What the system refused: a file by its name, else the output itself."""
    from memd_cli.session import complain

    what = error.filename if isinstance(error.filename, str) else "the output can't be written"
    complain("memd", f"{what}: {error.strerror or error}", "Check the disk, and the permissions.")
    return FAILED


def _bug(error: Exception, words: "list[str]") -> int:
    """An error that memd didn't expect: said in a line, the traceback only for who asks (MEMD_DEBUG)."""
    if os.environ.get("MEMD_DEBUG"):
        import traceback

        traceback.print_exc()
    from memd.errors import MemdError
    from memd_cli.session import Session, fail

    told = MemdError(
        f"this is a bug in memd ({type(error).__name__}: {error})",
        "Run it again with MEMD_DEBUG=1 and report what it prints.",
    )
    return fail(Session(words[0] if words else "", {"json": "--json" in words}), told)


if __name__ == "__main__":
    sys.exit(main())
