"""Pages of a SQLite file, read past SQLite: for a file that it no longer can or will read.

After the file format's description (sqlite.org/fileformat2.html). Nothing is trusted: a page that isn't there, or isn't
what it should be, is None, and a cell that doesn't add up is left out and counted. The file is only ever read. Newer
pages that its write-ahead log has go before its own, as far as the log's checksums hold; a frame is checked by the
checksum that the frame before it has written down, so that a damaged one doesn't take those after it along.
"""

from __future__ import annotations

import hashlib
import hmac
import mmap
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

Value = int | float | str | bytes | None

PAGE_SIZE = 4096  # of every store that memd made, should the header not tell
TABLE_LEAF, TABLE_INTERIOR, INDEX_LEAF, INDEX_INTERIOR = 0x0D, 0x05, 0x0A, 0x02
_KINDS = (TABLE_LEAF, TABLE_INTERIOR, INDEX_LEAF, INDEX_INTERIOR)
# What the map of pages (of files with auto_vacuum) says of one.
ROOT, FREE, OVERFLOW_FIRST, OVERFLOW, CHILD = 1, 2, 3, 4, 5
_MAGIC = b"SQLite format 3\0"
_LOG_MAGIC = (0x377F0682, 0x377F0683)
_LOCK_BYTE = 0x40000000
_LARGEST = 1 << 30  # bytes of one record
_FRAME = 24


class Header(NamedTuple):
    """What the first page says of the file; zeros where it can't be read."""

    page_size: int
    reserved: int
    user_version: int
    application_id: int
    readable: bool


class Cell(NamedTuple):
    """A record with its key in the table; `rowid` is None in an index or a table without one."""

    rowid: int | None
    values: tuple[Value, ...]


class Log(NamedTuple):
    """What a write-ahead log gave: newer pages, frames that were read, and frames that don't add up."""

    pages: dict[int, bytes]
    read: int
    damaged: int


class Pages:
    """The pages of a file and its log.

    Args:
        path: the file, which nobody writes to meanwhile.
        decrypt: turns a page (its number, its bytes) into a plain one, None where it isn't whole; for an encrypted
            file.

    Attributes:
        header: what it says of itself.
        count: how many pages there should be.
        log: what came from the log.
    """

    def __init__(self, path: Path, decrypt: Callable[[int, bytes], bytes | None] | None = None) -> None:
        self._decrypt = decrypt
        self._file = path.open("rb")
        size = path.stat().st_size
        self._data = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        self._size = PAGE_SIZE
        self.log = Log({}, 0, 0)
        self.header = self._read_header()
        self._size = self.header.page_size
        self.usable = self._size - self.header.reserved
        self.log = read_log(path.with_name(path.name + "-wal"), self._size)
        if 1 in self.log.pages:
            self.header = self._read_header()
        self.count = max(-(-size // self._size), max(self.log.pages, default=0))
        self.has_map = self._looks_like_map(2)

    def close(self) -> None:
        """Let go of the file."""
        if isinstance(self._data, mmap.mmap):
            self._data.close()
        self._file.close()

    def page(self, number: int) -> bytes | None:
        """A page's bytes; None where it isn't there or, of an encrypted file, isn't what was written."""
        raw = self.log.pages.get(number)
        if raw is None and number >= 1:
            raw = self._data[(number - 1) * self._size : number * self._size]
        if raw is None or len(raw) < self._size:
            return None
        if self._decrypt is not None:
            return self._decrypt(number, raw)
        return raw

    def _read_header(self) -> Header:
        first = self.page(1)
        if first is None or (self._decrypt is None and first[:16] != _MAGIC):
            reserved = 80 if self._decrypt is not None else 0
            return Header(PAGE_SIZE, reserved, 0, 0, False)
        (size,) = struct.unpack_from(">H", first, 16)
        size = 65536 if size == 1 else size
        if size < 512 or size & (size - 1) or first[20] > size // 4:
            return Header(PAGE_SIZE, 0, 0, 0, False)
        (version,) = struct.unpack_from(">I", first, 60)
        (application,) = struct.unpack_from(">I", first, 68)
        return Header(size, first[20], version, application, True)

    # --- what belongs to what -------------------------------------------------------------------------

    def entry(self, number: int) -> tuple[int, int] | None:
        """What the map of pages says of one: its kind, and the page above it; None where it says nothing."""
        if not self.has_map or number < 3:
            return None
        each = self.usable // 5
        place = (number - 2) // (each + 1) * (each + 1) + 2
        if place == _LOCK_BYTE // self._size + 1:
            place += 1
        offset = 5 * (number - place - 1)
        map_ = self.page(place)
        if map_ is None or offset < 0 or offset + 5 > len(map_):
            return None
        kind, parent = struct.unpack_from(">BI", map_, offset)
        if kind not in (ROOT, FREE, OVERFLOW_FIRST, OVERFLOW, CHILD) or parent > self.count:
            return None
        return kind, parent

    @property
    def map_is_whole(self) -> bool:
        """Whether it can be told of every page what it belongs to."""
        each = self.usable // 5 + 1
        return self.has_map and all(self._is_entry(place) for place in range(2, self.count + 1, each))

    def _is_entry(self, place: int) -> bool:
        page = self.page(place)
        return place + 1 > self.count or (page is not None and page[0] in (ROOT, FREE, OVERFLOW_FIRST, OVERFLOW, CHILD))

    def is_map(self, number: int) -> bool:
        """Whether this page is part of the map."""
        return self.has_map and number >= 2 and (number - 2) % (self.usable // 5 + 1) == 0

    def below(self, root: int) -> Iterator[int]:
        """The pages of a tree, from its root along the pages that can be read."""
        waiting, seen = [root], set()
        while waiting:
            number = waiting.pop()
            if number in seen or not 1 <= number <= self.count:
                continue
            seen.add(number)
            yield number
            waiting += reversed(list(self.children(number)))

    def children(self, number: int) -> Iterator[int]:
        """The pages that an interior page leads to, in order."""
        page = self.page(number)
        kind = self.kind(number, page)
        if page is None or kind not in (TABLE_INTERIOR, INDEX_INTERIOR):
            return
        begin = 100 if number == 1 else 0
        for place in _pointers(page, begin, 12):
            if place + 4 <= self.usable:
                yield struct.unpack_from(">I", page, place)[0]
        yield struct.unpack_from(">I", page, begin + 8)[0]

    def kind(self, number: int, page: bytes | None) -> int:
        """What kind of b-tree page it is; 0 for none."""
        if page is None:
            return 0
        kind = page[100 if number == 1 else 0]
        return kind if kind in _KINDS else 0

    # --- cells ----------------------------------------------------------------------------------------

    def cells(self, number: int) -> Iterator[Cell | None]:
        """The records on a page, in order; None for each that doesn't add up."""
        page = self.page(number)
        kind = self.kind(number, page)
        if page is None or kind in (0, TABLE_INTERIOR):
            return
        begin = 100 if number == 1 else 0
        for place in _pointers(page, begin, 12 if kind == INDEX_INTERIOR else 8):
            try:
                yield self._cell(page, place, kind)
            except (ValueError, IndexError, struct.error, UnicodeDecodeError):
                yield None

    def _cell(self, page: bytes, place: int, kind: int) -> Cell:
        if kind == INDEX_INTERIOR:
            place += 4
        length, place = varint(page, place)
        rowid = None
        if kind == TABLE_LEAF:
            rowid, place = varint(page, place)
            rowid = rowid - (1 << 64) if rowid >= 1 << 63 else rowid
        if length > _LARGEST:
            raise ValueError("too long")
        return Cell(rowid, record(self._payload(page, place, length, kind)))

    def _payload(self, page: bytes, place: int, length: int, kind: int) -> bytes:
        """A record's bytes: on the page, and where it is long on overflow pages."""
        usable = self.usable
        most = usable - 35 if kind == TABLE_LEAF else (usable - 12) * 64 // 255 - 23
        if length <= most:
            if place + length > usable:
                raise ValueError("beyond the page")
            return page[place : place + length]
        least = (usable - 12) * 32 // 255 - 23
        local = least + (length - least) % (usable - 4)
        if local > most:
            local = least
        if place + local + 4 > usable:
            raise ValueError("beyond the page")
        parts = [page[place : place + local]]
        (following,) = struct.unpack_from(">I", page, place + local)
        left = length - local
        while left > 0:
            more = self.page(following)
            if more is None:
                raise ValueError("an overflow page is lost")
            (following,) = struct.unpack_from(">I", more, 0)
            parts.append(more[4 : 4 + min(left, usable - 4)])
            left -= len(parts[-1])
        return b"".join(parts)

    def _looks_like_map(self, number: int) -> bool:
        """Whether page 2 maps the pages after it, as in a file with auto_vacuum."""
        page = self.page(number)
        if page is None or page.count(0) == len(page):
            return True  # as in every store that memd made
        return page[0] in (ROOT, FREE, OVERFLOW_FIRST, OVERFLOW, CHILD) and page[1] == 0


def _pointers(page: bytes, begin: int, header: int) -> tuple[int, ...]:
    """Where the cells of a b-tree page stand."""
    (count,) = struct.unpack_from(">H", page, begin + 3)
    count = min(count, (len(page) - begin - header) // 2)
    return struct.unpack_from(f">{count}H", page, begin + header)


def varint(data: bytes, place: int) -> tuple[int, int]:
    """A number of one to nine bytes, and where it ends."""
    value = 0
    for index in range(8):
        byte = data[place + index]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place + index + 1
    return value << 8 | data[place + 8], place + 9


_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}


def record(payload: bytes) -> tuple[Value, ...]:
    """The values of a record. Raises ValueError where its parts don't add up to it, UnicodeDecodeError."""
    end, place = varint(payload, 0)
    if not 1 <= end <= len(payload):
        raise ValueError("no record")
    kinds = []
    while place < end:
        kind, place = varint(payload, place)
        kinds.append(kind)
    if place != end:
        raise ValueError("no record")
    values: list[Value] = []
    for kind in kinds:
        if kind == 0:
            values.append(None)
        elif size := _INTEGERS.get(kind):
            if place + size > len(payload):
                raise ValueError("cut short")
            values.append(int.from_bytes(payload[place : place + size], "big", signed=True))
            place += size
        elif kind == 7:
            values.append(struct.unpack_from(">d", payload, place)[0])
            place += 8
        elif kind in (8, 9):
            values.append(kind - 8)
        elif kind >= 12:
            size = (kind - 12) // 2
            if place + size > len(payload):
                raise ValueError("cut short")
            part = payload[place : place + size]
            values.append(part.decode() if kind & 1 else part)
            place += size
        else:
            raise ValueError("no such kind of value")
    if place != len(payload):
        raise ValueError("more than the record")
    return tuple(values)


# --- the log ------------------------------------------------------------------------------------------


def read_log(path: Path, page_size: int) -> Log:
    """The newest pages of a write-ahead log, of transactions that were committed."""
    with suppress(FileNotFoundError):
        data = path.read_bytes()
        if len(data) > 32:
            return _frames(data, page_size)
    return Log({}, 0, 0)


def _frames(data: bytes, page_size: int) -> Log:
    magic, _, size, _, *salt, first, second = struct.unpack_from(">IIIIIIII", data, 0)
    seed: tuple[int, int] | None = (first, second)
    if magic not in _LOG_MAGIC or size != page_size:  # its beginning is damaged: the first frame can't be checked
        magic, seed, salt = _LOG_MAGIC[sys.byteorder == "big"], None, list(struct.unpack_from(">II", data, 40))
    places = range(32, len(data) - page_size - _FRAME + 1, page_size + _FRAME)
    ours = [list(struct.unpack_from(">II", data, place + 8)) == salt for place in places]
    last = len(ours) - ours[::-1].index(True) if True in ours else 0  # what follows is of the log before this one
    committed: dict[int, bytes] = {}
    pending: dict[int, bytes] = {}
    read = 0
    for place, is_ours in zip(places[:last], ours, strict=False):
        number, commit, _, _, one, two = struct.unpack_from(">IIIIII", data, place)
        page = data[place + _FRAME : place + _FRAME + page_size]
        if is_ours and seed and _checksum(data[place : place + 8] + page, seed, magic == _LOG_MAGIC[1]) == (one, two):
            pending[number] = page
            read += 1
            if commit:
                committed.update(pending)
                pending.clear()
        seed = (one, two)
    return Log(committed, read, last - read)


def _checksum(data: bytes, seed: tuple[int, int], big: bool) -> tuple[int, int]:
    one, two = seed
    words = struct.unpack(f"{'>' if big else '<'}{len(data) // 4}I", data)
    for index in range(0, len(words), 2):
        one = (one + words[index] + two) & 0xFFFFFFFF
        two = (two + words[index + 1] + one) & 0xFFFFFFFF
    return one, two


# --- encrypted pages ----------------------------------------------------------------------------------


def decryptor(raw_key: bytes, salt: bytes) -> Callable[[int, bytes], bytes | None]:
    """What turns pages of a SQLCipher 4 file (AES-256-CBC, HMAC-SHA512, 80 reserved bytes) into plain ones.

    Raises:
        ImportError: the package `cryptography`, which comes with the extra `encryption` on Linux, isn't there.
    """
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    mac_key = hashlib.pbkdf2_hmac("sha512", raw_key, bytes(byte ^ 0x3A for byte in salt), 2, 32)

    def decrypt(number: int, page: bytes) -> bytes | None:
        begin = 16 if number == 1 else 0
        body, iv, mac = page[begin:-80], page[-80:-64], page[-64:]
        made = hmac.new(mac_key, body + iv + struct.pack("<I", number), "sha512").digest()
        if not hmac.compare_digest(made, mac):
            return None
        plain = Cipher(algorithms.AES(raw_key), modes.CBC(iv)).decryptor()
        text = plain.update(body) + plain.finalize()
        return (_MAGIC if begin else b"") + text + bytes(80)

    return decrypt
