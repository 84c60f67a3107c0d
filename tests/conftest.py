"""For all tests: no clocks and no chance in properties, and nothing of the user's own memd within reach."""

import os
import signal
from pathlib import Path

import hypothesis
import pytest

# A loaded machine must not fail a property: how fast things are is for benchmarks to say.
UNTIMED = hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], print_blob=True)
# What passes here passes elsewhere: the same examples each time. `make soak` draws others, and so does who sets FUZZ.
hypothesis.settings.register_profile("same", UNTIMED, derandomize=True, database=None)
hypothesis.settings.register_profile("others", UNTIMED)

for name in [name for name in os.environ if name.startswith("MEMD_")]:
    del os.environ[name]


def pytest_configure(config: pytest.Config) -> None:
    """Choose the examples before a module with properties is imported, and let what is started be interrupted."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # a shell's job in the background hands that down
        signal.signal(signal.SIGINT, signal.default_int_handler)
    other = "FUZZ" in os.environ or config.option.markexpr == "soak"
    hypothesis.settings.load_profile("others" if other else "same")


# The files that take longest: with one of them at the end of a run, a single worker would be left with it.
LONGEST = (
    "crypt/test_command.py",
    "bench/test_command.py",
    "repair/test_repair.py",
    "agents/test_hooks.py",
    "agents/test_install_doctor.py",
    "cli/test_upkeep.py",
    "cli/test_truth.py",
    "encoder/test_build.py",
    "agents/test_install_command.py",
    "lifecycle/test_maintenance.py",
    "cli/test_models.py",
    "cli/test_output.py",
    "soak/test_daemon.py",
    "network/test_no_network.py",
    "agents/test_mcp.py",
    "purge/test_purge.py",
    "fuzz/test_shown.py",
    "cli/test_remember.py",
    "store/test_backups.py",
    "crash/test_kills.py",
    "exchange/test_command.py",
    "packaging/test_wheel.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest. Within a file, and among all others, the order stays."""
    places = {Path(__file__).parent / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))
