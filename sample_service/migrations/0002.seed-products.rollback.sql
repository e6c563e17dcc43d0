DELETE FROM orders WHERE customer = 'the first customer';
DELETE FROM products WHERE sku IN ('tea', 'coffee', 'mug', 'collectible');
