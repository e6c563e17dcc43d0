-- A day of load tests must not sell out of the first three; `collectible` sells out immediately.
INSERT INTO products (sku, name, price_cents, stock) VALUES
    ('tea',         'Loose leaf tea, 100 g',       590, 1000000000),
    ('coffee',      'Coffee beans, 250 g',         890, 1000000000),
    ('mug',         'Stoneware mug',              1450, 1000000000),
    ('collectible', 'The last mug of its series', 9900, 1);

-- Order 1, so a new database has an order to read.
INSERT INTO orders (customer, sku, quantity, total_cents) VALUES ('the first customer', 'tea', 1, 590);
