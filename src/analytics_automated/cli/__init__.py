"""The `aa` command. Each command parses, calls one function, and presents."""

from analytics_automated.cli import applying, configuring, examples, serving
from analytics_automated.cli.command import main

__all__ = ["applying", "configuring", "examples", "main", "serving"]
