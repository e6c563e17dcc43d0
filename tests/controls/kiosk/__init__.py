"""A kiosk: the smallest service that keeps every promise, which controls break one at a time.

The sample service has layers (retries, breakers, bulkheads) that would hide a defect of the pool.
The kiosk has none: one table, one pool, one deadline. A control replaces a part by a subclass.
`tests/controls/test_catalogue.py` checks that some kiosk keeps each promise.
"""
