"""The agents that memd can be joined to."""

from __future__ import annotations

from memd.agents.install import claude_code, codex, cursor, gemini_cli, opencode, vscode
from memd.agents.install.agent import Agent
from memd.errors import BadInput

AGENTS: dict[str, Agent] = {
    module.AGENT.name: module.AGENT for module in (claude_code, codex, cursor, gemini_cli, vscode, opencode)
}


def agent(name: str) -> Agent:
    """The agent of that name. Raises BadInput where memd knows none."""
    if name not in AGENTS:
        raise BadInput(f"There is no agent {name!r} that memd knows", f"Agents: {', '.join(AGENTS)}")
    return AGENTS[name]
