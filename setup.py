"""What `pyproject.toml` cannot say: the packages below each folder, and the description for a package index.

An index has no file beside the text, so in README.md links to files become names of files.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from setuptools import find_packages, setup

PROJECT = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
README = Path("README.md").read_text(encoding="utf-8")


def _packages() -> Iterator[str]:
    for package, folder in PROJECT["tool"]["setuptools"]["package-dir"].items():
        yield package
        yield from (f"{package}.{below}" for below in find_packages(folder))


def _named(link: re.Match[str]) -> str:
    text, path = link.groups()
    return f"`{path}`" if text == path else f"{text} (`{path}`)"


setup(
    packages=list(_packages()),
    long_description=re.sub(r"\[([^\]]+)\]\((?!https?:)([^)]+)\)", _named, README),
    long_description_content_type="text/markdown",
)
