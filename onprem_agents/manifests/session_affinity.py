"""Which replica a request goes to: all turns of one session to the same one, whose prefix cache knows them.

The Lua script that reads bodies sets one header to a digest, and Envoy hashes it over the replicas' own addresses.
The digest is made of the developer, whom the key check found, and of the first that a request has of: the session
that its agent names in a header, the one that its body names, the conversation's head (the texts up to the end of the
user's first message), nothing more. A body's fields count only where they stand before that message: what follows
grows with each turn, and the script looks at the first 64 KiB alone.

Maglev is what Envoy Gateway 1.9 has (`ConsistentHash`): its table gives equal shares, and a pod that comes or goes
moves hardly any other session (docs/adr/0016-session-affinity.md has figures).
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from onprem_agents.manifests.gateway_auth import CLIENT_ID_HEADER, SECOND_KEY
from onprem_agents.manifests.meta import Manifest, manifest
from onprem_agents.plan import GATEWAY_NAME, IngressPart

AFFINITY_HEADER = "x-onprem-affinity"
"""Set by the gateway alone: copies that a client sends are removed before anything is chosen."""

COMPONENT = "external-ingress"
BALANCE = {"hash_balance_factor": 125}
"""Envoy's `consistent_hashing_lb_config`: no replica has more than 125 % of the mean of requests at once, and one."""
_CONSISTENT_HASHING = (
    "/load_balancing_policy/policies/0/typed_extension_config/typed_config/consistent_hashing_lb_config"
)

SESSION_HEADERS = ("x-claude-code-session-id", "session-id", "x-session-affinity", "x-session-id")
"""By what agents name a session: Claude Code 2.1.330; Codex 0.169.0; opencode 1.18.33, both (run 2026-11)."""

_FUNCTIONS = """\
local AFFINITY = "@AFFINITY_HEADER@"
local DEVELOPER = "@DEVELOPER_HEADER@"
local SECOND_KEY = "@SECOND_KEY@"
local SESSIONS = { @SESSIONS@ }
local USERS = { messages = true, input = true }
local READ = { messages = true, input = true, system = true, instructions = true, metadata = true }
local LONGEST = 4096

-- Whole numbers below 2^53 all the way, so that every Lua counts alike.
local function digest(text)
  local sum = 5381
  for at = 1, #text do sum = (sum * 65599 + string.byte(text, at)) % 4294967291 end
  return string.format("%08x", sum)
end

local function session_of(headers)
  for _, name in ipairs(SESSIONS) do
    local value = headers:get(name)
    if value and value ~= "" then return string.sub(value, 1, LONGEST) end
  end
end

-- The session that a body names, or its texts until the user's first message ends, or nil.
local function head_of(text)
  if not string.find(text, "^%s*{") then return nil end
  local texts, depth, at = {}, 0, 1
  local section, key, role
  while true do
    local found = string.find(text, '[{}%[%]"]', at)
    if not found then break end
    local char = string.byte(text, found)
    if char == 34 then
      local after = string_end(text, found)
      if depth == 1 or READ[section] then
        local value = string.sub(text, found + 1, after and after - 2 or #text)
        if after and string.find(text, "^%s*:", after) then
          key = value
          if depth == 1 then section = value end
        elseif depth == 1 and section == "prompt_cache_key" then
          return value
        elseif section == "metadata" then
          if depth == 2 and key == "user_id" and string.find(value, "session", 1, true) then return value end
        elseif depth == 3 and USERS[section] and key == "role" then
          role = value
        elseif READ[section] and (depth == 1 or key == "text" or key == "content") then
          texts[#texts + 1] = #value .. ":" .. string.sub(value, 1, LONGEST)
          if depth == 1 and section == "input" then break end
        end
      end
      if not after then break end
      at = after
    else
      if char == 123 or char == 91 then depth = depth + 1 else depth = depth - 1 end
      if depth <= 0 or depth == 2 and char == 125 and USERS[section] and role == "user" then break end
      at = found + 1
    end
  end
  if #texts > 0 then return table.concat(texts, "\\n") end
end

local function stick(handle, session)
  local headers = handle:headers()
  local developer = headers:get(DEVELOPER) or ""
  if string.sub(developer, -#SECOND_KEY) == SECOND_KEY then
    developer = string.sub(developer, 1, -#SECOND_KEY - 1)
  end
  if session or developer ~= "" then
    headers:replace(AFFINITY, digest(developer .. "\\n" .. (session or "")))
  else
    headers:remove(AFFINITY)
  end
end

"""


def affinity_functions() -> str:
    """Return what the script's main function calls; it needs `string_end` before it."""
    return (
        _FUNCTIONS.replace("@AFFINITY_HEADER@", AFFINITY_HEADER)
        .replace("@DEVELOPER_HEADER@", CLIENT_ID_HEADER)
        .replace("@SECOND_KEY@", SECOND_KEY)
        .replace("@SESSIONS@", ", ".join(json.dumps(name) for name in SESSION_HEADERS))
    )


def balance_policy(part: IngressPart, route: str, rules: Sequence[int]) -> Manifest:
    """Return the EnvoyPatchPolicy that bounds each replica's part of the requests, for these rules of an HTTPRoute.

    Envoy Gateway 1.9.1 has no field for it; it names a rule's cluster `httproute/<namespace>/<route>/rule/<number>`
    (internal/gatewayapi/helpers.go, read 2026-11).
    """
    patches = [
        {
            "type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
            "name": f"httproute/{part.namespace}/{route}/rule/{number}",
            "operation": {"op": "add", "path": _CONSISTENT_HASHING, "value": dict(BALANCE)},
        }
        for number in rules
    ]
    return manifest(
        part,
        "gateway.envoyproxy.io/v1alpha1",
        "EnvoyPatchPolicy",
        f"{GATEWAY_NAME}-balance",
        component=COMPONENT,
        spec={
            "targetRef": {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": GATEWAY_NAME},
            "type": "JSONPatch",
            "jsonPatches": patches,
        },
    )


def load_balancer() -> Manifest:
    """Return the `loadBalancer` of a BackendTrafficPolicy that keeps a session on its replica."""
    return {
        "type": "ConsistentHash",
        "consistentHash": {"type": "Headers", "headers": [{"name": AFFINITY_HEADER}]},
    }
