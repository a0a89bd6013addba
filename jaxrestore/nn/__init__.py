"""Building blocks that networks share, one idea a file."""
