-- A cancelled order gives its stock back; the row stays, so that its key keeps its meaning.
ALTER TABLE orders ADD COLUMN cancelled_at timestamptz;
