"""Whether somebody is logged in with an agent, by what its own command for that printed and how it ended (B1).

Careful in one direction: an agent that is said to be logged out without being so costs a whole night, so whatever is
not clear is that nobody can tell.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice


class Login(StrEnum):
    """Whether somebody is logged in. The values are words for people."""

    YES = "logged in"
    NO = "not logged in"
    UNKNOWN = "nobody can tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What could be learnt of an agent before it is asked to work, without spending anything.

    `words` say in one line what is wrong, or why nobody can tell; "" where all is well. `hint` says what to do.
    """

    agent: str
    installed: bool
    login: Login = Login.UNKNOWN
    words: str = ""
    hint: str = ""

    @property
    def ready(self) -> bool:
        """Say whether nothing speaks against asking the agent: it is there, and is not known to be logged out."""
        return self.installed and self.login is not Login.NO


# Whole beginnings of lines: the usage text of a program names its commands for logging in, too.
_LOGGED_OUT = re.compile(
    r"^\W*(error\W+)?("
    r"(you are |you're |you’re |user is )?(not|n't) (currently )?(logged|signed) in\b"
    r"|(you are |you're |you’re )?not (yet )?authenticated\b"
    r"|(please|you (need|have|must) to) (run\W+(\S+ )?/?(login|auth login)|log ?in|sign ?in)\b"
    r"|(login|sign-?in|authentication) (is )?required\b"
    r"|(invalid|missing) api key\b|no (api key|credentials?|accounts?) (was |were )?(found|configured|set)\b"
    r"|(your |the )?(login|session|token|credentials?) (has |have |is |are )?expired\b"
    r")",
    re.IGNORECASE | re.MULTILINE,
)
_OBJECT = re.compile(r"^\s{0,8}(?=\{)", re.MULTILINE)
_OBJECTS = 3  # that are looked at


def judge(exit_code: int | None, output: str) -> Login:
    """Return what the output (clean, both streams) and the exit code say; a code of None: it did not end by itself.

    A JSON object that tells (`{"loggedIn": false}` of claude, `{"account": null}` of kiro) decides whatever the code
    is; then the known texts; then exit code 0. Any other code is no answer: a version that does not know the command,
    a network that is down.
    """
    told = _told(output)
    if told is not None:
        return Login.YES if told else Login.NO
    if exit_code is None:
        return Login.UNKNOWN
    if _LOGGED_OUT.search(output):
        return Login.NO
    return Login.YES if exit_code == 0 else Login.UNKNOWN


def _told(output: str) -> bool | None:
    """Return what the first JSON object says that tells it, None where none does."""
    decoder = json.JSONDecoder()
    for begins in islice(_OBJECT.finditer(output), _OBJECTS):
        try:
            value, _ = decoder.raw_decode(output, begins.end())
        except (ValueError, RecursionError):
            continue
        told = value.get("loggedIn", value.get("logged_in"))
        if isinstance(told, bool):
            return told
        if "account" in value and value["account"] is None:
            return False
    return None
