"""A settings file to checked, frozen values, and its faults to words."""

from kavg.config.config import Config, load, parse, schema, to_toml

__all__ = ["Config", "load", "parse", "schema", "to_toml"]
