"""The Pulumi components: what pure code decided, declared. Nothing is computed here."""

from . import extra as extra
