ALTER TABLE peers ADD COLUMN display_name TEXT;
