"""Data sets as validated arrays, and how they are read, generated, split and standardised."""

from kavg.objectives.data.data_file import DataFile
from kavg.objectives.data.dataset import Data
from kavg.objectives.data.preparation import (
    DataSplit,
    Preparation,
    Source,
    digest_data,
    prepare_data,
)
from kavg.objectives.data.report import DataReport
from kavg.objectives.data.synthetic import Synthetic

__all__ = [
    "Data",
    "DataFile",
    "DataReport",
    "DataSplit",
    "Preparation",
    "Source",
    "Synthetic",
    "digest_data",
    "prepare_data",
]
