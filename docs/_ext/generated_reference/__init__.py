"""A Sphinx extension: writes the generated parts of the reference where a page asks for them.

A page holds a line such as `<!-- generated: settings -->`. When Sphinx reads the page, that part takes the line's
place. Nothing is written to disk, so nothing can be out of date.
"""

import re
from collections.abc import Callable
from typing import Any

from generated_reference.commands import commands_reference
from generated_reference.executors import executors_reference
from generated_reference.http import problems_reference, routes_reference, shapes_reference
from generated_reference.pipeline_file import pipeline_file_reference
from generated_reference.settings import settings_reference
from generated_reference.validators import validators_reference
from generated_reference.values import values_reference

PARTS: dict[str, Callable[[], str]] = {
    "commands": commands_reference,
    "executors": executors_reference,
    "pipeline-file": pipeline_file_reference,
    "problems": problems_reference,
    "routes": routes_reference,
    "settings": settings_reference,
    "shapes": shapes_reference,
    "validators": validators_reference,
    "values": values_reference,
}
"""What can be generated, by the name that a page gives it."""

_MARK = re.compile(r"^<!-- generated: ([\w-]+) -->$", re.MULTILINE)


def fill(page: str) -> str:
    """The page with its generated parts. Raises `KeyError` for a part that there is not."""
    return _MARK.sub(lambda found: PARTS[found[1]](), page)


def setup(app: Any) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("source-read", _on_source_read)
    app.connect("env-get-outdated", _always_read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _on_source_read(_app: Any, _page: str, source: list[str]) -> None:
    source[0] = fill(source[0])


def _always_read(_app: Any, environment: Any, *_: Any) -> list[str]:
    """Pages with generated parts: what they are made from may have changed though their own file has not."""
    pages = environment.found_docs & set(environment.all_docs)
    return [page for page in pages if _MARK.search(environment.doc2path(page).read_text(encoding="utf-8"))]
