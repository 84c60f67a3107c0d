"""``python -m memd.daemon``: the daemon in the foreground; ``--detach`` (used by clients) in the background."""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memd.errors import MemdError


def main() -> int:
    """Be the daemon; returns the exit code."""
    detached = sys.argv[1:] == ["--detach"]
    if sys.argv[1:] and not detached:
        print("usage: python -m memd.daemon [--detach]", file=sys.stderr)
        return 2
    if detached and os.fork():  # before anything is imported or threaded; the child belongs to nobody who waits
        os._exit(0)
    # Recall's matrix products are small: a second BLAS thread costs more in waiting than it saves, by far when the
    # cores are busy. Read when NumPy loads (OpenBLAS on Linux, Accelerate on macOS).
    for threads in ("OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
        os.environ.setdefault(threads, "1")
    from memd import errors
    from memd.daemon.wire import dumps, error_data

    try:
        return _serve(detached)
    except errors.MemdError as error:
        failure = error
    except OSError as error:
        failure = _failure(error)
    if detached:
        sys.stderr.write(dumps({"error": error_data(failure)}) + "\n")
    else:
        sys.stderr.write(f"memd: {failure.message}\n" + (f"  {failure.hint}\n" if failure.hint else ""))
    return failure.exit_code


def _failure(error: OSError) -> "MemdError":
    """What the operating system refused, with what to do about it."""
    from errno import EDQUOT, EMFILE, ENFILE, ENOSPC

    from memd.errors import StoreFull, StoreUnusable

    if error.errno in (ENOSPC, EDQUOT):
        hint = "free some disk space and try again; everything acknowledged so far is safe"
        return StoreFull("the disk is full: the daemon can't start", hint)
    hint = "close some programs, or raise `ulimit -n`" if error.errno in (EMFILE, ENFILE) else "see `memd doctor`"
    return StoreUnusable(f"the daemon can't work here ({error})", hint)


def _serve(detached: bool) -> int:
    from memd.config import Config
    from memd.daemon.process import serve

    config = Config.load()

    def announce() -> None:
        if detached:
            sys.stderr.write('{"ready":true}\n')
            sys.stderr.flush()
            nothing = os.open(os.devnull, os.O_RDWR)
            os.dup2(nothing, 2)  # ends the wait of the client that started us
            os.close(nothing)

    if not serve(config, announce, detached=detached) and not detached:
        sys.stderr.write(f"memd: a daemon answers for {config.home} already\n  see `memd daemon status`\n")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
