"""Refuses to build a distribution that lacks the encoder: it would be installed, and recall would be words only."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FIX = "run `make setup`, or `python scripts/build_encoder.py`, and build again"


class EncoderHook(BuildHookInterface):  # type: ignore[type-arg]
    """Checks the encoder's files against their manifest before a wheel or an sdist is made."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Raise when the encoder is missing or damaged. An editable install may come before it is built."""
        if version == "editable":
            return
        folder = Path(self.root) / "memd" / "encoder" / "model"
        try:
            hashes = json.loads((folder / "manifest.json").read_bytes())["files"]
        except (OSError, ValueError, KeyError):
            raise SystemExit(f"error: there is no built encoder in {folder}: {FIX}") from None
        for name, expected in hashes.items():
            path = folder / name
            if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != expected:
                raise SystemExit(f"error: {path} is missing or damaged: {FIX}")
