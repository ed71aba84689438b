"""How each agent CLI is pointed at the model server: environment and the files in its home, as data.

The versions that this was tried with: claude 2.1.197, codex 0.169.0, opencode 1.18.33, gemini 0.61.0, qwen 0.15.10,
copilot 1.0.102, mini-swe-agent 2.4.6, aider 0.86.2. All keys are made up. `$base` stands for the address of a scenario.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from types import MappingProxyType

KEY = "sk-mock-0123456789abcdef"  # long: copilot hides the key wherever it stands in its output, also a single letter
MODEL = "mock-model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How one CLI is set up. `command` runs it once, with the prompt on standard input or as `prompt` says.

    `args` are those of the command that it takes only because of the server; `files` are paths below its home.
    """

    command: tuple[str, ...]
    env: Mapping[str, str]
    args: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    prompt: str = "stdin"


@dataclass(frozen=True, slots=True)
class Setup:
    """What a CLI needs beside its ordinary command: `env` holds its HOME; PATH is the caller's business."""

    env: dict[str, str]
    args: tuple[str, ...]


_CODEX = f"""model = "{MODEL}"
model_provider = "mock"
approval_policy = "never"
sandbox_mode = "danger-full-access"
check_for_update_on_startup = false

[analytics]
enabled = false

[model_providers.mock]
name = "mock"
base_url = "$base/v1"
env_key = "MOCK_KEY"
wire_api = "responses"
"""

_OPENCODE = f"""{{
  "autoupdate": false,
  "share": "disabled",
  "permission": "allow",
  "model": "mock/{MODEL}",
  "small_model": "mock/{MODEL}",
  "provider": {{
    "mock": {{
      "npm": "@ai-sdk/openai-compatible",
      "name": "Mock",
      "options": {{"baseURL": "$base/v1", "apiKey": "{KEY}"}},
      "models": {{
        "{MODEL}": {{
          "name": "{MODEL}",
          "limit": {{"context": 128000, "output": 8000}},
          "cost": {{"input": 3, "output": 15}}
        }}
      }}
    }}
  }}
}}
"""

_GEMINI = """{
  "security": {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": false}},
  "privacy": {"usageStatisticsEnabled": false},
  "general": {"disableAutoUpdate": true}
}
"""

_GIT = "[user]\n\tname = Mock\n\temail = mock@example.invalid\n"
_LITELLM = {
    "OPENAI_API_BASE": "$base/v1",
    "OPENAI_API_KEY": KEY,
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # or it asks github.com for prices
}

RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        "claude": Recipe(
            command=("claude", "-p", "--output-format", "stream-json", "--verbose", "--dangerously-skip-permissions"),
            env={
                "ANTHROPIC_BASE_URL": "$base",
                "ANTHROPIC_API_KEY": KEY,
                "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
                "IS_SANDBOX": "1",  # as root it refuses to skip permissions without this
            },
        ),
        "codex": Recipe(
            command=("codex", "exec", "--json", "--skip-git-repo-check", "-"),
            env={"MOCK_KEY": KEY},
            files={".codex/config.toml": _CODEX},
        ),
        "opencode": Recipe(
            command=("opencode", "run", "--format", "json"),
            env={"OPENCODE_DISABLE_MODELS_FETCH": "true"},
            files={".config/opencode/opencode.json": _OPENCODE},
        ),
        "gemini": Recipe(
            command=("gemini", "-y", "--skip-trust", "--output-format", "stream-json"),
            env={"GOOGLE_GEMINI_BASE_URL": "$base", "GEMINI_API_KEY": KEY, "GEMINI_CLI_NO_RELAUNCH": "true"},
            files={".gemini/settings.json": _GEMINI},
        ),
        "qwen": Recipe(
            command=("qwen", "-y", "--output-format", "stream-json"),
            args=("--auth-type", "openai"),
            env={
                "OPENAI_BASE_URL": "$base/v1",
                "OPENAI_API_KEY": KEY,
                "OPENAI_MODEL": MODEL,
                "QWEN_CODE_NO_RELAUNCH": "true",
            },
        ),
        "copilot": Recipe(
            command=("copilot", "--allow-all-tools", "--output-format", "json"),
            env={
                "COPILOT_OFFLINE": "true",
                "COPILOT_PROVIDER_BASE_URL": "$base/v1",
                "COPILOT_PROVIDER_API_KEY": KEY,
                "COPILOT_MODEL": "gpt-5",
                "COPILOT_AUTO_UPDATE": "false",
            },
        ),
        "mini": Recipe(
            command=("mini", "-y", "--exit-immediately", "-o", "trajectory.json", "-t"),
            prompt="as the last argument",
            env={
                **_LITELLM,
                "MSWEA_MODEL_NAME": f"openai/{MODEL}",
                "MSWEA_CONFIGURED": "true",
                "MSWEA_COST_TRACKING": "ignore_errors",
            },
        ),
        "aider": Recipe(
            command=("aider", "--yes-always", "--no-check-update", "--no-pretty", "--message-file"),
            prompt="as a file, named by the last argument",
            env={
                **_LITELLM,
                "AIDER_MODEL": f"openai/{MODEL}",
                "AIDER_EDIT_FORMAT": "whole",
                "AIDER_SHOW_MODEL_WARNINGS": "false",
                "AIDER_ANALYTICS_DISABLE": "true",
            },
            # Whatever it is told, it asks github.com for prices, unless it did so today.
            files={".gitconfig": _GIT, ".aider/caches/model_prices_and_context_window.json": '{"mock": {}}'},
        ),
    }
)

# A Claude subscription instead of a key: limits are then told by headers, with the time of the reset.
_SUBSCRIPTION = {"CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-mock-0123456789abcdef"}


def setup(agent: str, home: Path, base_url: str, *, subscription: bool = False) -> Setup:
    """Write the files that a CLI needs below `home` and return its environment and extra arguments.

    `base_url` is that of a scenario (`Server.url`); `subscription`, for claude alone, logs it in with a plan's token
    instead of an API key. Raises KeyError for an agent that is not in RECIPES.
    """
    recipe = RECIPES[agent]
    home.mkdir(parents=True, exist_ok=True)  # qwen starts nowhere without (0.15)
    for name, text in recipe.files.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_filled(text, base_url), encoding="utf-8")
    env = {key: _filled(value, base_url) for key, value in recipe.env.items()}
    if subscription and agent == "claude":
        del env["ANTHROPIC_API_KEY"]
        env |= _SUBSCRIPTION
    return Setup({"HOME": str(home), **env}, recipe.args)


def described(agent: str, base_url: str) -> str:
    """Return what a person has to type and to write to try a CLI, as text for a terminal."""
    recipe = RECIPES[agent]
    files = [
        f"  in ~/{name}:\n" + "".join(f"    {line}\n" for line in _filled(text, base_url).splitlines())
        for name, text in recipe.files.items()
    ]
    env = " ".join(f"{key}={_filled(value, base_url)}" for key, value in recipe.env.items())
    last = "-" if recipe.command[-1] == "-" else ""
    command = " ".join([*(recipe.command[:-1] if last else recipe.command), *recipe.args, last]).rstrip()
    how = "" if recipe.prompt == "stdin" else f"   # the prompt {recipe.prompt}"
    return f"{agent}:\n{''.join(files)}  {env} \\\n    {command}{how}\n"


def _filled(text: str, base_url: str) -> str:
    return Template(text).substitute(base=base_url)
