-- What each syncer has done since it began, so that operators see how fast the syncers are; null: an older one does not tell.
ALTER TABLE syncers
    -- Events that it wrote.
    ADD COLUMN written bigint,
    -- Reservations that the constraints refused.
    ADD COLUMN rejected bigint;
