"""Whether an agent can work: logged in, new enough; by what its own commands printed and how they ended (B1).

Careful in one direction: an agent that is said to be logged out without being so costs a whole night, so whatever is
not clear is that nobody can tell.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import NamedTuple

from ralph_wiggum.core.outside_text import plain
from ralph_wiggum.core.settings import AgentSettings
from ralph_wiggum.core.versions import older, version_in

_SHOWN = 160  # characters of what a program printed


class Login(StrEnum):
    """Whether somebody is logged in. The values are words for people."""

    YES = "logged in"
    NO = "not logged in"
    UNKNOWN = "nobody can tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What could be learnt of an agent before it is asked to work, without spending anything.

    `by` names the credential by which somebody is logged in, where the agent's own command does not tell. `version`
    is "" where it did not tell. `words` say in one line what is wrong, or why nobody can tell; "" where all is well.
    `hint` says what to do.
    """

    agent: str
    installed: bool
    login: Login = Login.UNKNOWN
    by: str = ""
    version: str = ""
    words: str = ""
    hint: str = ""

    @property
    def ready(self) -> bool:
        """Say whether nothing speaks against asking the agent: it is there, and is not known to be logged out."""
        return self.installed and self.login is not Login.NO


class Reply(NamedTuple):
    """What a program answered: its exit code (None: it gave none, and `trouble` says why), and its clean output."""

    exit_code: int | None = None
    output: str = ""
    trouble: str = ""

    @property
    def words(self) -> str:
        """Say in one line how it ended and what it printed."""
        why = self.trouble or f"it ended with exit code {self.exit_code}"
        said = plain(self.output, _SHOWN)
        return f"{why}: {said}" if said else why


def readiness(agent: AgentSettings, *, login: Reply | None, version: Reply | None, credential: str = "") -> Readiness:
    """Return what is known of an agent that is installed.

    `login` and `version` are the answers to its commands for that, None where it has none or was not asked;
    `credential` is the first of its credentials that was found. A credential counts for more than a command that
    knows nothing of it. A version that is too old is said, and speaks against nothing.
    """
    standing, by, words, hint = _login(agent, login, credential)
    known = version_in(version.output) if version is not None and version.exit_code == 0 else ""
    old = _version(agent, known, version)
    return Readiness(
        agent=agent.name,
        installed=True,
        login=standing,
        by=by,
        version=known,
        words="; ".join(filter(None, (words, old))),
        hint=hint,
    )


def _login(agent: AgentSettings, reply: Reply | None, credential: str) -> tuple[Login, str, str, str]:
    """Return how it stands, by which credential, words and hint."""
    said = judge(reply.exit_code, reply.output) if reply is not None else Login.UNKNOWN
    if said is Login.YES:
        return said, "", "", ""
    if credential:
        return Login.YES, credential, "", ""
    if said is Login.NO:
        hint = f"run {agent.command[0]} once and log in; {shlex.join(agent.login)} tells whether that worked"
        return said, "", f"{agent.name} is not logged in", hint
    unclear = f"nobody can tell whether {agent.name} is logged in: "
    if reply is not None:
        return said, "", f"{unclear}{shlex.join(agent.login)}: {reply.words}", ""
    if agent.credentials and not agent.login:
        return said, "", f"{unclear}no key found: {', '.join(agent.credentials)}", ""
    return said, "", "", ""


def _version(agent: AgentSettings, known: str, reply: Reply | None) -> str:
    """Return what there is to say of the version; nothing where a program ends well and just does not tell it."""
    if older(known, agent.minimum_version):
        return f"{agent.name} {known} is too old: {agent.minimum_version} or newer is needed, update it"
    if reply is not None and reply.exit_code != 0:
        return f"nobody can tell the version of {agent.name}: {shlex.join(agent.version)}: {reply.words}"
    return ""


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
