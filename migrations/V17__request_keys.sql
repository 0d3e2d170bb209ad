-- A request's key belongs to its sender, and stands for the answer. No row of before says who sent it: those are forgotten.
DELETE FROM request_keys;
ALTER TABLE request_keys
    -- The name of the operator who sent it: the same key of another one is another key.
    ADD COLUMN holder text NOT NULL,
    DROP CONSTRAINT request_keys_pkey,
    ADD PRIMARY KEY (holder, route, key),
    ALTER COLUMN target DROP NOT NULL;
-- What the request was answered, as JSON and without secrets. Null: nobody knows.
ALTER TABLE request_keys RENAME COLUMN target TO answer;
