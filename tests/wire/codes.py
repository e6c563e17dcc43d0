"""The SQLSTATEs that are injected: one of every class, and the best known."""

__all__ = ["CODES"]

_CLASSES = [
    "03", "08", "09", "0A", "0B", "0F", "0L", "0P", "0Z", "10", "20", "21", "22", "23",
    "24", "25", "26", "27", "28", "2B", "2D", "2F", "34", "38", "39", "3B", "3D", "3F",
    "40", "42", "44", "53", "54", "55", "57", "58", "72", "F0", "HV", "P0", "XX",
]  # fmt: skip
"""Every class that errors have (PostgreSQL manual, appendix A)."""

CODES = [*(f"{prefix}000" for prefix in _CLASSES), "40001", "40P01", "23505", "57014", "25P02"]
