"""What a package index shows: the text of README.md, which no file lies beside."""

from __future__ import annotations

import re
import subprocess
import sys
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

from tests.toolchain.installed import copy_sources

pytestmark = pytest.mark.toolchain

ROOT = Path(__file__).parents[2]
_METADATA = "import sys, setuptools.build_meta as b; b.prepare_metadata_for_build_wheel(sys.argv[1])"


@pytest.fixture(scope="module")
def metadata(tmp_path_factory: pytest.TempPathFactory) -> Message:
    source = copy_sources(tmp_path_factory.mktemp("source"))
    out = source / "metadata"
    out.mkdir()
    subprocess.run([sys.executable, "-c", _METADATA, out], cwd=source, check=True, capture_output=True)
    (file,) = out.glob("*.dist-info/METADATA")
    return Parser().parsestr(file.read_text(encoding="utf-8"))


def test_the_description_is_the_readme_as_markdown(metadata: Message) -> None:
    assert metadata["Description-Content-Type"] == "text/markdown"
    first = (ROOT / "README.md").read_text(encoding="utf-8").split("\n## ")[0]
    assert str(metadata.get_payload()).startswith(first.rstrip())


def test_no_link_or_picture_of_the_description_needs_a_file_beside_it(metadata: Message) -> None:
    text = str(metadata.get_payload())

    assert re.findall(r"\]\((?!https?:)[^)]*\)|<img|\[[^\]]+\]: (?!https?:)", text) == []
    assert "![" not in text, "a picture of the readme is text, so that it is seen everywhere"


def test_a_page_is_still_named_where_its_link_was(metadata: Message) -> None:
    text = str(metadata.get_payload())

    assert "a real cluster (`docs/cluster.md`)" in text
    assert "| `docs/hardware.md` |" in text, "a link whose text is the path names it once"
