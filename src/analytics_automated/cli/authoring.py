"""Commands that help to write pipeline files."""

import click

from analytics_automated.cli.command import data_option, main


@main.command()
@data_option
def schema() -> None:
    """Print the JSON Schema of pipeline files, by which editors complete and check them.

    It knows the validators and executors that are installed here.
    """
    import json

    from analytics_automated.pipelines.files.schema import pipeline_schema

    click.echo(json.dumps(pipeline_schema(), ensure_ascii=False, indent=2))
