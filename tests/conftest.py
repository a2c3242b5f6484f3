"""What several tests need."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with the measured tables of other projects."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("BAYESMIX_DATA", beside))
    if not folder.is_dir():
        pytest.skip("measured tables not found: set BAYESMIX_DATA")
    return folder
