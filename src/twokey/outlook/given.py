"""What the flows of a block of paths are run on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twokey.outlook.keys import KeyPaths
from twokey.outlook.stocks import Floats
from twokey.outlook.strikes import Moments
from twokey.outlook.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Given:
    """Everything that is settled before the first step."""

    line: Timeline  # caps, duties and mandates by step
    x: Mapping[str, Floats]  # every input by name, shape (paths,)
    keys: KeyPaths  # the states of both keys
    fresh: Floats  # shares of approvals that convert, one for each opening of the import key, shape (n, paths)
    moments: Moments  # when chance events strike
    step_weeks: float
    h100e: float  # H100-equivalents (8-bit) of the controlled chip
    h100e_domestic: float  # the same of the domestic package
    precision: npt.DTypeLike = np.float32  # of the arrays: single counts a million chips to the sixteenth of one

    @property
    def paths(self) -> int:
        """Return the number of paths."""
        return int(self.keys.us.shape[1])
