"""What all tests share: the helpers beside them (`films`, `browser.lab`) can be imported by name."""

import sys
from pathlib import Path

import pytest

# Its assertions show what they compare, as those of a test do.
pytest.register_assert_rewrite("browser.lab")
sys.path.insert(0, str(Path(__file__).parent))
