"""How a file that setup wrote is taken back."""

from __future__ import annotations

from typing import Literal

from onprem_agents.agents.machine import Form

Kind = Form | Literal["lines", "own"]
"""By its values, by the lines that setup added, or as a whole, for it is setup's own."""
