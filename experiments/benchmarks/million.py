"""A million learners in a laptop's memory: time and peak memory against P.

``python experiments/benchmarks/million.py [P ...]`` runs three rounds of block momentum, d = 100
and K = 4; each P in a process of its own, and prints seconds, nanoseconds per learner, step and
coordinate, and the largest memory of the process.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time

import kavg

ROUNDS, K, D = 3, 4, 100


def one(P: int) -> str:
    """One line of the table."""
    problem = kavg.Problem(kavg.objectives.DoubleWell(D), kavg.oracles.Gaussian(1.0), start=1.0)
    method = kavg.Algorithm(P, K, 0.01, kavg.outer.BlockMomentum(0.5))
    before = time.perf_counter()
    kavg.simulate(problem, method, rounds=ROUNDS)
    seconds = time.perf_counter() - before
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return f"{P:>9}  {seconds:8.2f}  {seconds / (ROUNDS * P * K * D) * 1e9:6.2f}  {memory:6.0f}"


def main(Ps: list[int]) -> None:
    """Print the table."""
    print(f"{'P':>9}  {'seconds':>8}  {'ns':>6}  {'MiB':>6}")
    for P in Ps:
        command = [sys.executable, __file__, "one", str(P)]
        print(subprocess.run(command, check=True, capture_output=True, text=True).stdout, end="")


if __name__ == "__main__":
    if sys.argv[1:2] == ["one"]:
        print(one(int(sys.argv[2])))
    else:
        main([int(word) for word in sys.argv[1:]] or [10**3, 10**4, 10**5, 10**6])
