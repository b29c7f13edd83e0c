"""What several files of these tests ask for."""

from __future__ import annotations

import pytest
from licensed import EXAMPLE

from twokey.deploy.constants import packaged
from twokey.deploy.enforce.policy import Policy, build
from twokey.deploy.place import place
from twokey.deploy.plan import read


@pytest.fixture(scope="session")
def real() -> Policy:
    p = read(EXAMPLE)
    return build(p, place(p, packaged(), prices=False))
