SELECT count(*) FROM naive_orders
