"""A scripted model server on 127.0.0.1 for the tests of agents, and for a person who wants to try a setup for nothing."""

from tests.modelserver.scenario import MODES, UnknownScenarioError
from tests.modelserver.serving import Server, serving

__all__ = ["MODES", "Server", "UnknownScenarioError", "serving"]
