"""Run folders, checkpoints, archives and tables: written atomically, validated when read."""

from kavg.storage.digests import digest, joint_digest
from kavg.storage.run_folder import RunFolder, StoredRun
from kavg.storage.tables import ResultTable, load_results
from kavg.storage.trajectories import load_trajectories

__all__ = [
    "ResultTable",
    "RunFolder",
    "StoredRun",
    "digest",
    "joint_digest",
    "load_results",
    "load_trajectories",
]
