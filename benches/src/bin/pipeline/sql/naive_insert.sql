INSERT INTO naive_orders (sale, buyer, quantity) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
