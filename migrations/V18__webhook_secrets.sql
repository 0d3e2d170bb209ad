-- While a receiver goes over to a new secret, deliveries are signed with the one before it as well. Null: with one alone.
ALTER TABLE webhooks ADD COLUMN old_secret text;
