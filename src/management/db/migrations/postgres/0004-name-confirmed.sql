ALTER TABLE peers ADD COLUMN name_confirmed boolean NOT NULL DEFAULT false;
