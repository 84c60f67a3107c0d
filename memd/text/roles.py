"""The parts in a session with an agent: who speaks there and is no person."""

AGENTS = ("claude-code", "codex", "cursor", "gemini-cli", "vscode", "opencode")

# A question that has one of these words means something else by it.
ROLES = frozenset({*AGENTS, "user", "assistant", "agent", "system", "human", "model", "tool"})
