"""A backend for the library `keyring` that files secrets in a folder: containers have no secret service."""

from __future__ import annotations

import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError


class FolderKeyring(KeyringBackend):
    """Keeps a file for each secret in the folder that FOLDER_KEYRING names; locked while that holds a file `locked`."""

    priority = 1.0  # type: ignore[assignment]

    def get_password(self, service: str, username: str) -> str | None:
        """What is filed there."""
        file = self._file(service, username)
        return file.read_text() if file.exists() else None

    def set_password(self, service: str, username: str, password: str) -> None:
        """File it."""
        self._file(service, username).write_text(password)

    def delete_password(self, service: str, username: str) -> None:
        """Take it out."""
        try:
            self._file(service, username).unlink()
        except FileNotFoundError:
            raise PasswordDeleteError from None

    def _file(self, service: str, username: str) -> Path:
        folder = Path(os.environ["FOLDER_KEYRING"])
        if (folder / "locked").exists():
            raise KeyringLocked("locked")
        return folder / f"{service}-{username}"
