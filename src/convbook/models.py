"""Whole networks: what the last chapter trains."""

PRESETS = {}
