"""For all tests: no clocks in properties, and nothing of the user's own memd within reach."""

import os

import hypothesis

# A loaded machine must not fail a property: how fast things are is for benchmarks to say.
hypothesis.settings.register_profile("memd", deadline=None, print_blob=True)
hypothesis.settings.load_profile("memd")

for name in [name for name in os.environ if name.startswith("MEMD_")]:
    del os.environ[name]
