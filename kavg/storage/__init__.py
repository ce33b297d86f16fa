"""Run folders, checkpoints and archives: written atomically, validated when read."""

from kavg.storage.digests import digest, joint_digest
from kavg.storage.run_folder import RunFolder, StoredRun
from kavg.storage.trajectories import load_trajectories

__all__ = ["RunFolder", "StoredRun", "digest", "joint_digest", "load_trajectories"]
