"""Describes and runs task files; task files themselves must not use it."""
