"""The documentation as a site: `python -m website` builds it, as `make docs` does."""
