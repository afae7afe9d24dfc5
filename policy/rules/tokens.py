"""tokens-name-their-audience: a token that was made for another application opens a model server too."""

from __future__ import annotations

from ..graph import Graph, Value, Violation, dig, items
from ..openings import openings, policies_before


def tokens_name_their_audience(graph: Graph) -> list[Violation]:
    """A check of tokens before model servers names the audience they are made for.

    Advisory: an issuer may make tokens for model servers alone. Rules on claims (a `jwt` principal of
    `authorization`) count, and so do audiences that are only known at run time.
    """
    found: dict[str, Violation] = {}
    for opening in openings(graph):
        for listener in opening.listeners:
            for policy in policies_before(graph, opening, listener):
                spec = dig(policy.props, "spec")
                if _judges_claims(spec):
                    continue
                for provider in items(dig(spec, "jwt", "providers")):
                    if dig(provider, "audiences") not in (None, []):
                        continue
                    name = dig(provider, "name")
                    message = (
                        f"{policy} takes every token of its issuer (jwt.providers[{name}] without audiences): one made"
                        " for any other application of the house opens the models too."
                    )
                    change = (
                        f"Set jwt.providers[{name}].audiences to the one that tokens for the models carry."
                    )
                    found.setdefault(message, Violation(resource=policy, message=message, change=change))
    return list(found.values())


def _judges_claims(spec: Value) -> bool:
    rules = items(dig(spec, "authorization", "rules"))
    return any(dig(rule, "principal", "jwt") is not None for rule in rules)
