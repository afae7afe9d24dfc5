"""The programs that the local default runs: found, fetched or built, and kept by version."""

from embedded.toolchain.binary import Binary, Origin
from embedded.toolchain.data_modules import module_dir
from embedded.toolchain.provision import NAMES, present, provision

__all__ = ["NAMES", "Binary", "Origin", "module_dir", "present", "provision"]
