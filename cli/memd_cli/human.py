"""Sizes, times and paths as people say them."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def size(number: float) -> str:
    """Bytes in the unit that keeps the figure short."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(number) < 1000:
            return f"{number:.0f} {unit}" if unit == "B" or number >= 100 else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def duration(seconds: float) -> str:
    """A length of time in its two largest units."""
    units = (("d", _DAY), ("h", _HOUR), ("min", _MINUTE), ("s", 1))
    parts: list[str] = []
    for name, length in units:
        count, seconds = divmod(int(seconds), length)
        if count or (name == "s" and not parts):
            parts.append(f"{count} {name}")
    return " ".join(parts[:2])


def local(text: str) -> datetime:
    """A time of the wire in the local zone."""
    return datetime.fromisoformat(text).astimezone()


def day(moment: datetime) -> str:
    """``7 May 2023``."""
    return f"{moment.day} {moment:%b} {moment.year}"


def exact(text: str) -> str:
    """A time of the wire as a local date and time of day, to the second."""
    moment = local(text)
    return f"{day(moment)}, {moment:%H:%M:%S}"


def ago(text: str, now: datetime | None = None) -> str:
    """A time of the wire as people say it: ``5 min ago``, ``yesterday``, ``7 May 2023``."""
    moment = local(text)
    now = (now or datetime.now()).astimezone()
    seconds = (now - moment).total_seconds()
    days = (now.date() - moment.date()).days
    if -_MINUTE < seconds < _MINUTE:
        return "just now"
    if 0 < seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min ago"
    if seconds > 0 and days == 0:
        return f"{int(seconds // _HOUR)} h ago"
    if days == 1:
        return "yesterday"
    if 1 < days < 14:
        return f"{days} days ago"
    if 14 <= days < 60:
        return f"{days // 7} weeks ago"
    return day(moment)


def path(text: str) -> str:
    """A path with the home folder as ``~``; any other scope as it is."""
    home = str(Path.home())
    if home != "/" and (text == home or text.startswith(home + os.sep)):
        return "~" + text[len(home) :]
    return text


def count(number: int, one: str, many: str = "") -> str:
    """``1 memory``, ``1,204 memories``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
