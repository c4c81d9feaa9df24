"""What the tests of all executors share."""

import pytest

pytest.register_assert_rewrite("executors.contract", "executors.batch_contract")
