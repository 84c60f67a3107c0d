"""A data folder with real daemons, as the daemon's own tests have it."""

from tests.daemon.conftest import door, home

__all__ = ["door", "home"]
