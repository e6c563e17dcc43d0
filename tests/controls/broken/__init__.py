"""The broken services: each function makes one, by replacing one part of a whole one."""
