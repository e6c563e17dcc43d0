"""A kiosk: the smallest service that keeps every promise, for controls to break one at a time.

The sample service has layers (retries, breakers, bulkheads) that would cover up a defect of the
pool. The kiosk has none: one table, one pool, one deadline. Each part says what it is for and is
replaced by a subclass; `tests/controls/test_controls.py` first shows that the whole kiosk is kept.
"""
