"""The encoders of one data folder: the built-in one, those that were added, and which of them is in use.

An added one lies in `encoders/NAME/`, in the same three files as the built-in one. The file `encoder` holds the
name of the one in use; without it that is the built-in one. `$MEMD_ENCODER` goes before both.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from memd.disk import sync
from memd.encoder.files import FIX, SHIPPED, VARIABLE, EncoderFiles
from memd.encoder.session import Encoder
from memd.encoder.tokenizer import Tokenizer
from memd.errors import BadInput, NotFound, StoreFull, StoreReadOnly, StoreUnusable
from memd.home import CHOICE, ENCODERS

BUILTIN = "builtin"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_FULL = {"ENOSPC", "EDQUOT"}

Stamp = tuple[int, int, int] | None


class Encoders:
    """What is in the library of a data folder. Holds no state; every question is put to the disk.

    Args:
        home: the data folder.
    """

    def __init__(self, home: Path) -> None:
        self.folder = home / ENCODERS
        self._choice = home / CHOICE

    @property
    def override(self) -> str:
        """The folder that `$MEMD_ENCODER` names; empty when it names none."""
        return os.environ.get(VARIABLE, "")

    def names(self) -> list[str]:
        """The built-in one's name, then the others' in order of the alphabet."""
        found = sorted(path.name for path in self.folder.iterdir()) if self.folder.is_dir() else []
        return [BUILTIN, *(name for name in found if _NAME.fullmatch(name) and name != BUILTIN)]

    def chosen(self) -> str:
        """The name of the one in use, `$MEMD_ENCODER` aside; it may be gone."""
        try:
            return self._choice.read_text(encoding="utf-8", errors="replace").strip() or BUILTIN
        except OSError:
            return BUILTIN

    def stamp(self) -> Stamp:
        """Differs once another has been chosen, by whichever process. Costs one look at a file's times."""
        try:
            info = os.stat(self._choice)
        except OSError:
            return None
        return info.st_ino, info.st_mtime_ns, info.st_size

    def place(self, name: str) -> Path:
        """The folder of the encoder of this name. Raises NotFound."""
        if name == BUILTIN:
            return SHIPPED
        if not _NAME.fullmatch(name) or not (self.folder / name).is_dir():
            raise NotFound(f"There is no encoder {name!r}.", f"There are: {', '.join(self.names())}.")
        return self.folder / name

    def files(self, name: str) -> EncoderFiles:
        """The files of the encoder of this name.

        Raises:
            NotFound: there is none.
            EncoderUnavailable: its files are missing or damaged.
        """
        return EncoderFiles.find(self.place(name), _fix(name))

    def load(self, name: str) -> Encoder:
        """Load the encoder of this name. Raises as `files` does."""
        return Encoder.load(self.place(name), fix=_fix(name))

    def load_current(self) -> Encoder:
        """Load the one in use. Raises as `files` does."""
        return Encoder.load() if self.override else self.load(self.chosen())

    def current_files(self) -> EncoderFiles:
        """The files of the one in use. Raises as `files` does."""
        return EncoderFiles.find() if self.override else self.files(self.chosen())

    def current_tokenizer(self) -> Tokenizer:
        """The tokenizer of the one in use. Raises as `files` does."""
        return Tokenizer.of(self.current_files())

    def choose(self, name: str) -> None:
        """Put an encoder to use: the old choice or the new one, never half, whatever happens.

        Raises:
            StoreUnusable: the choice can't be written; it is as it was.
        """
        draft = self._choice.with_name(f".{CHOICE}-{os.getpid()}")
        try:
            with draft.open("w", encoding="utf-8") as file:
                file.write(name + "\n")
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._choice)
            sync(self._choice.parent)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise unwritable(self._choice, error) from None


def plain_name(name: str) -> str:
    """A name as it may stand in the library.

    Raises:
        BadInput: it can't.
    """
    if not _NAME.fullmatch(name) or name == BUILTIN:
        raise BadInput(
            f"An encoder can't be called {name!r}.",
            "A name has small letters, digits, dots, dashes and underscores, 64 at most: --name NAME",
        )
    return name


def unwritable(path: Path, error: OSError) -> StoreUnusable:
    """The typed error for a file of the data folder that can't be written."""
    import errno

    code = errno.errorcode.get(error.errno or 0, "")
    if code in _FULL:
        return StoreFull(f"{path} can't be written: the disk is full.", "Make room, then try again.")
    if code in ("EACCES", "EROFS", "EPERM"):
        return StoreReadOnly(f"{path} can't be written: {error.strerror}.", "Check its permissions.")
    return StoreUnusable(f"{path} can't be written: {error.strerror or error}.", "Check the disk.")


def _fix(name: str) -> str:
    if name == BUILTIN:
        return FIX
    return f"Remove the folder and add it again (`memd model add FOLDER --name {name}`), or `memd model use {BUILTIN}`."
