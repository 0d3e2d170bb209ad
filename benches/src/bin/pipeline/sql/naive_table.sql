CREATE TABLE naive_orders (
    sale text NOT NULL,
    buyer text NOT NULL,
    quantity integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (sale, buyer)
)
