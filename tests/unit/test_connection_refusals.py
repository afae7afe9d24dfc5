"""What a connection contract from outside cannot do: act on a shell or terminal, or carry a key."""

from __future__ import annotations

import json

import pytest

from onprem_agents.contract.connection_file import parse
from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.stack.untrusted import looks_like_key
from tests.unit.contract_samples import CONTRACT, changed, contract

pytestmark = pytest.mark.unit


def refused(text: str) -> tuple[Problem, ...]:
    with pytest.raises(InvalidInput) as caught:
        parse(text, "contract.json")
    return caught.value.problems


HOSTILE_TEXTS = [
    "$(touch /tmp/x)",
    "`id`",
    "a; rm -rf ~",
    "a | sh",
    "a && b",
    "a > b",
    "a\nexport PATH=x",
    "a\\b",
    'a"b',
    "a'b",
    "\x1b]0;title\x07",
    "a\u202eb",
    "a\u0000b",
    "${IFS}",
    "<script>",
    "\ud800",
    "",
    "x" * 301,
]


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
@pytest.mark.parametrize(
    "path",
    [("stack",), ("auth", "keyHint"), ("tls", "caHint"), ("tls", "issuer"), ("tls", "secretName")],
    ids=".".join,
)
def test_text_that_could_act_on_a_shell_or_terminal_is_refused(path: tuple[str, ...], text: str) -> None:
    problems = refused(changed(*path, value=text))
    assert [problem.where for problem in problems] == [".".join(path)]
    assert all(problem.found.isprintable() for problem in problems)


@pytest.mark.parametrize("text", [text for text in HOSTILE_TEXTS if text not in ("a; rm -rf ~", "a'b")])
def test_a_reason_may_be_prose_but_not_a_program(text: str) -> None:
    assert len(refused(changed("roles", 0, "unsupportedReasons", value={"codex": text}))) == 1


@pytest.mark.parametrize(
    "host",
    [
        "../../etc/passwd",
        "a/b",
        "a b",
        "a$(id)",
        "-rf",
        "a..b",
        ".",
        "",
        "Agents.Example",
        "user@host",
        "host:443",
        "fe80::1%$(id)",
        "1.2.3.4.5",
        "999.1.1.1",
        "a_b.example",
        "ähm.example",
        "x" * 64,
        ".".join(["abcdefgh"] * 30),
    ],
)
def test_a_host_that_is_no_host_is_refused(host: str) -> None:
    assert "host" in [problem.where for problem in refused(changed("host", value=host))]


@pytest.mark.parametrize("host", ["agents.example.internal", "a", "10.0.0.7", "x1.y2"])
def test_plain_hosts_are_taken(host: str) -> None:
    data = json.loads(
        json.dumps(CONTRACT).replace("https://agents.example.internal/v1", f"https://{host}/v1")
    )
    data |= {"host": host, "anthropicBaseUrl": f"https://{host}"}
    assert parse(json.dumps(data), "sample").base_url == f"https://{host}/v1"


@pytest.mark.parametrize(
    "url",
    [
        "http://agents.example.internal/v1",  # a key in clear text
        "https://user:secret@agents.example.internal/v1",
        "https://agents.example.internal/v1?x=1",
        "https://agents.example.internal/v1#x",
        "https://agents.example.internal/../v1",
        "https://agents.example.internal/a/%2e%2e/v1",
        "https://agents.example.internal/$(id)/v1",
        "https://agents.example.internal:99999/v1",
        "https://agents.example.internal:/v1",
        "https://agents.example.internal//v1",
        "HTTPS://agents.example.internal/v1",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://[::1/v1",
        "agents.example.internal/v1",
        "https:///v1",
    ],
)
def test_an_address_that_is_not_plain_is_refused(url: str) -> None:
    problems = refused(changed("baseUrl", value=url))
    assert problems[0].where == "baseUrl"
    assert "secret" not in str(problems)


def test_both_addresses_must_be_the_same_but_for_v1() -> None:
    (problem,) = refused(changed("anthropicBaseUrl", value="https://agents.example.internal/v1"))
    assert problem.fix == "make baseUrl exactly anthropicBaseUrl followed by /v1"


def test_host_and_address_must_name_the_same_machine() -> None:
    (problem,) = refused(changed("host", value="evil.example.internal"))
    assert problem.found == "host evil.example.internal and baseUrl https://agents.example.internal/v1"


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-Zm9vYmFyYmF6",
        "the key is sk-local1234",
        "Bearer abcdef123456",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0",
        "AKIAIOSFODNN7EXAMPLE",
        "hf_abcdefghijklmnop",
        "glpat-abcdefghijklmnop",
        "0f3c9a7be1d24c58a6b7",  # 20 hex digits
        "XvV9q_3mT-0aZkL2pQ-7nBwRyE5uHs8dGfJc1oKi",  # what secrets.token_urlsafe gives
    ],
)
@pytest.mark.parametrize("path", [("auth", "keyHint"), ("tls", "caHint"), ("stack",)], ids=".".join)
def test_what_looks_like_a_key_is_refused_and_never_repeated(path: tuple[str, ...], secret: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(changed(*path, value=secret), "contract.json")
    (problem,) = caught.value.problems
    assert "looks like a key" in problem.found
    assert secret not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "onprem-agents keys show NAME -s organization/onprem-coding-agents/team",
        "https://wiki.example.internal/platform-engineering/coding-agents/how-to-get-a-key",
        "ask the task-force at platform@example.com",
        "/etc/ssl/certs/example-internal-root-ca-2026.pem",
    ],
)
def test_a_hint_of_words_is_not_mistaken_for_a_key(text: str) -> None:
    assert not looks_like_key(text)


@pytest.mark.parametrize(
    "model_id", ["Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8", "/mnt/models", "hf://a/b@main"]
)
def test_names_of_models_are_not_mistaken_for_keys(model_id: str) -> None:
    assert contract("roles", 0, "modelId", value=model_id).main.model_id == model_id


@pytest.mark.parametrize("name", ["apiKey", "token", "password", "clientSecret", "API_KEY"])
def test_a_field_for_a_secret_is_refused_by_name(name: str) -> None:
    (problem,) = refused(changed("auth", name, value="hunter2"))
    assert problem.where == f"auth.{name}"
    assert problem.why == "a contract never carries a secret"
    assert "hunter2" not in str(problem)


@pytest.mark.parametrize(
    "name", ["GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "OPENAI_API_KEY", "PATH", "ONPREM_", "onprem_x"]
)
def test_no_contract_can_make_an_agent_send_another_variable_as_its_key(name: str) -> None:
    (problem,) = refused(changed("auth", "keyEnv", value=name))
    assert problem.where == "auth.keyEnv"


@pytest.mark.parametrize("model", ["Qwen/Qwen3", "a,b", "a b", "", "-x", "a=b", "a;b", "x" * 64, "a\n"])
def test_a_served_name_has_no_slash_comma_or_blank(model: str) -> None:
    assert refused(changed("roles", 0, "model", value=model))[0].where == "roles[0].model"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("contextTokens", 0),
        ("contextTokens", -1),
        ("contextTokens", "131072"),
        ("contextTokens", True),
        ("contextTokens", 1.5),
        ("contextTokens", 10**30),
        ("temperature", 2.5),
        ("temperature", -0.1),
        ("temperature", "hot"),
        ("reasoning", "yes"),
        ("supportedAgents", ["$(id)"]),
        ("claudeCapabilities", ["-x;PATH=y"]),
        ("modelId", "../../etc/passwd"),
    ],
)
def test_a_role_with_a_value_of_the_wrong_kind_or_size_is_refused(key: str, value: object) -> None:
    assert refused(changed("roles", 0, key, value=value))[0].where.startswith(f"roles[0].{key}")


@pytest.mark.parametrize("version", [2, 99, 10**20])
def test_a_newer_contract_asks_for_a_newer_release_and_nothing_else(version: int) -> None:
    data = {"version": version, "somethingNew": True}
    (problem,) = refused(json.dumps(data))
    assert problem.where == "version"
    assert problem.fix.startswith("install the release")


@pytest.mark.parametrize("version", [0, -1, "1", True, None, 1.5])
def test_a_version_that_never_was_is_refused(version: object) -> None:
    assert refused(changed("version", value=version))[0].where == "version"


def test_a_missing_version_is_named() -> None:
    assert refused("{}")[0].where == "version"


@pytest.mark.parametrize("length", [1, 2, 40, 700, 1200, 1300])
def test_a_truncated_contract_says_where_it_ends(length: int) -> None:
    (problem,) = refused(json.dumps(CONTRACT)[:length])
    assert problem.found == "the text ends in the middle"
    assert problem.where.startswith("line 1, column ")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "nothing"),
        (" \n ", "nothing"),
        ("[]", "a list"),
        ("null", "None"),
        ('"text"', "'text'"),
        ("hello", "Expecting value"),
        ("{'a': 1}", "Expecting property name enclosed in double quotes"),
        ('{"version": NaN}', "the number NaN"),
        ('{"version": 1, "version": 1}', "the key 'version' twice in one object"),
        ("[" * 200_000, "objects nested without end"),
        ('{"version": ' + "1" * 5000 + "}", "Exceeds the limit (4300 digits) for integer string conversion"),
        ('{"version": "\x1b[2J"}', "the character '\\x1b'"),
        ('{"a": "\u202e"}', "the character '\\u202e'"),
        (" " * 1_048_577, "1048577 bytes"),
    ],
    ids=lambda value: value[:20],
)
def test_a_text_that_is_no_contract_is_one_clear_problem(text: str, found: str) -> None:
    (problem,) = refused(text)
    assert problem.found.startswith(found)
    assert problem.fix
