"""Writing the agents' own configuration on a developer's machine: merged, shown, backed up, undoable.

Nothing that a contract says decides where a file lies (`agents`); what it says goes through the parsers of JSON
and TOML and is compared with what was wanted before a byte is written (`merge`).
"""
