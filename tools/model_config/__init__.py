"""The config.json that vLLM needs for a model of the catalogue, without a network.

config_of(load_catalog().model("Qwen3-8B"))["num_hidden_layers"]
"""

from tools.model_config.general import NOT_SERVED, config_of
from tools.model_config.special import Config

__all__ = ["NOT_SERVED", "Config", "config_of"]
