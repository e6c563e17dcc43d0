"""A small shop: the reference for how a FastAPI service on PostgreSQL survives its database."""
