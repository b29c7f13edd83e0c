"""Batches, authorisations, shipments and what arrived."""
