"""For all tests: no clocks and no chance in properties, and nothing of the user's own memd within reach."""

import os

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
    """Choose the examples before a module with properties is imported."""
    other = "FUZZ" in os.environ or config.option.markexpr == "soak"
    hypothesis.settings.load_profile("others" if other else "same")
