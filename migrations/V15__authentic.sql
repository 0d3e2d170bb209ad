-- Messages that nobody may have published: they are never replayed.

ALTER TABLE quarantine ADD COLUMN is_authentic boolean NOT NULL DEFAULT true;
-- The same body may come from one who may publish it.
DROP INDEX quarantine_unreadable_once;
CREATE UNIQUE INDEX quarantine_unreadable_once ON quarantine (sha256(body), is_authentic) WHERE seq IS NULL;
