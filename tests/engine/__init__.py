"""The contract of the engines: what must be true of a run whatever its functions do."""

import pytest

pytest.register_assert_rewrite("engine.harness")
