"""A small shop that shows how a FastAPI service survives a failing PostgreSQL."""
