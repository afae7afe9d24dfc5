"""The twins as ValidatingAdmissionPolicies, but for what a cluster adds: names, namespaces, settings and what is done.

`onprem_agents/manifests/admission.json` is made from this, so that a stack and the command line declare them without
knowing the rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .table import POLICIES
from .twins import SETTINGS, TWINS, Twin, scope
from .twins.twin import text

_SELF = (
    'request.kind.kind + " " + (request.namespace == "" ? "" : request.namespace + "/")'
    ' + object.metadata.?name.orValue(object.metadata.?generateName.orValue(""))'
)
# What a controller makes of an object that was judged is judged no more, and neither is what goes or did not change.
_CONDITIONS = (
    {
        "name": "written-by-people",
        "expression": '!(request.userInfo.username.startsWith("system:") && object.metadata.?ownerReferences'
        ".orValue([]).exists(o, o.?controller.orValue(false)))",
    },
    {"name": "not-being-deleted", "expression": "!object.metadata.?deletionTimestamp.hasValue()"},
    {
        "name": "changed",
        "expression": 'request.operation == "CREATE" || object.?spec != oldObject.?spec || object.?data !='
        " oldObject.?data || object.metadata.?labels != oldObject.metadata.?labels",
    },
)


def templates() -> dict[str, Any]:
    """Return the `scope`, variables of each twin about pods, and for each of the `twins` its spec in wire format.

    With the name of its policy, its level and description, and the names of its settings.
    """
    by_name = {policy.name: policy for policy in POLICIES}
    return {
        "scope": _variables(scope()),
        "twins": [
            {
                "policy": twin.policy,
                "level": by_name[twin.policy].level,
                "description": by_name[twin.policy].description,
                "settings": list(twin.settings),
                "aboutPods": twin.about_pods,
                "spec": _spec(twin),
            }
            for twin in TWINS
        ],
    }


def _variables(expressions: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "expression": expression} for name, expression in expressions.items()]


def _spec(twin: Twin) -> Mapping[str, Any]:
    variables = {
        "self": _SELF,
        **{name: SETTINGS[name] for name in twin.settings},
        **twin.variables,
        "faults": f"!variables.judged ? [] : ({twin.faults})" if twin.about_pods else twin.faults,
    }
    begins, ends = text(f"{twin.policy}: "), text(f": {twin.why}")
    message = f'{begins} + variables.self + " " + variables.faults.join(", ") + {ends}'
    return {
        "matchConstraints": {
            "matchPolicy": "Equivalent",
            "resourceRules": [
                {
                    "apiGroups": [each.group],
                    "apiVersions": ["*"],
                    "operations": ["CREATE", "UPDATE"],
                    "resources": list(each.plurals),
                    "scope": "Namespaced",
                }
                for each in twin.on
            ],
        },
        "matchConditions": [dict(condition) for condition in _CONDITIONS],
        "variables": _variables(variables),
        "validations": [
            {"expression": "variables.faults.size() == 0", "messageExpression": message, "reason": "Invalid"}
        ],
    }
