"""One bundle whose copies are the versions of these tests."""

from pathlib import Path

import pytest

from tests.bundles.helpers import tiny_bundle


@pytest.fixture(scope="package")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("versions") / "drinks")
