-- Each webhook has a turn of its own, and a restock's key its answer.

-- What is due is looked for webhook by webhook: one that takes nothing must not be read past for the others.
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (webhook, due_at) WHERE dead_at IS NULL;

COMMENT ON COLUMN request_keys.target IS
    'The id of what was created, or the answer to what was done. Empty: nobody knows what became of the request.';
