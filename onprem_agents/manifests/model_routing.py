"""Several roles behind one host, and names of hosted models: what a request is for stands in its JSON body.

Plain Gateway API routes on headers only, so a small Lua script reads the body's top-level "model" and sets a
header that the routes match; Envoy then picks the route anew (its Lua filter clears the route cache when a
script changes headers). Where an alias fits, the script writes the main role's own name in its place, so server
and translation proxy never see another. It runs after the key was checked. A body that is no JSON, or names a
model that is not served, is left as it is and goes to the main role, whose server gives the proper error.

Envoy Gateway 1.9 runs Lua only where its configuration says `extensionApis.enableLua: true`; otherwise it
answers 500 on these routes. A stack with one role of one replica and no aliases needs none of this.
"""

from __future__ import annotations

import json

from onprem_agents.manifests.meta import Manifest, manifest
from onprem_agents.manifests.session_affinity import affinity_functions
from onprem_agents.plan import GATEWAY_NAME, IngressPart

MODEL_HEADER = "x-onprem-model"
"""Set by the gateway alone: copies that a client sends are removed before anything is matched."""

COMPONENT = "external-ingress"

# The first part of the body is looked at before the rest is copied into Lua: every agent of 2026-11 sends
# "model" as its first key, and a long conversation is megabytes.
_FIRST_LOOK_BYTES = 65_536

_SCRIPT = """\
local SERVED = { @SERVED@ }
local ALIASES = { @ALIASES@ }
local MAIN = "@MAIN@"
local FIRST_LOOK = @FIRST_LOOK@
local HEADER = "@HEADER@"

-- Position after the string that opens at `open`, or nil when it does not close.
local function string_end(text, open)
  local at = open + 1
  while true do
    local found = string.find(text, '["\\\\]', at)
    if not found then return nil end
    if string.byte(text, found) == 34 then return found + 1 end
    at = found + 2
  end
end

-- Value of the top-level key "model" when it is a plain string, and where it begins.
local function model_of(text)
  if not string.find(text, "^%s*{") then return nil end
  local depth, at = 0, 1
  while true do
    local found = string.find(text, '[{}%[%]"]', at)
    if not found then return nil end
    local char = string.byte(text, found)
    if char == 34 then
      local after = string_end(text, found)
      if not after then return nil end
      if depth == 1 and string.sub(text, found, after - 1) == '"model"' then
        local _, quote, value = string.find(text, '^%s*:%s*"([^"\\\\]*)"', after)
        if value then return value, quote - #value end
      end
      at = after
    else
      if char == 123 or char == 91 then depth = depth + 1 else depth = depth - 1 end
      if depth <= 0 then return nil end
      at = found + 1
    end
  end
end

local function is_alias(model)
  for _, beginning in ipairs(ALIASES) do
    if string.sub(model, 1, #beginning) == beginning then return true end
  end
  return false
end

@AFFINITY@function envoy_on_request(handle)
  handle:headers():remove(HEADER)
@BY_HEADER@  local body = handle:body()
  if not body then @NO_BODY@return end
  local length = body:length()
  local look = body:getBytes(0, math.min(length, FIRST_LOOK))
@BY_BODY@  local model, at = model_of(look)
  if not model and length > FIRST_LOOK then
    model, at = model_of(body:getBytes(0, length))
  end
  if not model then return end
  local headers = handle:headers()  -- fetched anew: body() may have waited
  if SERVED[model] then
    headers:replace(HEADER, model)
  elseif is_alias(model) then
    local text = body:getBytes(0, length)
    local written = body:setBytes(string.sub(text, 1, at - 1) .. MAIN .. string.sub(text, at + #model))
    if headers:get("content-length") then headers:replace("content-length", tostring(written)) end
  end
end
"""


def routes_by_model(part: IngressPart, paths: tuple[str, ...]) -> bool:
    """Return whether requests on `paths` must be told apart by their model."""
    return len(part.servers) > 1 and bool(paths)


def reads_bodies(part: IngressPart, paths: tuple[str, ...]) -> bool:
    """Return whether the script is needed at all: for `paths`, for other names of the main role, or for sessions."""
    return routes_by_model(part, paths) or bool(part.model_aliases) or part.keeps_sessions


# What the script does besides where sessions keep to a replica.
_BY_HEADER = """\
  local session = session_of(handle:headers())
  if session then stick(handle, session) end
"""
_HEADER_IS_ENOUGH = """\
  if session then return end
"""
_NO_BODY = "if not session then stick(handle) end "
_BY_BODY = """\
  if not session then stick(handle, head_of(look)) end
"""


def lua_script(
    models: tuple[str, ...], main: str, aliases: tuple[str, ...] = (), *, affinity: bool = False
) -> str:
    """Return the script that sets the model header for one of `models`, and writes `main` where an alias fits.

    With `affinity` it also says which requests belong to one session. Then it may hold no body of a request whose
    session stands in a header: where there is no model to look for.
    """
    served = ", ".join(f"[{json.dumps(model)}] = true" for model in models)
    beginnings = ", ".join(json.dumps(alias.removesuffix("*")) for alias in aliases)
    by_header = _BY_HEADER if models or aliases else _BY_HEADER + _HEADER_IS_ENOUGH
    return (
        _SCRIPT.replace("@AFFINITY@", affinity_functions() if affinity else "")
        .replace("@BY_HEADER@", by_header if affinity else "")
        .replace("@NO_BODY@", _NO_BODY if affinity else "")
        .replace("@BY_BODY@", _BY_BODY if affinity else "")
        .replace("@SERVED@", served)
        .replace("@ALIASES@", beginnings)
        .replace("@MAIN@", main)
        .replace("@FIRST_LOOK@", str(_FIRST_LOOK_BYTES))
        .replace("@HEADER@", MODEL_HEADER)
    )


def extension_policy(part: IngressPart, route: str, paths: tuple[str, ...]) -> Manifest:
    """Return the EnvoyExtensionPolicy of one HTTPRoute, whose rules tell models apart on `paths`."""
    names = tuple(server.name for server in part.servers)
    models = names if routes_by_model(part, paths) else ()
    script = lua_script(models, names[0], part.model_aliases, affinity=part.keeps_sessions)
    return manifest(
        part,
        "gateway.envoyproxy.io/v1alpha1",
        "EnvoyExtensionPolicy",
        f"{GATEWAY_NAME}-model-routing",
        component=COMPONENT,
        spec={
            "targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": route}],
            "lua": [{"type": "Inline", "inline": script}],
        },
    )
