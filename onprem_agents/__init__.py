"""Coding agents on models served on your own GPUs: the pure half, free of Pulumi."""

__version__ = "0.1.0"
