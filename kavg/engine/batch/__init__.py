"""Several algorithms on one problem as one array axis: rows are points times replicas.

Points of equal ``P``, ``K`` and rounds take their local steps in the same arrays and share their
draws; each trajectory has the bits of ``simulate`` alone.  ``simulate_batch`` is what users call;
a command plans batches and runs one after another.
"""

from kavg.engine.batch.batch_simulation import simulate_batch
from kavg.engine.batch.execution import run_batch
from kavg.engine.batch.planning import Batch, plan_batches

__all__ = ["Batch", "plan_batches", "run_batch", "simulate_batch"]
