"""The `memd` command over a throw-away data folder."""

from tests.cli.conftest import memd  # noqa: F401 - a fixture
