"""The description for a package index: README.md, in which links to files are names of files.

An index has no file beside the text, so a link to one would lead nowhere. All else stands in pyproject.toml.
"""

import re
from pathlib import Path

from setuptools import setup


def _named(link: re.Match[str]) -> str:
    text, path = link.groups()
    return f"`{path}`" if text == path else f"{text} (`{path}`)"


README = Path("README.md").read_text(encoding="utf-8")

setup(
    long_description=re.sub(r"\[([^\]]+)\]\((?!https?:)([^)]+)\)", _named, README),
    long_description_content_type="text/markdown",
)
