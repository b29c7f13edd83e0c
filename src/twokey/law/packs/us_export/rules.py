"""The rulebook that the modules of this pack write into."""

from twokey.law.engine.define import Rulebook

rules = Rulebook("us-export")
