"""Make the folder of one vLLM release from its wheel: `python -m tools.read_release 0.33.0`."""
