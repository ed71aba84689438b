"""The agents that are built in, as data: how each program is called, and what it needs (design: part 2).

An entry is what a person can write under `agents:` in the settings. What the programs do was measured with the versions
that `minimum_version` and the comments name; `docs` is where their makers describe it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ralph_wiggum.core.settings import AgentSettings

# What programs print: text, or events that core.dialects understands (by the name of the program that began with them).
TEXT_DIALECTS = ("text", "mini", "aider")
DIALECTS = (*TEXT_DIALECTS, "claude", "codex", "opencode", "gemini", "qwen", "copilot", "acp")
# Dialects whose programs tell what a run cost, in US dollars, and those that tell tokens, which prices make dollars of:
# without either --max-cost could not hold.
TELLS_COST = frozenset({"claude", "opencode", "mini", "aider"})
TELLS_TOKENS = TELLS_COST | {"codex", "gemini", "qwen"}
# Dialects whose figures count from the beginning of a session, also where another run began it (codex 0.169, qwen
# 0.15; claude 2.1, opencode 1.18 and gemini 0.61 tell what the run itself used).
COUNTS_WHOLE_SESSION = frozenset({"codex", "qwen"})

SHELL = AgentSettings(
    name="shell",
    # A path and -P rather than -m: modules of the project in the current folder must not stand in for Python's own.
    command=("{python}", "-P", "{package}/adapters/agents/shell.py", "{tasks_file}", "{task}"),
    install_hint="it comes with ralph and runs with the Python that runs ralph",
)

KIRO = AgentSettings(
    name="kiro",
    # It wraps at the edge of a terminal, and a signal whose reason is long would end in another line.
    command=("kiro-cli", "chat", "--no-interactive", "--trust-all-tools", "--wrap", "never", "{args}"),
    # No `resume`: it takes --resume-id, but does not tell the id of a session (kirodotdev/Kiro 9066), and --resume goes
    # on with whichever was the last in this folder.
    driver="pty",  # some versions print nothing, or late, where their output is no terminal
    env={"NO_COLOR": "1"},
    footer=r"▸ Credits: .*",  # goes to standard error, which is the same terminal
    # "To check which authentication method is active, run kiro-cli whoami" (kiro.dev/docs/cli/authentication; a key in
    # KIRO_API_KEY counts). As old as the program: the Amazon Q CLI before it had it. Logged out: "Not logged in", 1.
    login=("kiro-cli", "whoami"),
    hosts=("q.us-east-1.amazonaws.com",),  # other regions have their own, and no network reaches those and not this
    version=("kiro-cli", "--version"),
    minimum_version="2.0",  # --no-interactive takes the prompt on standard input from then on
    docs="https://kiro.dev/docs/cli/headless/",
    install_hint="install it with: curl -fsSL https://cli.kiro.dev/install | bash, then log in or set KIRO_API_KEY",
)

_CLAUDE = ("claude", "-p", "--output-format", "stream-json", "--verbose", "--dangerously-skip-permissions", "{args}")
CLAUDE = AgentSettings(
    name="claude",
    command=_CLAUDE,  # stream-json without --verbose is refused (2.1)
    resume=(*_CLAUDE, "--resume", "{session}"),
    turn_limit=("--max-turns", "{turns}"),
    cost_limit=("--max-budget-usd", "{cost}"),  # is looked at after a call, so it overshoots by one
    dialect="claude",
    env={"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"},
    root_env={"IS_SANDBOX": "1"},  # as root it refuses to skip permissions without this
    # "Exits with code 0 if logged in, 1 if not" (code.claude.com/docs/en/cli-reference), from 2.1.41 on. --json is the
    # default there, but must be said: an older version takes "auth status" for a prompt and asks the model, and with an
    # option that it does not know it refuses (tried with 2.0.30 and 2.1.197).
    login=("claude", "auth", "status", "--json"),
    hosts=("api.anthropic.com",),
    version=("claude", "--version"),
    minimum_version="2.0",
    docs="https://code.claude.com/docs/en/headless",
    install_hint="install it with: npm install -g @anthropic-ai/claude-code, then run claude once and log in",
)

_CODEX = ("--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", "{args}")
CODEX = AgentSettings(
    name="codex",
    command=("codex", "exec", *_CODEX, "-"),
    resume=("codex", "exec", "resume", *_CODEX, "{session}", "-"),
    dialect="codex",
    # Not `codex login status`: it says "Not logged in" also where another provider of models is set up (0.169).
    credentials=("CODEX_API_KEY", "~/.codex/auth.json"),
    hosts=("api.openai.com",),
    version=("codex", "--version"),
    minimum_version="0.46",  # the events of `exec --json` became what they are
    docs="https://developers.openai.com/codex/noninteractive",
    install_hint="install it with: npm install -g @openai/codex, then run: codex login",
)

# Its events say nothing of retries, and it tries for hours: why stands in its log alone (1.18).
_OPENCODE_LOG = ("--print-logs", "--log-level", "ERROR")
_OPENCODE = ("opencode", "run", "--format", "json", "--auto", *_OPENCODE_LOG, "{args}")
OPENCODE = AgentSettings(
    name="opencode",
    command=_OPENCODE,
    resume=(*_OPENCODE, "--session", "{session}"),
    dialect="opencode",
    env={"OPENCODE_DISABLE_AUTOUPDATE": "true"},
    # No login command tells: it works without an account, with free models and with local ones.
    version=("opencode", "--version"),
    minimum_version="1.18",  # --auto
    docs="https://opencode.ai/docs/cli/",
    install_hint="install it with: npm install -g opencode-ai, then run: opencode auth login",
)

_GEMINI = ("gemini", "-y", "--skip-trust", "--output-format", "stream-json", "{args}")
GEMINI = AgentSettings(
    name="gemini",
    command=_GEMINI,  # without --skip-trust -y is silently taken back in a folder that it does not know (0.61)
    resume=(*_GEMINI, "--resume", "{session}"),
    dialect="gemini",
    # It starts itself again for a larger heap, and the first of the two ignores every signal.
    env={"GEMINI_CLI_NO_RELAUNCH": "true"},
    credentials=("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_CLOUD_PROJECT", "~/.gemini/oauth_creds.json"),
    hosts=("generativelanguage.googleapis.com",),
    version=("gemini", "--version"),
    minimum_version="0.11",  # stream-json
    docs="https://geminicli.com/docs/cli/headless/",
    install_hint="install it with: npm install -g @google/gemini-cli, then run gemini once and log in",
)

_QWEN = ("qwen", "-y", "--output-format", "stream-json", "{args}")
QWEN = AgentSettings(
    name="qwen",
    command=_QWEN,
    resume=(*_QWEN, "--resume", "{session}"),
    turn_limit=("--max-session-turns", "{turns}"),
    dialect="qwen",
    env={
        "QWEN_CODE_NO_RELAUNCH": "true",  # as gemini, whose code it began with
        # It tries again in silence for a quarter of an hour where a limit meets it; so it gives up after 85 s, and says
        # why (0.15). The person's own settings come before these.
        "QWEN_CODE_SYSTEM_DEFAULTS_PATH": "{files}/defaults.json",
    },
    files={"defaults.json": '{"model": {"generationConfig": {"maxRetries": 0}}, "$version": 4}\n'},
    credentials=("OPENAI_API_KEY", "DASHSCOPE_API_KEY", "~/.qwen/oauth_creds.json"),
    version=("qwen", "--version"),
    minimum_version="0.1",
    docs="https://qwenlm.github.io/qwen-code-docs/en/users/features/headless/",
    install_hint="install it with: npm install -g @qwen-code/qwen-code, then run qwen once and log in",
)

# --allow-all-tools alone refuses every path outside the folder, /dev/null too, and asks nobody (1.0.102).
_COPILOT = ("copilot", "--allow-all", "--output-format", "json", "--no-color", "{args}")
COPILOT = AgentSettings(
    name="copilot",
    command=_COPILOT,
    resume=(*_COPILOT, "--resume={session}"),
    dialect="copilot",
    # npm's launcher dies of a signal and leaves the worker behind (1.0.102): start the worker itself, which npm puts
    # beside it in a project, and below it with -g.
    native=("../copilot-{os}-{arch}/copilot", "node_modules/@github/copilot-{os}-{arch}/copilot"),
    env={"COPILOT_AUTO_UPDATE": "false"},
    credentials=("COPILOT_GITHUB_TOKEN", "GH_TOKEN", "GITHUB_TOKEN", "COPILOT_PROVIDER_BASE_URL"),
    hosts=("api.githubcopilot.com",),
    version=("copilot", "--version"),
    minimum_version="1.0",
    docs="https://docs.github.com/en/copilot/how-tos/copilot-cli",
    install_hint="install it with: npm install -g @github/copilot, then run: copilot login",
)

# mini's own words let the model end with a command that prints nothing more; its final message has to be somewhere.
_MINI_SYSTEM = (
    "You are a helpful assistant that can interact with a computer. Your final message is what your last command "
    "prints below COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT, so end with both in one command, whatever is said below of "
    "that line standing alone: echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT && printf '%s\\n' 'your final message'"
)
MINI = AgentSettings(
    name="mini",
    command=(
        "mini",
        "-y",
        "--exit-immediately",
        "-o",
        "{report_file}",
        "-c",
        "mini.yaml",
        "-c",
        f"agent.system_template={_MINI_SYSTEM}",
        "-c",
        "environment.timeout=1800",  # it ends commands after 30 s; the runner has its own limits for them
        "-c",
        "{prompt_file}",
        "{args}",
    ),
    prompt="file",
    prompt_key="run.task",  # it reads no standard input; an argument could be taken for an option and has a bound
    turn_limit=("-c", "agent.step_limit={turns}"),
    cost_limit=("-l", "{cost}"),  # else it stops at $3 by itself
    dialect="mini",
    env={
        "MSWEA_CONFIGURED": "true",  # else it asks for a model and a key, of nobody
        "MSWEA_COST_TRACKING": "ignore_errors",  # else it dies of a model whose price it does not know
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it fetches a list of prices from the internet at every start
    },
    credentials=("~/.config/mini-swe-agent/.env", "MSWEA_MODEL_NAME"),
    version=("mini", "--help"),  # "This is mini-swe-agent version 2.4.6."; there is no --version
    minimum_version="2.0",
    docs="https://mini-swe-agent.com/latest/usage/mini/",
    install_hint="install it with: pip install mini-swe-agent mcp, then run: mini-extra config setup",
)

AIDER = AgentSettings(
    name="aider",
    command=(
        "aider",
        "--message-file",
        "{prompt_file}",
        "--chat-history-file",
        "{report_file}",  # else they lie in the project
        "--input-history-file",
        "/dev/null",
        "--yes-always",
        "--no-pretty",
        "--no-check-update",
        "--no-show-release-notes",
        "--no-show-model-warnings",
        "--analytics-disable",
        "--no-auto-commits",  # ralph commits
        "--no-dirty-commits",
        "--no-gitignore",
        "--no-fancy-input",
        "--no-detect-urls",  # it would fetch every address in the prompt
        "--no-suggest-shell-commands",  # it runs none of them, whatever --yes-always says
        "{args}",
    ),
    prompt="file",
    dialect="aider",
    env={
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # as mini
        "BROWSER": "true",  # it opens every address in an error of the provider: with a program that does nothing
    },
    credentials=("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "OPENROUTER_API_KEY", "~/.aider.conf.yml"),
    version=("aider", "--version"),
    minimum_version="0.80",
    docs="https://aider.chat/docs/scripting.html",
    install_hint="install it with: pip install aider-install, then aider-install, and set the key of a model",
)

BUILT_IN: Mapping[str, AgentSettings] = MappingProxyType(
    {agent.name: agent for agent in (SHELL, KIRO, CLAUDE, CODEX, OPENCODE, GEMINI, QWEN, COPILOT, MINI, AIDER)}
)

# Where nobody chose an agent: the first of these that is installed. Those that tell most of what they do come first
# after kiro, whose specs these are; those that work on one answer at a time come last.
ORDER = ("kiro", "claude", "codex", "opencode", "gemini", "qwen", "copilot", "mini", "aider")
