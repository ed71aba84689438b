"""The client of the Agent Client Protocol (https://agentclientprotocol.com), a program of its own (driver acp).

It starts an agent that speaks the protocol on its standard input and output, opens one session, hands it one prompt and
prints what comes as one JSON object a line (the dialect acp: core/dialects/acp.py says what they hold). The runner
starts it as it starts any agent, so its limits, its memory bound and its clean-up hold for all below it. The protocol's
own library is built on asyncio and takes half a second to import; that stays here.
"""
