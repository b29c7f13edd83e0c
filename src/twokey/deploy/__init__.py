"""Where work may run: performance model, equivalence, placement, enforcement and the usage report."""

from __future__ import annotations

from twokey.deploy.devices import Hardware, hardware, of_chip
from twokey.deploy.shapes import Shape, model, models

__all__ = ["Hardware", "Shape", "hardware", "model", "models", "of_chip"]
