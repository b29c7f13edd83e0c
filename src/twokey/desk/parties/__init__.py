"""Who takes part: authorities, organisations, people's seats, and the screening of every party."""
