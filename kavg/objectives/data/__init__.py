"""Data sets as validated arrays, and how they are read, generated, split and standardised."""

from kavg.objectives.data.dataset import Data
from kavg.objectives.data.preparation import DataSplit, Source, digest_data, prepare_data
from kavg.objectives.data.synthetic import Synthetic

__all__ = ["Data", "DataSplit", "Source", "Synthetic", "digest_data", "prepare_data"]
