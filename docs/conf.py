"""Sphinx's configuration: `sphinx-build -W --keep-going -b html docs site`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

from analytics_automated import __version__

project = "A_A"
author = "The A_A authors"
copyright = author
release = version = __version__

extensions = ["myst_parser", "generated_reference"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_ext"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
nitpicky = True

html_theme = "furo"
html_title = "A_A"
html_copy_source = False
html_show_sphinx = False
