-- When PostgreSQL wrote an order first: how long it took from its event on. Null: it was written before this column was there.
ALTER TABLE orders ADD COLUMN written_at timestamptz;
ALTER TABLE orders ALTER COLUMN written_at SET DEFAULT now();
