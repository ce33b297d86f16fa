"""Settings in words, short enough for tables and progress."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kavg.text import shorten_repr


def abbreviate_settings(settings: Mapping[str, Any]) -> str:
    """Return settings as text, numbers to four digits; ``Point.label`` has all of them.

    >>> abbreviate_settings({"K": 4, "gamma": 0.0441941738241592})
    'K=4 gamma=0.04419'
    """
    return " ".join(f"{name}={_format_value(value)}" for name, value in settings.items())


def _format_value(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else shorten_repr(value).strip("'")
