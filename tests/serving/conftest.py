"""One bundle, one server that most tests of the package ask, and one with a page for its owner."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bundles.helpers import tiny_bundle
from tests.serving.admin_helpers import SHOP, Place, owned
from tests.serving.helpers import LIMITS, Server, running


@pytest.fixture(scope="package")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("bundles") / "drinks")


@pytest.fixture(scope="package")
def server(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("server"), f"bundle={bundle}", *LIMITS) as found:
        yield found


@pytest.fixture(scope="package")
def owner(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    settings = ("trust_proxy=true", f"api_key='{SHOP['X-API-Key']}'", "rate_limit_per_minute=5")
    with owned(tmp_path_factory.mktemp("owner"), bundle, *settings) as found:
        yield found
