"""Everything between a request and PostgreSQL: deadline, limits, breaker, retries, pool."""
