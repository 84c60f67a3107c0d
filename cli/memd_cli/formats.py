"""What each command prints with ``--json``, as types: ``schemas/`` is generated from here.

Every command prints one object: ``ok``, ``command``, then ``data`` or ``error``, ``degraded`` and ``took_ms``.
``ok`` says that the command was carried out; a recall that found nothing is ok, and exits with 1.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from memd.daemon.protocol import (
    ListResult,
    LivesResult,
    MemoriesResult,
    ShowResult,
    Status,
)
from memd.daemon.watching import UnwatchResult, WatchListResult, WatchResult, WatchStatusResult
from memd.exchange import lines
from memd.exchange.records import Report
from memd.exchange.signing import Judgement
from memd.model import (
    Audit,
    ConflictsFound,
    ContextBlock,
    EncoderInfo,
    GistsFound,
    History,
    LifecycleStatus,
    Maintenance,
    NewMemory,
    Purge,
    Recollection,
    Remembered,
    Repair,
    Soundness,
    Stats,
    StoredMemory,
    Superseded,
    Task,
    TaskTree,
)
from memd.store.backups import Backup
from memd.store.cipher import Encryption


class Error(msgspec.Struct, frozen=True):
    """What went wrong: a stable name for programs, a sentence for people, what to do next (may be empty)."""

    code: str
    message: str
    hint: str


class Failure(msgspec.Struct, frozen=True):
    """The object of a command that could not be carried out. Exit codes 1 (no such memory), 2 and 3."""

    ok: Literal[False]
    command: str
    error: Error
    degraded: list[str]
    took_ms: float


class RememberData(msgspec.Struct, frozen=True):
    """One for each text, in order."""

    remembered: list[Remembered]


class ForgetData(msgspec.Struct, frozen=True):
    """The memories as they now are, or with `dry_run` as they would go."""

    memories: list[StoredMemory]
    dry_run: bool


class Skipped(msgspec.Struct, frozen=True):
    """A file that was passed over."""

    path: str
    why: str


class IngestData(msgspec.Struct, frozen=True):
    """What was read, and what became of it.

    Attributes:
        sources: that were named.
        added: new memories.
        known: texts that were there already.
        superseded: memories of sections that say something else now.
        restored: memories that are back, their notes having their text again.
        retired: memories that no note has any more; they can be restored.
        passages: of the new memories.
        skipped: files that were passed over.
    """

    sources: list[str]
    added: int
    known: int
    superseded: int
    restored: int
    retired: int
    passages: int
    skipped: list[Skipped]


class Check(msgspec.Struct, frozen=True):
    """One line of the doctor's."""

    name: str
    status: Literal["ok", "warning", "failed"]
    finding: str
    hint: str


class DoctorData(msgspec.Struct, frozen=True):
    """All checks, and how many aren't well."""

    checks: list[Check]
    failed: int
    warnings: int


class Setting(msgspec.Struct, frozen=True):
    """A setting, and where its value comes from: `default`, `file` or the name of a variable."""

    name: str
    value: str | int | float | bool
    default: str | int | float | bool
    origin: str = msgspec.field(name="from")


class ConfigData(msgspec.Struct, frozen=True):
    """Paths by name, and the settings."""

    paths: dict[str, str]
    settings: list[Setting]


class CompletionData(msgspec.Struct, frozen=True):
    """The script, or where it was installed."""

    shell: str
    path: str
    script: str


class Running(Status, frozen=True, kw_only=True):
    """A daemon that answers."""

    running: Literal[True]
    socket: str


class NotRunning(msgspec.Struct, frozen=True):
    """No daemon."""

    running: Literal[False]
    home: str


class StoppedData(msgspec.Struct, frozen=True):
    """`stopped` is false where none ran."""

    running: Literal[False]
    stopped: bool


class LogsData(msgspec.Struct, frozen=True):
    """The last lines of the log."""

    path: str
    lines: list[str]


class ServiceData(msgspec.Struct, frozen=True):
    """The unit file that was written or removed."""

    path: str


class Difference(msgspec.Struct, frozen=True):
    """A row's figure less memd's, question by question: the mean and its 95 % interval, in percentage points."""

    mean: float
    low: float
    high: float


class BenchPart(msgspec.Struct, frozen=True, kw_only=True):
    """Figures by row and name (`R@1`, `MRR`, …) over some questions: percentages, their 95 % intervals, and the
    differences to the row `memd`."""

    rows: dict[str, dict[str, float]]
    intervals: dict[str, dict[str, tuple[float, float]]]
    differences: dict[str, dict[str, Difference]]


class BenchCategory(BenchPart, frozen=True, kw_only=True):
    """The same over the questions of one category."""

    questions: int


class Unanswerable(msgspec.Struct, frozen=True):
    """What came of the questions that nothing answers: `answered` is the percentage that got a hit, by row."""

    questions: int
    rows: dict[str, dict[str, float]]


class Abstention(msgspec.Struct, frozen=True):
    """Percent of answerable questions left without a hit, and of unanswerable ones given one."""

    lost: float
    false: float


class AbstentionAt(msgspec.Struct, frozen=True):
    """The same, if recall were silent where it thinks an answer less probable than `threshold`."""

    threshold: float
    lost: float
    false: float


class AbstentionData(msgspec.Struct, frozen=True):
    """A run of the abstention bench: how many questions of each kind, what recall does by default, the curve."""

    own: int
    foreign: int
    default: Abstention
    curve: list[AbstentionAt]


class GistShare(msgspec.Struct, frozen=True):
    """Percent of the right memories that anything is shown of, and of their text that is shown."""

    named: float
    text: float


class GistDifference(msgspec.Struct, frozen=True):
    """What gists change of the text that is shown, with its 95 % bootstrap interval over questions."""

    mean: float
    low: float
    high: float


class GistBudget(msgspec.Struct, frozen=True):
    """What is shown within a budget of tokens."""

    without: GistShare
    gists: GistShare
    difference: GistDifference


class GistsData(msgspec.Struct, frozen=True):
    """A run of the gist bench, by budgets in tokens."""

    questions: int
    memories: int
    gists: int
    budgets: dict[str, GistBudget]


class CodeFigures(msgspec.Struct, frozen=True):
    """Codes of so many bits: bytes a vector, of its signs beside it, cosine to it (mean, least), 1 - cosine²."""

    bytes: int
    sign_bytes: int
    cosine: float
    least_cosine: float
    distortion: float


class FadedPart(msgspec.Struct, frozen=True):
    """Tiers that the lifecycle chose, percent of passages, and what each row's ranking of them keeps of float32's."""

    tiers: dict[str, float]
    recall: dict[str, float] = msgspec.field(name="recall@10")


class QuantizationData(msgspec.Struct, frozen=True):
    """A run of the quantization bench. `codes`, and the figures of each of the `rows`, go by bits; `whole` has the
    figures of whole recalls (32: as it is; 8, 4, 1: half of the store at so many bits; and by the lifecycle)."""

    format: str
    file: str
    version: str
    seed: int
    draws: int
    memories: int
    passages: int
    questions: int
    dimension: int
    codes: dict[str, CodeFigures]
    rows: dict[str, dict[str, dict[str, float]]]
    lifecycle: FadedPart
    whole: dict[str, dict[str, float]]


class BenchData(BenchPart, frozen=True, kw_only=True):
    """A run of the bench. Its rows also have `answered` (percentage of questions with a hit), `query_ms` (median)
    and `bytes_per_memory`."""

    format: str
    file: str
    level: Literal["turn", "session"]
    version: str
    seed: int
    collections: int
    memories: int
    questions: int
    categories: dict[str, BenchCategory]
    unanswerable: Unanswerable | None = None


class ComparedRun(msgspec.Struct, frozen=True):
    """One side of a comparison: the folder of a run and the row of it."""

    path: str
    row: str


class ComparedFigure(msgspec.Struct, frozen=True):
    """A figure on both sides, and the change with its paired 95 % interval. Percent."""

    a: float
    b: float
    change: float
    low: float
    high: float


class ComparedGold(msgspec.Struct, frozen=True):
    """What answers a question, and its rank on both sides (from 1)."""

    key: str
    a: int | None
    b: int | None
    text: str


class ComparedHit(msgspec.Struct, frozen=True):
    """One of the first of a ranking."""

    key: str
    text: str
    gold: bool


class ComparedQuestion(msgspec.Struct, frozen=True):
    """A question that changed: its figure on both sides, and what stands first there."""

    collection: str
    question: str
    text: str
    category: str
    a: float
    b: float
    gold: list[ComparedGold]
    a_first: list[ComparedHit]
    b_first: list[ComparedHit]


class ComparedQuestions(msgspec.Struct, frozen=True):
    """How many changed this way, and those that changed most."""

    count: int
    questions: list[ComparedQuestion]


class CompareData(msgspec.Struct, frozen=True):
    """Two runs over the questions that both asked; `only_a` and `only_b` count the others."""

    a: ComparedRun
    b: ComparedRun
    level: Literal["turn", "session"]
    figure: str
    questions: int
    only_a: int
    only_b: int
    figures: dict[str, ComparedFigure]
    better: ComparedQuestions
    worse: ComparedQuestions
    same: int


class Spread(msgspec.Struct, frozen=True):
    """Percentiles of milliseconds."""

    p50: float
    p95: float
    p99: float


class LatencyDaemon(msgspec.Struct, frozen=True):
    """Round trips to a real daemon, and its resident memory after them and at most."""

    recall: Spread
    resident_bytes: int
    peak_bytes: int


class LatencyDisk(msgspec.Struct, frozen=True):
    """The size of the store's file."""

    bytes: int
    per_memory: float


class LatencyData(msgspec.Struct, frozen=True, kw_only=True):
    """Recalls in this process, as a whole and by stage; `encoder` encoded the same questions in turn.

    `ratio` is recall's p50 over the encoder's, `tail` recall's p95 over its p50. `ingest` holds memories a second:
    `stored`, `encoded`, both (`ingested`) and the `encoder` alone; null where the store was made in several runs.
    """

    version: str
    corpus: str
    seed: int
    memories: int
    passages: int
    questions: int
    open_ms: float
    first_recall_ms: float
    recall: Spread
    stages: dict[str, Spread]
    encoder: Spread | None = None
    ratio: float | None = None
    tail: float | None = None
    daemon: LatencyDaemon | None
    ingest: dict[str, float] | None
    disk: LatencyDisk


class ForgettingRow(msgspec.Struct, frozen=True):
    """A score: its mean AUC over checkpoints, and the calibration error of its probabilities, where it gives any."""

    auc: float
    calibration_error: float | None


class ForgettingMonth(msgspec.Struct, frozen=True):
    """After a month's pass: memories by tier, bytes of their vectors, and how many of those needed within the next
    30 days are active or warm (`at_hand`)."""

    day: float
    memories: int
    tiers: dict[str, int]
    bytes: int
    float_bytes: int
    share: float
    needed: int
    at_hand: int


class ForgettingYear(msgspec.Struct, frozen=True):
    """A year of the trace, lived through by a store. Texts are counted at its end."""

    from_day: float
    to_day: float
    memories: int
    months: list[ForgettingMonth]
    bytes_share: float
    needed_at_hand: float | None
    texts_whole: int
    texts_found: int


class ForgettingData(msgspec.Struct, frozen=True):
    """A run of the forgetting bench."""

    file: str
    items: int
    uses: int
    checkpoints: int
    rows: dict[str, ForgettingRow]
    year: ForgettingYear | None


class ListedEncoder(msgspec.Struct, frozen=True):
    """An encoder of the library. Where `trouble` says what is wrong with its files, the rest is empty or 0."""

    name: str
    in_use: bool
    fingerprint: str
    dimension: int
    tokens: bool
    max_tokens: int
    bytes: int
    folder: str
    trouble: str


class ModelListData(msgspec.Struct, frozen=True):
    """The built-in one, then those that were added."""

    encoders: list[ListedEncoder]


class ModelAddData(msgspec.Struct, frozen=True):
    """What was added; `known` when the same one was there under this name."""

    encoder: ListedEncoder
    known: bool


# Command → what stands under `data`. A tuple is one or the other.
class EditedFile(msgspec.Struct, frozen=True):
    """A file of an agent: what was done to it, where the copy of how it was lies, and a unified diff, a line each."""

    path: str
    action: Literal["made", "changed", "removed", "unchanged"]
    copy: str | None
    difference: list[str]


class BackupData(msgspec.Struct, frozen=True):
    """A copy that was made and verified, and the older ones that were deleted."""

    backup: Backup
    deleted: list[str]


class BackupsData(msgspec.Struct, frozen=True):
    """The copies of a folder, the newest first."""

    backups: list[Backup]


class LeftFile(msgspec.Struct, frozen=True):
    """A copy of the store that was not written anew, and why."""

    path: str
    why: str


class EncryptionData(msgspec.Struct, frozen=True):
    """The store as it is now: what opens it, its key's name, the file that was made for that; its copies likewise."""

    encryption: Encryption
    key: str
    key_file: str
    bytes: int
    memories: int
    backups: list[str]
    left: list[LeftFile]


class UnlockData(msgspec.Struct, frozen=True):
    """What opens the store, and whether this did."""

    encryption: Encryption
    unlocked: bool


class KeyData(msgspec.Struct, frozen=True):
    """A key's name, and the file that it was written to or read from."""

    key: str
    file: str


class PutBackData(msgspec.Struct, frozen=True):
    """The copy that took the store's place, and where the store from before lies."""

    backup: Backup
    replaced: str | None


class InstallData(msgspec.Struct, frozen=True):
    """What was done to an agent's files, or with `dry_run` would be; and what is left to do, a sentence each."""

    agent: str
    title: str
    scope: Literal["user", "project"]
    dry_run: bool
    files: list[EditedFile]
    next: list[str]


class FoundAgent(msgspec.Struct, frozen=True):
    """An agent that memd knows: whether it is on this machine, and for which scopes memd stands in its files."""

    name: str
    title: str
    there: bool
    installed: list[Literal["user", "project"]]
    trouble: str


class AgentsData(msgspec.Struct, frozen=True):
    """Every agent that memd knows."""

    agents: list[FoundAgent]


class Signer(msgspec.Struct, frozen=True):
    """Who signed an export."""

    name: str
    fingerprint: str


class ExportData(msgspec.Struct, frozen=True):
    """What was written: lines by type; where the memories are from; what was asked for."""

    path: str
    bytes: int
    origin: lines.Store
    selection: lines.Selection
    counts: dict[str, int]
    signer: Signer | None


class ImportData(Report, frozen=True, kw_only=True):
    """What came of an import: whose file it was (`memd`, or another tool), and who signed it.

    `scopes`: of another tool's memories, how many are of which scope.
    """

    from_: str = msgspec.field(name="from")
    signed: Judgement | None
    scopes: dict[str, int]


DATA: dict[str, tuple[type, ...]] = {
    "remember": (RememberData,),
    "recall": (Recollection,),
    "show": (ShowResult,),
    "list": (ListResult,),
    "forget": (ForgetData, Purge),
    "restore": (MemoriesResult, PutBackData),
    "tag": (MemoriesResult,),
    "supersede": (Superseded,),
    "history": (History,),
    "audit": (Audit,),
    "export": (ExportData,),
    "import": (ImportData,),
    "conflicts": (ConflictsFound,),
    "resolve": (MemoriesResult,),
    "gists": (GistsFound,),
    "ingest": (IngestData,),
    "watch add": (WatchResult,),
    "watch remove": (UnwatchResult,),
    "watch list": (WatchListResult,),
    "watch status": (WatchStatusResult,),
    "stats": (Stats, LifecycleStatus),
    "check": (Soundness,),
    "backup": (BackupData,),
    "backup list": (BackupsData,),
    "repair": (Repair,),
    "encrypt": (EncryptionData,),
    "decrypt": (EncryptionData,),
    "rekey": (EncryptionData,),
    "unlock": (UnlockData,),
    "key export": (KeyData,),
    "key import": (KeyData,),
    "use": (LivesResult,),
    "pin": (LivesResult,),
    "unpin": (LivesResult,),
    "lifecycle status": (LifecycleStatus,),
    "lifecycle run": (Maintenance,),
    "context": (ContextBlock,),
    "task start": (Task,),
    "task step": (Task,),
    "task done": (Task,),
    "task drop": (Task,),
    "task block": (Task,),
    "task open": (Task,),
    "task list": (TaskTree,),
    "model info": (EncoderInfo,),
    "model list": (ModelListData,),
    "model use": (EncoderInfo,),
    "model add": (ModelAddData,),
    "reindex": (EncoderInfo,),
    "doctor": (DoctorData,),
    "install": (InstallData, AgentsData),
    "uninstall": (InstallData,),
    "config": (ConfigData,),
    "config get": (ConfigData,),
    "config set": (ConfigData,),
    "config unset": (ConfigData,),
    "completion": (CompletionData,),
    "daemon start": (Running,),
    "daemon restart": (Running,),
    "daemon status": (Running, NotRunning),
    "daemon stop": (StoppedData,),
    "daemon logs": (LogsData,),
    "service install": (ServiceData,),
    "service uninstall": (ServiceData,),
    "bench abstention": (AbstentionData,),
    "bench quantization": (QuantizationData,),
    "bench recall": (BenchData,),
    "bench gists": (GistsData,),
    "bench compare": (CompareData,),
    "bench latency": (LatencyData,),
    "bench forgetting": (ForgettingData,),
}
# What is read: one line of `remember --jsonl`, one line of an export.
LINES: dict[str, Any] = {"remember-line": NewMemory, "export-line": lines.AnyLine}
