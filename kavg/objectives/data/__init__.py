"""Data sets as checked arrays: read, generated, divided, digested."""

from kavg.objectives.data.dataset import Data
from kavg.objectives.data.preparation import Parts, Source, check_choices, digest, prepare
from kavg.objectives.data.synthetic import Synthetic

__all__ = ["Data", "Parts", "Source", "Synthetic", "check_choices", "digest", "prepare"]
