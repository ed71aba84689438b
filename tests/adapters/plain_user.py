"""How to run a program for which the modes of files hold, where the tests are run by root, who may do anything."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

_CAPABILITIES = "-dac_override,-dac_read_search,-linux_immutable"


def _prefix() -> list[str]:
    """Return what to put in front of a command: nothing for another user than root."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    return [setpriv, f"--bounding-set={_CAPABILITIES}"] if setpriv is not None else ["false"]


def _works() -> bool:
    return not _prefix() or subprocess.run([*_prefix(), "true"], capture_output=True, check=False).returncode == 0


PLAIN_USER = _prefix()
needs_plain_user = pytest.mark.skipif(not _works(), reason="root may do anything, and setpriv cannot take it away")
