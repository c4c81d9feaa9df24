"""The executor `slurm`: commands that the scheduler Slurm runs."""
