"""ONNX Runtime, as all of memd uses it: on one thread, keeping nothing between runs, reporting to nobody."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnxruntime


def session(model: str | bytes) -> onnxruntime.InferenceSession:
    """A session on the CPU. Its runs stay on the calling thread.

    Args:
        model: the path of an ONNX model, or the model itself.
    """
    # Since 1.29 the official Linux and macOS builds report to their maker unless told not to, before they load.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # Both grow with use: an arena keeps the most any run ever took, and a pattern is kept for each input length.
    options.enable_cpu_mem_arena = options.enable_mem_pattern = False
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
