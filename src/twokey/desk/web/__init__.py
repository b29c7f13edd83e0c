"""The desk in the browser: pages call services, and nothing else."""
