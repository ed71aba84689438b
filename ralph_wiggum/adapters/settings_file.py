"""Where settings lie, and how the layers come together. YAML is loaded only where a file exists (start-up time)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ralph_wiggum.core import layers
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.layers import FLAG, Layer
from ralph_wiggum.core.settings import Settings

PROJECT_FILE = ".kiro/settings/ralph.yaml"
USER_FILE = "ralph/ralph.yaml"  # below XDG_CONFIG_HOME


def load(
    root: Path, flags: Mapping[str, object] | None = None, *, environ: Mapping[str, str] | None = None
) -> Settings:
    """Return the settings of a project: flags over its file over the person's own file over the defaults.

    `flags` are by dotted key path (`git.commit`); those that are None were not given. RalphError for what cannot be.
    """
    given = Layer(source=FLAG, data=layers.nested(flags or {}))
    project = read(root / PROJECT_FILE, name=PROJECT_FILE)
    person = read(user_file(os.environ if environ is None else environ))
    return layers.merge([layer for layer in (given, project, person) if layer is not None])


def user_file(environ: Mapping[str, str]) -> Path:
    """Return where the person's own settings lie (XDG base directory specification: a relative one is ignored)."""
    home = environ.get("XDG_CONFIG_HOME", "")
    base = Path(home) if home.startswith("/") else Path(environ.get("HOME") or Path.home()) / ".config"
    return base / USER_FILE


def read(path: Path, *, name: str = "") -> Layer | None:
    """Return the layer of one file, None if there is no such file; `name` is what errors call it.

    RalphError with file and line if it cannot be read or is no YAML mapping.
    """
    name = name or str(path)
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        other = path.with_suffix(".yml")
        if other.is_file():
            raise RalphError(f"{other}: settings are read from {path.name} only", hint="rename it") from None
        return None
    except OSError as error:
        raise RalphError(f"{name}: cannot be read: {error.strerror}", hint="mend or remove it") from None
    from ralph_wiggum.adapters import settings_yaml  # noqa: PLC0415 - most commands run without a settings file

    try:
        return settings_yaml.parse(content.decode("utf-8-sig"), name)
    except UnicodeDecodeError as error:
        raise RalphError(f"{name}: is not UTF-8 (byte {error.start})", hint="save it as UTF-8") from None
