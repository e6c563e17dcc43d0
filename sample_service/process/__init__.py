"""How the process listens, serves and stops."""
