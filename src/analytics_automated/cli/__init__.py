"""The `aa` command. Each command parses, calls one function, and presents."""

from analytics_automated.cli import authoring, configuring, serving
from analytics_automated.cli.command import main

__all__ = ["authoring", "configuring", "main", "serving"]
