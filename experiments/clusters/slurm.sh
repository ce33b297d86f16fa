#!/usr/bin/env bash
#SBATCH --job-name=kavg
#SBATCH --ntasks=64
#SBATCH --cpus-per-task=1
#SBATCH --hint=nomultithread
#SBATCH --time=24:00:00
#SBATCH --signal=TERM@180
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%j.out

# A run that may take longer than the time limit: sbatch slurm.sh [SETTINGS [FOLDER]].
# Three minutes before the limit Slurm sends SIGTERM to the ranks; kavg writes a checkpoint and
# leaves with 143, or the code of another signal; the job is put back into the queue, and its next
# turn goes on where it stopped.
set -euo pipefail

settings=${1:-experiments/quickstart.toml}
folder=${2:-runs/$(basename "$settings" .toml)}

# Here: what makes `kavg` and the site's MPI available, for example
#   module load python openmpi
#   . ~/kavg-venv/bin/activate

# srun must speak the PMI of the MPI library; `srun --mpi=list` shows what there is.
launch=(srun --mpi="${KAVG_PMI:-pmix}" --cpu-bind=cores)

# kavg keeps BLAS to one thread a rank; this keeps its idle threads from being made.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

if [ -e "$folder" ]; then
  work=(resume "$folder")
else
  work=(run "$settings" --out "$folder" --set checkpoint.every=10m)
fi

code=0
"${launch[@]}" kavg "${work[@]}" --quiet || code=$?

case "$code" in
  129 | 138 | 140 | 143 | 152) # SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, SIGXCPU
    scontrol requeue "$SLURM_JOB_ID"
    ;;
esac
exit "$code"
