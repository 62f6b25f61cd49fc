"""Widget tests: they need the built page's code, and say so where it is missing."""

import pytest

from tunewidgets.widgets.page_code import STATIC


@pytest.fixture(scope="session", autouse=True)
def _built() -> None:
    if not all((STATIC / name).is_file() for name in ("tuning-explorer.js", "unit-scatter.js")):
        pytest.fail("tunewidgets/static is not built; run `npm ci && npm run build` in js/")
