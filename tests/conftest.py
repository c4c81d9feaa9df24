"""What all tests share: a data folder of their own, made before Django's settings are read."""

import os
import tempfile

for _name in [name for name in os.environ if name.startswith("AA_") and not name.startswith("AA_STRESS")]:
    del os.environ[_name]
os.environ["AA_DATA_DIR"] = tempfile.mkdtemp(prefix="aa-tests-")
os.environ["AA_LOG_LEVEL"] = "WARNING"
