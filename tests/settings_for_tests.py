"""Django's settings for tests: those of an installation with nothing configured, in a folder of its own."""

import atexit
import os
import shutil
import tempfile

_database_url = os.environ.get("AA_TEST_DATABASE_URL")
for _name in [name for name in os.environ if name.startswith("AA_") and not name.startswith("AA_STRESS")]:
    del os.environ[_name]
os.environ["AA_DATA_DIR"] = tempfile.mkdtemp(prefix="aa-tests-")
os.environ["AA_LOG_LEVEL"] = "WARNING"
if _database_url:
    os.environ["AA_DATABASE_URL"] = _database_url
atexit.register(shutil.rmtree, os.environ["AA_DATA_DIR"], ignore_errors=True)

from analytics_automated.config.settings import *  # noqa: E402,F403
