"""vLLM's server as seen from outside: typed flags to argv and back, and the facts of each release."""

from onprem_agents.vllm.argv import (
    COMMAND,
    UNREADABLE,
    ParsedServe,
    Unreadable,
    parse_argv,
    parse_options,
    to_argv,
    words_of,
)
from onprem_agents.vllm.conflicts import conflicts_met, takes_no_items
from onprem_agents.vllm.cuda import (
    Cuda,
    ImageCuda,
    cuda_of_branch,
    image_cuda,
    least_branch,
    newest_release_for,
    own_branch,
)
from onprem_agents.vllm.defaults import default_max_num_batched_tokens, default_max_num_seqs
from onprem_agents.vllm.flags import ServeFlags, field_of, option_of
from onprem_agents.vllm.history import (
    History,
    load_history,
    same_tool_parser,
    serves,
    unknown_option_hint,
    unknown_value_hint,
)
from onprem_agents.vllm.holes import HOLE
from onprem_agents.vllm.reader import UnknownOption
from onprem_agents.vllm.release import (
    DEFAULT_PORT,
    CompressedLayout,
    Image,
    MemoryRules,
    Release,
    image_of,
    known_releases,
    load_release,
    nearest_release,
    newest_release,
    releases_around,
    version_key,
)

__all__ = [
    "COMMAND",
    "DEFAULT_PORT",
    "HOLE",
    "UNREADABLE",
    "CompressedLayout",
    "Cuda",
    "History",
    "Image",
    "ImageCuda",
    "MemoryRules",
    "ParsedServe",
    "Release",
    "ServeFlags",
    "UnknownOption",
    "Unreadable",
    "conflicts_met",
    "cuda_of_branch",
    "default_max_num_batched_tokens",
    "default_max_num_seqs",
    "field_of",
    "image_cuda",
    "image_of",
    "known_releases",
    "least_branch",
    "load_history",
    "load_release",
    "nearest_release",
    "newest_release",
    "newest_release_for",
    "option_of",
    "own_branch",
    "parse_argv",
    "parse_options",
    "releases_around",
    "same_tool_parser",
    "serves",
    "takes_no_items",
    "to_argv",
    "unknown_option_hint",
    "unknown_value_hint",
    "version_key",
    "words_of",
]
