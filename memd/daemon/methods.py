"""What the daemon can be asked: each method's parameters, and how `Memory` answers it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec

from memd import __version__
from memd.agents import context
from memd.agents.hooks import SessionReader
from memd.api import Memory
from memd.daemon import hooking, watching
from memd.daemon import protocol as p
from memd.daemon.footprint import peak_resident_bytes, resident_bytes, trim
from memd.errors import MemdError
from memd.ingest.watcher import Watcher
from memd.model import (
    Audit,
    ConflictsFound,
    ContextBlock,
    EncoderInfo,
    GistsFound,
    History,
    LifecycleStatus,
    Maintenance,
    Purge,
    Query,
    Recollection,
    Stats,
    Superseded,
    Task,
    TaskTree,
)
from memd.store import memories
from memd.store.validation import check_scope

WAITERS = 32  # connections that may wait for vectors; others hear soon how many are missing, and may ask again
_WAIT_SLICE = 0.5  # seconds: how soon a waiting request notices that the daemon stops


class NoSuchMethod(MemdError):
    """The method isn't one of ours."""

    code = "protocol"
    exit_code = 2


class Traffic:
    """Counts of one server, changed by its threads under their own lock."""

    def __init__(self) -> None:
        self.connections = 0
        self.requests = 0
        self.last_request = time.monotonic()


class Methods:
    """The table of methods over one open `Memory`.

    Args:
        memory: the open store.
        home: the data folder, as `hello` and `status` name it.
        traffic: the server's counts, for `status`.
        stop: set by `shutdown`, and by the process when it ends; waiting requests return early.
        watcher: keeps up with notes; None in a process that doesn't.
        reader: answers agents' hooks, and reads their transcripts; None in a process that doesn't.
    """

    def __init__(
        self,
        memory: Memory,
        home: str,
        traffic: Traffic,
        stop: threading.Event,
        watcher: Watcher | None = None,
        reader: SessionReader | None = None,
    ) -> None:
        self._memory = memory
        self._home = home
        self._traffic = traffic
        self._stop = stop
        self._started = time.monotonic()
        self._waiters = threading.BoundedSemaphore(WAITERS)
        self._table: dict[str, tuple[type[msgspec.Struct], Callable[[Any], msgspec.Struct]]] = {
            "remember": (p.RememberParams, self._remember),
            "recall": (Query, self._recall),
            "show": (p.ShowParams, self._show),
            "list": (p.ListParams, self._list),
            "forget": (p.ForgetParams, self._forget),
            "purge": (p.PurgeParams, self._purge),
            "restore": (p.ShowParams, self._restore),
            "tag": (p.TagParams, self._tag),
            "supersede": (p.SupersedeParams, self._supersede),
            "history": (p.HistoryParams, self._history),
            "audit": (p.AuditParams, self._audit),
            "conflicts": (p.ConflictsParams, self._conflicts),
            "gists": (p.GistsParams, self._gists),
            "resolve": (p.ResolveParams, self._resolve),
            "context": (p.ContextParams, self._context),
            "task_start": (p.TaskAddParams, self._task_start),
            "task_step": (p.TaskAddParams, self._task_step),
            "task_done": (p.TaskDoneParams, self._task_done),
            "task_drop": (p.TaskDropParams, self._task_drop),
            "task_block": (p.TaskBlockParams, self._task_block),
            "task_open": (p.TaskOpenParams, self._task_open),
            "task_list": (p.TaskListParams, self._task_list),
            "use": (p.HelpedParams, self._use),
            "pin": (p.PinParams, self._pin),
            "lifecycle": (p.LifecycleParams, self._lifecycle),
            "maintain": (p.MaintainParams, self._maintain),
            "stats": (p.Nothing, self._stats),
            "status": (p.Nothing, self._status),
            "unlock": (p.UnlockParams, self._unlock),
            "wait_encoded": (p.WaitParams, self._wait_encoded),
            "take_in": (p.TakeInParams, self._take_in),
            "encoder": (p.Nothing, self._encoder),
            "use_encoder": (p.UseParams, self._use_encoder),
            "reindex": (p.ReindexParams, self._reindex),
            **watching.table(memory, watcher),
            **hooking.table(memory, reader),
        }

    def greeting(self) -> p.Greeting:
        """The result of `hello`."""
        return p.Greeting(__version__, p.PROTOCOL, self._home, os.getpid())

    def name(self, method: str) -> str:
        """The method's name where it is one of ours; what others send is not repeated in logs."""
        return method if method in self._table or method == "hello" else "unknown method"

    def answer(self, method: str, params: msgspec.Raw) -> msgspec.Struct:
        """Carry out one request.

        Raises:
            NoSuchMethod: there is none of that name.
            BadInput: the parameters don't fit.
            MemdError: whatever `Memory` raises.
        """
        try:
            kind, act = self._table[method]
        except KeyError:
            raise NoSuchMethod(f"no method {method[:60]!r}", f"one of {', '.join(self._table)}") from None
        return act(p.read_params(params, kind))

    def _remember(self, params: p.RememberParams) -> p.RememberResult:
        remembered = self._memory.remember_many(params.items, restate=params.restate)
        return p.RememberResult(remembered, self._memory.degraded)

    def _recall(self, query: Query) -> Recollection:
        return self._memory.ask(query)

    def _show(self, params: p.ShowParams) -> p.ShowResult:
        found, size = [], 0
        for id_ in params.ids:
            found.append(self._memory.show(id_))
            size += len(found[-1].text)
            if size > memories.AT_ONCE:
                raise memories.too_long()
        lives = [memory.id for memory in found if not memory.members]  # a gist is as alive as its members
        return p.ShowResult(found, self._memory.lifecycle.vitality(lives))

    def _list(self, params: p.ListParams) -> p.ListResult:
        paging = msgspec.structs.asdict(params)
        filters = {name: value for name, value in paging.items() if name not in ("limit", "before")}
        return p.ListResult(self._memory.list(**paging), self._memory.count(**filters))

    def _forget(self, params: p.ForgetParams) -> p.MemoriesResult:
        return p.MemoriesResult(self._memory.forget(params.ids, dry_run=params.dry_run))

    def _purge(self, params: p.PurgeParams) -> Purge:
        if not params.ids:
            return self._memory.purges.finish()
        done = self._memory.purge(params.ids, dry_run=params.dry_run)
        trim()  # writing the file anew took as much memory
        return done

    def _restore(self, params: p.ShowParams) -> p.MemoriesResult:
        return p.MemoriesResult(self._memory.restore(params.ids))

    def _tag(self, params: p.TagParams) -> p.MemoriesResult:
        return p.MemoriesResult(self._memory.tag(params.ids, add=params.add, remove=params.remove))

    def _supersede(self, params: p.SupersedeParams) -> Superseded:
        given = {name: value for name, value in msgspec.structs.asdict(params).items() if value is not None}
        return self._memory.supersede(given.pop("old"), **given)

    def _history(self, params: p.HistoryParams) -> History:
        return self._memory.history(params.id)

    def _context(self, params: p.ContextParams) -> ContextBlock:
        return context.build(self._memory, params.scope, params.budget, session=params.session)

    def _task_start(self, params: p.TaskAddParams) -> Task:
        return self._memory.tasks.start(**msgspec.structs.asdict(params))

    def _task_step(self, params: p.TaskAddParams) -> Task:
        return self._memory.tasks.step(**msgspec.structs.asdict(params))

    def _task_done(self, params: p.TaskDoneParams) -> Task:
        return self._memory.tasks.done(**msgspec.structs.asdict(params))

    def _task_drop(self, params: p.TaskDropParams) -> Task:
        return self._memory.tasks.drop(**msgspec.structs.asdict(params))

    def _task_block(self, params: p.TaskBlockParams) -> Task:
        return self._memory.tasks.block(**msgspec.structs.asdict(params))

    def _task_open(self, params: p.TaskOpenParams) -> Task:
        return self._memory.tasks.open(**msgspec.structs.asdict(params))

    def _task_list(self, params: p.TaskListParams) -> TaskTree:
        return self._memory.tasks.list(**msgspec.structs.asdict(params))

    def _use(self, params: p.HelpedParams) -> p.LivesResult:
        return p.LivesResult(self._memory.use(**msgspec.structs.asdict(params)))

    def _pin(self, params: p.PinParams) -> p.LivesResult:
        return p.LivesResult(self._memory.lifecycle.pin(params.ids, pinned=params.pinned))

    def _lifecycle(self, params: p.LifecycleParams) -> LifecycleStatus:
        return self._memory.lifecycle.status(now=params.now)

    def _maintain(self, params: p.MaintainParams) -> Maintenance:
        return self._memory.lifecycle.run(now=params.now, dry_run=params.dry_run, stopped=self._stop.is_set)

    def _conflicts(self, params: p.ConflictsParams) -> ConflictsFound:
        return self._memory.conflicts(scope=params.scope, limit=params.limit)

    def _gists(self, params: p.GistsParams) -> GistsFound:
        return self._memory.gists(scope=params.scope, limit=params.limit)

    def _resolve(self, params: p.ResolveParams) -> p.MemoriesResult:
        return p.MemoriesResult(self._memory.resolve(params.keep, params.other, both=params.both, why=params.why))

    def _audit(self, params: p.AuditParams) -> Audit:
        return self._memory.audit(params.number, params.link)

    def _stats(self, _: p.Nothing) -> Stats:
        return self._memory.stats()

    def _status(self, _: p.Nothing) -> p.Status:
        stats = self._memory.stats()
        return p.Status(
            pid=os.getpid(),
            version=__version__,
            protocol=p.PROTOCOL,
            home=self._home,
            uptime_s=time.monotonic() - self._started,
            rss_bytes=resident_bytes(),
            peak_rss_bytes=peak_resident_bytes(),
            connections=self._traffic.connections,
            requests=self._traffic.requests,
            pending=stats.pending,
            encoder=stats.encoder,
            degraded=self._memory.degraded,
            encryption=self._memory.store.encryption,
        )

    def _unlock(self, _: p.UnlockParams) -> p.UnlockResult:
        return p.UnlockResult(encryption=self._memory.store.encryption)  # it is open

    def _wait_encoded(self, params: p.WaitParams) -> p.WaitResult:
        may_stay = self._waiters.acquire(blocking=False)
        seconds = min(max(params.timeout_s, 0.0), p.MAX_WAIT if may_stay else _WAIT_SLICE)
        deadline = time.monotonic() + seconds
        try:
            while not self._memory.wait_encoded(min(_WAIT_SLICE, max(0.0, deadline - time.monotonic()))):
                if self._stop.is_set() or self._memory.degraded or time.monotonic() >= deadline:
                    break
        finally:
            if may_stay:
                self._waiters.release()
        return p.WaitResult(self._memory.pending())

    def _take_in(self, params: p.TakeInParams) -> p.TakeInResult:
        from memd.exchange import checking

        lines = [checking.record(line) for line in params.lines]
        for scope in params.scopes.values():
            check_scope(scope)
        report = self._memory.taker.take(lines, params.origin, params.scopes, last=params.last)
        return p.TakeInResult(report, self._memory.degraded)

    def _encoder(self, _: p.Nothing) -> EncoderInfo:
        return self._memory.encoder_info()

    def _use_encoder(self, params: p.UseParams) -> EncoderInfo:
        info = self._memory.use_encoder(params.name)
        trim()  # the one before took as much
        return info

    def _reindex(self, params: p.ReindexParams) -> EncoderInfo:
        return self._memory.reindex(every=params.every)
