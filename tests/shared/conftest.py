"""Zone data as both programs have it: the product's own, for ours and for the oracle."""

from collections.abc import Iterator

import pytest
import whenever

from shared.zone_data import use_own_zone_data


@pytest.fixture(scope="session")
def own_zone_data() -> Iterator[None]:
    """Lets `zoneinfo`, which we use, and `whenever`, the oracle, read the bundled zone data alone."""
    use_own_zone_data()
    whenever.reset_tzpath(())
    yield
    whenever.reset_tzpath()
