ALTER TABLE logins ADD COLUMN api_token_id TEXT;
