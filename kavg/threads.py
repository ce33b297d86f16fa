"""One BLAS thread a rank: with more, bits could depend on how many there are."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController


@cache
def loaded_libraries() -> ThreadpoolController:
    """The BLAS in use; looking it up takes milliseconds, so once is enough."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def one_blas_thread() -> AbstractContextManager[object]:
    """Keep BLAS to one thread inside the ``with`` block."""
    limit: AbstractContextManager[object] = loaded_libraries().limit(limits=1, user_api="blas")
    return limit
