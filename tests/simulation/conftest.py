"""The prelude is made once a worker: it holds two applications and every envelope sealed so far."""

import pytest
from simulation.prelude import Prelude, prelude


@pytest.fixture(scope="session")
def given() -> Prelude:
    return prelude()
