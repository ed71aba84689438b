"""The first words between client and agent (https://agentclientprotocol.com/protocol/initialization)."""

from __future__ import annotations

from acp import PROTOCOL_VERSION
from acp.schema import ClientCapabilities, FileSystemCapabilities, Implementation, InitializeRequest

from ralph_wiggum import __version__
from ralph_wiggum.core.dialects import fields
from ralph_wiggum.core.dialects.fields import Event


def hello() -> InitializeRequest:
    """Return the first request: what the client can do, and who it is."""
    files = FileSystemCapabilities(read_text_file=True, write_text_file=True)
    return InitializeRequest(
        protocol_version=PROTOCOL_VERSION,
        client_capabilities=ClientCapabilities(fs=files, terminal=True),
        client_info=Implementation(name="ralph-wiggum", title="Ralph Wiggum", version=__version__),
    )


def login_methods(answer: Event) -> list[str]:
    """Return the names of the ways of logging in that an agent offers in its answer."""
    methods = (fields.mapping(each) for each in fields.items(answer, "authMethods"))
    return [name for method in methods if (name := fields.text(method, "name", "id"))]
