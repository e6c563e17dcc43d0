-- The shop: products with stock, and orders.
CREATE TABLE products (
    sku         text PRIMARY KEY,
    name        text NOT NULL,
    price_cents integer NOT NULL CHECK (price_cents > 0),
    stock       integer NOT NULL CHECK (stock >= 0)
);

-- An order carries its own idempotency key, so both are committed together or not at all.
CREATE TABLE orders (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer        text NOT NULL,
    sku             text NOT NULL REFERENCES products,
    quantity        integer NOT NULL CHECK (quantity > 0),
    total_cents     bigint NOT NULL,
    idempotency_key text UNIQUE,
    placed_at       timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX orders_by_customer ON orders (customer, id);
