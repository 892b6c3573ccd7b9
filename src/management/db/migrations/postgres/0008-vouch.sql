ALTER TABLE peers ADD COLUMN vouch json;
