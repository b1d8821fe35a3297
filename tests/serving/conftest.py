"""One bundle, and one server that most tests of the package ask."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bundles.helpers import tiny_bundle
from tests.serving.helpers import LIMITS, Server, running


@pytest.fixture(scope="package")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("bundles") / "drinks")


@pytest.fixture(scope="package")
def server(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("server"), f"bundle={bundle}", *LIMITS) as found:
        yield found
