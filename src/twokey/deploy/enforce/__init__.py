"""Enforcement: one policy record from a plan's conditions, written for Kubernetes, Kueue, DRA and Slurm."""
