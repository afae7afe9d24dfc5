"""Text of so many tokens, as the server at hand counts them."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

# Short words of English and of code: with the blank before it each is one token of the tokenizers of 2026-11, and drawn
# at random they are nobody's text and no two prompts begin alike.
_TEXT = (
    "the of and to in is that for it as with on be by this are from or an at not have was but all can if will each "
    "which their time how other about out many then them write would like so these her long make thing see two more "
    "day could go come did number sound no most people over know water than call first who may down side been now "
    "find new part take get place made live where after back little only round man year came show every good me "
    "give our under name very through just form great think say help low line before turn cause same mean differ "
    "move right boy old too does tell sentence set three want air well also play small end put home read hand port "
    "large spell add even land here must big high such follow act why ask men change went light kind off need house "
    "picture try us again animal point mother world near build self return class def import value error list file "
    "test data code "
)
_WORDS = tuple(_TEXT.split())


@dataclass(frozen=True, kw_only=True)
class Words:
    """How a server counts: tokens of one word, and of a request beside its words."""

    tokens_per_word: float = 1.0

    @classmethod
    def measured(cls, few: tuple[int, int], many: tuple[int, int]) -> Words:
        """Return the count from two prompts, each as words and the tokens that a server told for it."""
        (words, tokens), (more_words, more_tokens) = few, many
        if more_tokens <= tokens:
            return cls()  # it told nothing of use: a word is about a token
        return cls(tokens_per_word=(more_tokens - tokens) / (more_words - words))

    def text(self, tokens: int, chance: Random) -> str:
        """Return words that make about so many tokens."""
        return sample(max(1, round(tokens / self.tokens_per_word)), chance)


def sample(words: int, chance: Random) -> str:
    """Return so many words."""
    return " ".join(chance.choices(_WORDS, k=words))
