"""Django's settings for tests: those of an installation of its own on the stack that the tests run on."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import stacks

for _name in [name for name in os.environ if name.startswith("AA_") and not name.startswith(("AA_STRESS", "AA_TEST"))]:
    del os.environ[_name]
os.environ["AA_DATA_DIR"] = tempfile.mkdtemp(prefix="aa-tests-")
os.environ["AA_LOG_LEVEL"] = "WARNING"
os.environ.update(stacks.variables_of(Path(os.environ["AA_DATA_DIR"])))
atexit.register(shutil.rmtree, os.environ["AA_DATA_DIR"], ignore_errors=True)

from analytics_automated.config.settings import *  # noqa: E402,F403
