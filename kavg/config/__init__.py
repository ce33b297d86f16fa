"""Settings files, converted to validated frozen values; all errors are reported together."""

from kavg.config.config import Config, Record, hash_config, hash_data
from kavg.config.settings_file import load_config, parse_config, to_toml
from kavg.config.table_conversion import json_schema

__all__ = [
    "Config",
    "Record",
    "hash_config",
    "hash_data",
    "json_schema",
    "load_config",
    "parse_config",
    "to_toml",
]
