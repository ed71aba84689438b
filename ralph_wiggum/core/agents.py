"""The agents that are built in, as data: how each program is called, and what it needs (design: part 2)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ralph_wiggum.core.settings import AgentSettings

SHELL = AgentSettings(
    name="shell",
    # A path and -P rather than -m: modules of the project in the current folder must not stand in for Python's own.
    command=("{python}", "-P", "{package}/adapters/agents/shell.py", "{tasks_file}", "{task}"),
    install_hint="it comes with ralph and runs with the Python that runs ralph",
)

KIRO = AgentSettings(
    name="kiro",
    command=("kiro-cli", "chat", "--no-interactive", "--trust-all-tools"),
    driver="pty",  # some versions print nothing, or late, where their output is no terminal
    env={"NO_COLOR": "1"},
    footer=r"▸ Credits: .*",  # goes to standard error, which is the same terminal
    install_hint="install it with: curl -fsSL https://cli.kiro.dev/install | bash, then log in or set KIRO_API_KEY",
)

CLAUDE = AgentSettings(
    name="claude",
    command=("claude", "-p", "--dangerously-skip-permissions"),
    env={"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"},
    root_env={"IS_SANDBOX": "1"},  # as root it refuses to skip permissions without this
    install_hint="install it with: npm install -g @anthropic-ai/claude-code, then run claude once and log in",
)

BUILT_IN: Mapping[str, AgentSettings] = MappingProxyType({agent.name: agent for agent in (SHELL, KIRO, CLAUDE)})

# Names that the contract promises and that are refused with "not built yet" until their dialects are there.
NOT_BUILT_YET = ("codex", "opencode", "gemini", "qwen", "copilot", "mini", "aider")

# Where nobody chose an agent: the first of these that is installed.
ORDER = ("kiro", "claude")
