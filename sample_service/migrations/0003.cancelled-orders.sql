-- A cancelled order returns its stock; its row stays, because it records the idempotency key.
ALTER TABLE orders ADD COLUMN cancelled_at timestamptz;
