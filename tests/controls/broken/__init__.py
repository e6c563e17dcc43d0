"""The broken services. Each function creates one by replacing parts of a correct one."""
