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

# What programs print: text, or events that core.dialects understands (by the name of the program that began with them).
DIALECTS = ("text", "claude", "codex", "opencode", "gemini", "qwen", "copilot")
# Dialects whose programs tell what a run cost, in US dollars: without that --max-cost could not hold.
TELLS_COST = frozenset({"claude", "opencode"})

KIRO = AgentSettings(
    name="kiro",
    command=("kiro-cli", "chat", "--no-interactive", "--trust-all-tools"),
    driver="pty",  # some versions print nothing, or late, where their output is no terminal
    env={"NO_COLOR": "1"},
    footer=r"▸ Credits: .*",  # goes to standard error, which is the same terminal
    # "To check which authentication method is active, run kiro-cli whoami" (kiro.dev/docs/cli/authentication; a key in
    # KIRO_API_KEY counts). As old as the program: the Amazon Q CLI before it had it. Logged out: "Not logged in", 1.
    login=("kiro-cli", "whoami"),
    hosts=("q.us-east-1.amazonaws.com",),  # other regions have their own, and no network reaches those and not this
    install_hint="install it with: curl -fsSL https://cli.kiro.dev/install | bash, then log in or set KIRO_API_KEY",
)

CLAUDE = AgentSettings(
    name="claude",
    # stream-json without --verbose is refused (2.1).
    command=("claude", "-p", "--output-format", "stream-json", "--verbose", "--dangerously-skip-permissions"),
    dialect="claude",
    env={"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"},
    root_env={"IS_SANDBOX": "1"},  # as root it refuses to skip permissions without this
    # "Exits with code 0 if logged in, 1 if not" (code.claude.com/docs/en/cli-reference), from 2.1.41 on. --json is the
    # default there, but must be said: an older version takes "auth status" for a prompt and asks the model, and with an
    # option that it does not know it refuses (tried with 2.0.30 and 2.1.197).
    login=("claude", "auth", "status", "--json"),
    hosts=("api.anthropic.com",),
    install_hint="install it with: npm install -g @anthropic-ai/claude-code, then run claude once and log in",
)

BUILT_IN: Mapping[str, AgentSettings] = MappingProxyType({agent.name: agent for agent in (SHELL, KIRO, CLAUDE)})

# Names that the contract promises and that are refused with "not built yet" until their dialects are there.
NOT_BUILT_YET = ("codex", "opencode", "gemini", "qwen", "copilot", "mini", "aider")

# Where nobody chose an agent: the first of these that is installed.
ORDER = ("kiro", "claude")
