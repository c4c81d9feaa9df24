"""The `aa` command. Each command parses, calls one function, and presents."""

from analytics_automated.cli import applying, authoring, configuring, examples, serving
from analytics_automated.cli.command import main

__all__ = ["applying", "authoring", "configuring", "examples", "main", "serving"]
