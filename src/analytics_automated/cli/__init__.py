"""The `aa` command. Each command parses, calls one function, and presents."""

from analytics_automated.cli import applying, configuring, serving
from analytics_automated.cli.command import main

__all__ = ["applying", "configuring", "main", "serving"]
