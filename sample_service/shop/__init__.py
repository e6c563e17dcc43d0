"""What is sold: orders, products, the catalogue and invoices."""
