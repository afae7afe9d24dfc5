"""Before the load: does the endpoint answer at all, and how many tokens does it count for a word?"""

from __future__ import annotations

from random import Random

from onprem_agents.errors import EnvironmentProblem
from onprem_agents.probes.bench.call import Caller
from onprem_agents.probes.bench.words import Words, sample

_FEW, _MANY = 200, 1_200


async def calibrate(caller: Caller) -> Words:
    """Ask twice and return the count. Raises `EnvironmentProblem` when the endpoint does not answer as it should."""
    told = []
    for words in (_FEW, _MANY):
        text = sample(words, Random(words))  # noqa: S311 - no secret
        answer = await caller.ask([{"role": "user", "content": text}], 1)
        if not answer.ok and answer.cause != "empty":
            message = (
                f"{caller.target.base_url} does not answer ({answer.cause}): {answer.evidence}; {answer.fix}"
            )
            raise EnvironmentProblem(message)
        told.append((words, answer.usage.prompt_tokens))
    (few, few_tokens), (many, many_tokens) = told
    if few_tokens is None or many_tokens is None:
        return Words()
    return Words.measured((few, few_tokens), (many, many_tokens))
