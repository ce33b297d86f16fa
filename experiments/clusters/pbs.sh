#!/usr/bin/env bash
#PBS -N kavg
#PBS -l select=2:ncpus=32:mpiprocs=32
#PBS -l place=scatter:excl
#PBS -l walltime=24:00:00
#PBS -j oe

# A run that may take longer than the time limit:
#   qsub -v SETTINGS=my.toml,FOLDER=runs/my pbs.sh
# Three minutes before the limit `timeout` sends SIGTERM; kavg writes a checkpoint and leaves with
# 143, this script submits itself again, and the next job goes on where this one stopped.
# Copy it to change the lines below; SCRIPT is then the copy.
set -euo pipefail
cd "$PBS_O_WORKDIR"

settings=${SETTINGS:-experiments/quickstart.toml}
folder=${FOLDER:-runs/$(basename "$settings" .toml)}
script=${SCRIPT:-experiments/clusters/pbs.sh}
limit=${LIMIT:-$((24 * 3600 - 180))} # seconds: the walltime above, less three minutes

# Here: what makes `kavg` and the site's MPI available, for example
#   module load python openmpi
#   . ~/kavg-venv/bin/activate

# kavg keeps BLAS to one thread a rank; this keeps its idle threads from being made.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

if [ -e "$folder" ]; then
  work=(resume "$folder")
else
  work=(run "$settings" --out "$folder" --set checkpoint.every=10m)
fi

ranks=$(wc -l <"$PBS_NODEFILE") # one line a rank, as mpiprocs says
code=0
timeout --preserve-status --signal=TERM "$limit" \
  mpiexec -n "$ranks" kavg "${work[@]}" --quiet || code=$?

# Open MPI's mpiexec leaves with 1 whatever its ranks leave with: at the limit, that is no failure.
case "$code" in
  129 | 138 | 140 | 143 | 152) signalled=1 ;; # SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, SIGXCPU
  *) signalled=0 ;;
esac
if [ "$signalled" -eq 1 ] || { [ "$code" -ne 0 ] && [ "$SECONDS" -ge "$limit" ]; }; then
  qsub -v "SETTINGS=$settings,FOLDER=$folder,SCRIPT=$script,LIMIT=$limit" "$script"
fi
exit "$code"
