"""What a check of a platform might find, without a platform."""

from __future__ import annotations

from onprem_agents.agents.diagnosis import Diagnosis
from onprem_agents.probes.checked import Checked, Outcome
from onprem_agents.probes.verdict import Verdict, fine
from onprem_agents.probes.verification import Verification

FIX = "start vLLM with --tool-call-parser"


def outcome(verification: Verification, *faults: str) -> Outcome:
    """Return a sound outcome but for these places, such as `coder: tool call`."""
    results = []
    for place in verification.planned:
        role, _, probe = place.partition(": ")
        bad = Diagnosis(cause="prose", evidence="prose instead of a call", fix=FIX)
        verdict = Verdict.of(probe, bad if place in faults else fine("as it should be"))
        results.append(Checked.of(verdict, None if role == "gateway" else role, 0.25))
    return Outcome(results=tuple(results), planned=verification.planned)
