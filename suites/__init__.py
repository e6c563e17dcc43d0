"""The suites: what a service owes its callers while its database misbehaves, as tests.

They judge the declared service from outside: over HTTP, by the database's own statistics and by
what the proxy counted.
"""
