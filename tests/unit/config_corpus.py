"""Configuration files as people have them, and a seeded generator of more: JSON, JSONC and TOML."""

from __future__ import annotations

import json
import random
from typing import Any

OPENCODE = {
    "empty": "",
    "empty object": "{}\n",
    "one line": '{"theme": "dark", "model": "anthropic/claude"}',
    "comments": """// my settings
{
  // the look
  "theme": "dark", // really
  /* keep
     this */
  "keybinds": {"leader": "ctrl+x"},
  "model": "anthropic/claude" // was another one
}
// the end
""",
    "trailing commas": '{\n\t"instructions": ["A.md", "B.md",],\n\t"mcp": {"x": {"command": ["a",]},},\n}\n',
    "own providers": """{
    "provider": {
        "local": { "npm": "@ai-sdk/openai-compatible", "models": { "a": {} } } // mine
    },
    "enabled_providers": ["local"],
    "permission": { "bash": { "git push": "ask", "*": "allow" } }
}""",
    "a permission word": '{ "permission": "ask" }',
    "an earlier setup": '{"provider": {"onprem": {"options": {"baseURL": "http://old/v1", "headers": {"a": "b"}}}}}',
    "comment in an empty object": '{ // nothing yet\n  "agent": { /* none */ }\n}\n',
    "windows line ends": '{\r\n  // look\r\n  "theme": "dark"\r\n}\r\n',
    "byte order mark": '\ufeff{\n  "theme": "dark"\n}\n',
    "slashes in texts": '{"a": "http://x//y /* no comment */", "b": "\\" // \\\\"}',
    "letters of the world": '{"username": "Zoë 漢字 🙂", "x": "\\u00e9"}',
}
CLAUDE = {
    "empty object": "{}",
    "hooks and permissions": """{
  "permissions": {
    "allow": ["Bash(npm run test:*)"],
    "deny": ["Read(./.env)"]
  },
  "hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "true"}]}]},
  "env": {"EDITOR": "vi", "ANTHROPIC_API_KEY": "not_set_either!"},
  "model": "opus"
}
""",
    "numbers": '{"cleanupPeriodDays": 30, "a": -0.5e-3, "b": [1, 2, []], "c": null, "d": false}',
}
CODEX = {
    "empty": "",
    "comments and an array of tables": """# my codex
model = "gpt-5.6" # the big one
notify = [
  "notify-send", # desktop
  "codex",
]

[tui]
theme = 'dark'

# two hooks
[[hooks.pre]]
command = "a" # first

[[hooks.pre]]
command = "b"

[projects."/home/me/work"]
trust_level = "trusted"
""",
    "other providers": """model_provider = "openai"
[model_providers.azure]
name = "Azure"
query_params = { api-version = "2025-04-01" }
# the end of azure
[mcp_servers.docs]
command = "npx"
args = ["-y", "docs"]
""",
    "an earlier setup with chat": """model_provider = "onprem"
[model_providers.onprem]
name = "On-Prem" # ours
base_url = "http://old/v1"
env_key = "ONPREM_API_KEY"
wire_api = "chat"
""",
    "inline tables": 'features = { web_search = true }\nanalytics = {enabled = true}\nmodel = "x"\n',
    "dotted keys": 'features.web_search = true\nanalytics.enabled = true\nmodel = "x"\n',
    "tables out of order": "[features]\na = true\n[tui]\nb = 1\n[features.sub]\nc = 2\n",
    "windows line ends": '# c\r\nmodel = "x"\r\n\r\n[tui]\r\na = 1\r\n',
    "dates and long texts": "d = 1979-05-27T07:32:00Z\nt = \"\"\"\n# no comment\n[no.table]\n\"\"\"\nl = '''C:\\x'''\n",
}
BROKEN = {
    "json": [
        ("{", 1),
        ('{\n  "a": 1\n  "b": 2\n}', 3),
        ('{\n  "a": 1,\n}', 2),
        ('{\n  // why\n  "a": 1\n}', 2),
        ('{"a": 1}\n{"b": 2}', 2),
        ('{\n"a": 1,\n"a": 2\n}', 3),
        ("[]", 1),
        ('{"a": "line\nend"}', 1),
        ("{'a': 1}", 1),
        ('{"a": tru}', 1),
        ('{"a": NaN}', 1),
        ("[" * 5000, 1),
        ('{\n\n"a": 01}', 3),
    ],
    "jsonc": [
        ("{ /* never closed\n", 1),
        ('{"a": 1,, "b": 2}', 1),
        ("// only a comment\n", 2),
        ('{,"a": 1}', 1),
    ],
    "toml": [
        ("model = \n", 1),
        ('a = 1\n[tui\nb = "x"\n', 2),
        ("a = 1\na = 2\n", 2),
        ("[a]\n[b]\n[a]\n", 3),
        ('\n\na = "open\n', 3),
        ("a = 1\nnonsense\n", 2),
    ],
}


def generated_json(seed: int, *, comments: bool, tables: frozenset[str] = frozenset()) -> str:
    """Return a random object as people and tools write them; with comments and trailing commas on wish.

    `tables` are names that the agent reads a table under.
    """
    choice = random.Random(seed)  # noqa: S311 - the same texts each time
    step = choice.choice(["  ", "    ", "\t"])
    text = _json(_object(choice, 0, _TABLES | tables), choice, step, 0, comments=comments)
    if comments:
        text = (
            choice.choice(["", "// head\n", "/* head */ "]) + text + choice.choice(["", "\n", "\n// tail\n"])
        )
    return text


_TABLES = frozenset({"env", "permissions", "provider", "mcp", "agent", "permission"})


def _object(choice: random.Random, depth: int, tables: frozenset[str] = _TABLES) -> dict[str, Any]:
    names = [
        "env",
        "permission",
        "permissions",
        "provider",
        "theme",
        "mcp",
        "agent",
        "x y",
        "é",
        "model",
        "a.b",
    ]
    result: dict[str, Any] = {}
    for name in choice.sample(names, choice.randint(0, 6)):
        if name in tables:
            result[name] = _object(choice, depth + 1, tables) if depth < 3 else {}
        else:
            result[name] = choice.choice(
                ["dark", 'q"uo\\te // x', 3, -1.5, True, None, [], ["a", 1, {"b": []}]]
            )
    return result


def _json(value: Any, choice: random.Random, step: str, depth: int, *, comments: bool) -> str:
    if not isinstance(value, dict) or (value and choice.random() < 0.2):
        return json.dumps(value, ensure_ascii=choice.random() < 0.5)

    def note() -> str:
        return choice.choice(["", "", " // note", " /* note */"]) if comments else ""

    inner, outer = "\n" + step * (depth + 1), "\n" + step * depth
    rows = [
        f"{json.dumps(key)}:{choice.choice([' ', ''])}{_json(item, choice, step, depth + 1, comments=comments)}"
        for key, item in value.items()
    ]
    body = "".join(
        f"{inner}{row}{',' if index + 1 < len(rows) or (comments and choice.random() < 0.3) else ''}{note()}"
        for index, row in enumerate(rows)
    )
    return "{" + note() + body + (outer if rows or comments else "") + "}"


def generated_toml(seed: int) -> str:
    """Return a random TOML text with comments, tables, arrays of tables and inline tables."""
    choice = random.Random(seed)  # noqa: S311 - the same texts each time
    lines = [choice.choice(["# head", "", "#!x"])]
    names = ["model", "notify", "web_search", "top", "approval_policy"]
    lines += [
        f"{name} = {_scalar(choice)}{choice.choice(['', '  # why', ' #x'])}"
        for name in choice.sample(names, choice.randint(0, 4))
    ]
    tables = [
        "tui",
        "features",
        "model_providers.azure",
        "model_providers.onprem",
        "mcp_servers.a",
        "analytics",
    ]
    for name in choice.sample(tables, choice.randint(0, 5)):
        lines += choice.choice([[], [""], ["", f"# about {name}"]])
        lines.append(f"[{name}]{choice.choice(['', ' # here'])}")
        for key in choice.sample(["a", "b", "enabled", "name", '"x y"'], choice.randint(0, 3)):
            lines.append(f"{choice.choice(['', '  '])}{key} = {_scalar(choice)}")
    for index in range(choice.randint(0, 2)):
        lines += [f"[[hooks.pre]] # {index}", f"command = {_scalar(choice)}"]
    return "\n".join(lines) + choice.choice(["", "\n", "\n\n# tail\n"])


def _scalar(choice: random.Random) -> str:
    return choice.choice(
        [
            '"x"',
            "'li#teral'",
            "3",
            "true",
            "1.5",
            "[1, 2]",
            '["a", # in\n  "b"]',
            "{ a = 1, b = 'c' }",
            "2026-11-24",
        ]
    )
