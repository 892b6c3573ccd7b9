-- Since when policies that are kept elsewhere may differ from those there: an override changed them here.
ALTER TABLE policy_files ADD COLUMN differs_since INTEGER;
