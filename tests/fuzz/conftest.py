"""The command over a fresh data folder, as the tests of the command have it."""

from tests.cli.conftest import memd

__all__ = ["memd"]
