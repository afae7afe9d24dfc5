"""vLLM's server as seen from outside: typed flags to argv and back, and the facts of each release."""

from onprem_agents.vllm.argv import COMMAND, UNREADABLE, ParsedServe, Unreadable, parse_argv, to_argv
from onprem_agents.vllm.defaults import default_max_num_batched_tokens, default_max_num_seqs
from onprem_agents.vllm.flags import ServeFlags, field_of, option_of
from onprem_agents.vllm.reader import UnknownOption
from onprem_agents.vllm.releases import (
    DEFAULT_PORT,
    TEMPLATE_FOLDER,
    History,
    Release,
    has_endpoint,
    known_releases,
    load_history,
    load_release,
    nearest_release,
    newest_release,
    same_tool_parser,
    unknown_option_hint,
    version_key,
)
from onprem_agents.vllm.shell import HOLE

__all__ = [
    "COMMAND",
    "DEFAULT_PORT",
    "HOLE",
    "TEMPLATE_FOLDER",
    "UNREADABLE",
    "History",
    "ParsedServe",
    "Release",
    "ServeFlags",
    "UnknownOption",
    "Unreadable",
    "default_max_num_batched_tokens",
    "default_max_num_seqs",
    "field_of",
    "has_endpoint",
    "known_releases",
    "load_history",
    "load_release",
    "nearest_release",
    "newest_release",
    "option_of",
    "parse_argv",
    "same_tool_parser",
    "to_argv",
    "unknown_option_hint",
    "version_key",
]
