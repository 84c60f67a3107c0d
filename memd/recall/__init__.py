"""Recall: five channels propose passages, fusion ranks them, the trace says why."""
