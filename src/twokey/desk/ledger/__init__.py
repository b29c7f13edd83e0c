"""What is left: authorisations, balances, movements, shipments, and the gate that asks every question."""
