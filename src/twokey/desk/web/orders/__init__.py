"""Where an order stands with both governments."""
