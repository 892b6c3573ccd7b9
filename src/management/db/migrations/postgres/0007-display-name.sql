ALTER TABLE peers ADD COLUMN display_name text COLLATE "C";
