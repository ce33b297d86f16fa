"""Run folders, checkpoints and archives: written whole or not at all, read without trust."""
