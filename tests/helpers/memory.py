"""What a call allocates."""

import tracemalloc
from collections.abc import Callable


def measure_peak(call: Callable[[], object]) -> int:
    """Return the most bytes that ``call()`` held at once beyond what was there before."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
