"""How a watch learns of changes: the system's events through watchdog, or its polling observer where those fail."""

from __future__ import annotations

import errno
import logging
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from memd.ingest.files import may_enter

if TYPE_CHECKING:
    from watchdog.events import FileSystemEventHandler
    from watchdog.observers.api import BaseObserver, ObservedWatch

log = logging.getLogger(__name__)

POLL_S = 1.0  # the shortest time between two looks
SHARE = 150  # a look that takes t seconds is taken every SHARE·t: polling stays under one per cent of a core

REMOTE = frozenset(
    {"nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "9p", "afs", "afpfs", "ceph", "glusterfs", "lustre", "gpfs",
     "beegfs", "webdav", "davfs", "vboxsf", "vmhgfs", "prl_fs", "virtiofs", "drvfs", "fuse.sshfs", "fuse.rclone",
     "fuse.s3fs", "fuse.gcsfuse", "fuse.davfs2", "fuse.vmhgfs-fuse", "fuse.grpcfuse", "osxfuse", "macfuse"}
)  # fmt: skip
"""File systems whose changes are made elsewhere too, of which this system's kernel says nothing."""


class OnChange(Protocol):
    """Told of a change: the path, where it was moved to if it was, and whether its writer is done with it.

    A folder's writer is always done; of a folder it is also said that it is one.
    """

    def __call__(self, path: str, moved_to: str | None, *, closed: bool, folder: bool) -> None: ...


class Observed(NamedTuple):
    """How a path is observed, and why so; `stop` ends it."""

    by: Literal["events", "polling"]
    why: str
    stop: Callable[[], None]


def observe(path: str, on_change: OnChange, *, poll: bool = False) -> Observed:
    """Watch a folder with all below it, or a file, until told to stop.

    Args:
        path: what to watch; it is there.
        on_change: called from threads of watchdog.
        poll: don't wait for events.

    Raises:
        OSError: it can't even be polled.
    """
    folder = path if os.path.isdir(path) else os.path.dirname(path)
    why = "the watch was told to poll" if poll else _why_no_events(folder)
    if not why:
        try:
            return Observed("events", "", _by_events(folder, on_change, recursive=folder == path))
        except OSError as error:
            why = _plain(error)
            log.warning("no events for %s: %s; polling", path, why)
    return Observed("polling", why, _by_polling(folder, on_change, recursive=folder == path))


def _by_events(folder: str, on_change: OnChange, *, recursive: bool) -> Callable[[], None]:
    from watchdog.observers import Observer

    # A folder that is moved while it is being added is added twice, of which watchdog warns, and goes on.
    warnings.filterwarnings("ignore", message="Callback with id|Trying to remove callback", category=RuntimeWarning)
    observer = Observer()
    return _start(observer, folder, on_change, recursive=recursive, probe=sys.platform == "linux")


def _by_polling(folder: str, on_change: OnChange, *, recursive: bool) -> Callable[[], None]:
    from watchdog.observers.polling import PollingObserverVFS

    started = time.perf_counter()
    entries = sum(len(names) for _, _, names in os.walk(folder)) if recursive else len(os.listdir(folder))
    cost = time.perf_counter() - started + 20e-6 * entries
    observer = PollingObserverVFS(os.stat, _listdir, polling_interval=max(POLL_S, SHARE * cost))
    return _start(observer, folder, on_change, recursive=recursive)


def _start(
    observer: BaseObserver, folder: str, on_change: OnChange, *, recursive: bool, probe: bool = False
) -> Callable[[], None]:
    """Start an observer on a folder; what stops it."""

    def stop() -> None:
        with suppress(RuntimeError):  # it never started
            observer.stop()
            observer.join(5.0)

    try:
        observer.start()
        observer.schedule(_handler(on_change), folder, recursive=recursive, event_filter=_events())
        if probe:
            _probe(observer)
    except BaseException:
        stop()
        raise
    return stop


def _probe(observer: BaseObserver) -> None:
    """Raise OSError where the system has no more watches: watchdog passes over folders that it gets none for."""
    with tempfile.TemporaryDirectory(prefix="memd-") as folder:
        watch: ObservedWatch = observer.schedule(_handler(_nothing), folder, event_filter=_events())
        observer.unschedule(watch)


def _nothing(path: str, moved_to: str | None, *, closed: bool, folder: bool) -> None:
    """Of the probe's folder nothing matters."""


def _events() -> list[type]:
    """What matters; not that a file was opened and read, which we do ourselves."""
    from watchdog import events

    named = ("FileCreated", "FileModified", "FileClosed", "FileMoved", "FileDeleted", "FileAttrib")
    folders = ("DirCreated", "DirMoved", "DirDeleted", "DirAttrib")
    found = [getattr(events, f"{name}Event", None) for name in (*named, *folders)]  # the Attribs are of watchdog 7
    return [kind for kind in found if kind is not None]


def _handler(on_change: OnChange) -> FileSystemEventHandler:
    from watchdog.events import FileSystemEvent, FileSystemEventHandler

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            path, to = os.fsdecode(event.src_path), os.fsdecode(event.dest_path)
            closed = event.is_directory or event.event_type in ("closed", "moved", "attrib")
            if to:
                on_change(path, to, closed=closed, folder=event.is_directory)
            on_change(to or path, None, closed=closed, folder=event.is_directory)

    return Handler()


def _listdir(path: str | None) -> Iterator[os.DirEntry[str]]:
    """The entries of a folder, less folders without notes: they needn't be walked again and again."""
    with os.scandir(path) as entries:
        kept = [entry for entry in entries if may_enter(entry.name) or not entry.is_dir(follow_symlinks=False)]
    return iter(kept)


def _why_no_events(folder: str) -> str:
    kind = file_system(folder)
    return f"changes made elsewhere on a file system of type {kind} bring no events" if kind in REMOTE else ""


def file_system(path: str) -> str:
    """The type of the file system that a path lies on; empty where that can't be told."""
    mounts = _linux_mounts() if sys.platform == "linux" else _other_mounts()
    around = [point for point in mounts if path == point or path.startswith(point.rstrip("/") + "/")]
    return mounts[max(around, key=len)] if around else ""


def _linux_mounts() -> dict[str, str]:
    try:
        lines = Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines()
    except OSError:
        return {}
    found = {}
    for line in lines:
        fields = line.split(" ")
        if "-" in fields:  # optional fields stand before it, the type after it
            point = fields[4].replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
            found[point] = fields[fields.index("-") + 1]
    return found


def _other_mounts() -> dict[str, str]:
    """From `mount`, as macOS prints it: `//server/share on /Volumes/share (smbfs, nodev)`."""
    try:
        told = subprocess.run(["/sbin/mount"], capture_output=True, check=False, timeout=5).stdout
    except (OSError, subprocess.TimeoutExpired):
        return {}
    found = {}
    for line in told.decode("utf-8", "replace").splitlines():
        _, _, rest = line.partition(" on ")
        point, _, options = rest.rpartition(" (")
        if point:
            found[point] = options.split(",")[0].rstrip(")")
    return found


def _plain(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EMFILE, errno.ENFILE):
        return "the system gives no more inotify watches (see /proc/sys/fs/inotify)"
    return (error.strerror or str(error)).lower()
