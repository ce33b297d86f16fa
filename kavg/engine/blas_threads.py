"""One BLAS thread a rank: with more, bits could depend on how many there are."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController


@cache
def get_blas_controller() -> ThreadpoolController:
    """The BLAS in use; looking it up takes milliseconds, so once is enough."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def limit_blas_to_one_thread() -> AbstractContextManager[object]:
    """Keep BLAS to one thread inside the ``with`` block.

    Inside another such block, where there is nothing to do, this costs a tenth of the 6
    microseconds that setting the limit takes.
    """
    libraries = get_blas_controller().lib_controllers
    if all(one.num_threads == 1 for one in libraries if one.user_api == "blas"):
        return nullcontext()
    limit: AbstractContextManager[object] = get_blas_controller().limit(limits=1, user_api="blas")
    return limit
