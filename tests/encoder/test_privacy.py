"""Loading and using the encoder reports nothing to anyone."""

import os
import subprocess
import sys
from pathlib import Path

USE = "from memd.encoder import Encoder; Encoder.load().encode_query('hello')"


def test_the_runtimes_telemetry_is_off(tmp_path: Path) -> None:
    quiet = {"ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS", "CI"}  # each of these alone turns it off
    environment = {name: value for name, value in os.environ.items() if name not in quiet}
    subprocess.run([sys.executable, "-c", USE], env={**environment, "TMPDIR": str(tmp_path)}, check=True)
    assert list(tmp_path.iterdir()) == []  # the session file of ONNX Runtime's uploader would lie here
