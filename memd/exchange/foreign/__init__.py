"""Readers of other tools' files: for each a module that fits `memd.exchange.records.Reader`.

They only read, and never write to the other's file, not even a lock. What a reader yields is worked out from the file
alone, so that reading it again gives the same keys and texts.
"""

from __future__ import annotations

from memd.exchange.foreign import basic_memory, claude_mem, mcp_memory, mcp_memory_service, mempalace
from memd.exchange.records import Reader

READERS: dict[str, Reader] = {
    reader.TOOL: reader for reader in (mcp_memory, claude_mem, mcp_memory_service, basic_memory, mempalace)
}
"""By the word that follows `--from`; tried in this order where none does."""
