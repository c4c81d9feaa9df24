"""The reference of the `aa` command."""

import inspect

import click

from analytics_automated.cli import main
from generated_reference.tables import code, table


def commands_reference() -> str:
    """A section per command: how it is called, what it does, its options."""
    return "\n".join(_section(name, command) for name, command in main.commands.items())


def shown_options(command: click.Command) -> list[click.Option]:
    """The options that people are told of."""
    return [each for each in command.params if isinstance(each, click.Option) and not each.hidden]


def _section(name: str, command: click.Command) -> str:
    with click.Context(command, info_name=f"aa {name}") as context:
        usage = command.get_usage(context).removeprefix("Usage: ")
        records = [(each, each.get_help_record(context)) for each in shown_options(command)]
    rows = [(code(record[0]), record[1]) for _, record in records if record]
    parts = [f"## aa {name}", f"```text\n{usage}\n```", inspect.cleandoc(command.help or "")]
    if rows:
        parts.append(table(["Option", "Meaning"], rows))
    return "\n\n".join(parts) + "\n"
