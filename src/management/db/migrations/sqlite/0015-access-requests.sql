CREATE TABLE access_requests (
  id TEXT PRIMARY KEY NOT NULL,
  account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  device_peer_id TEXT REFERENCES peers (id) ON DELETE CASCADE,
  machine_peer_id TEXT REFERENCES peers (id) ON DELETE CASCADE,
  local_user TEXT,
  rule_id TEXT,
  group_id TEXT REFERENCES groups (id) ON DELETE CASCADE,
  terms TEXT NOT NULL,
  reason TEXT NOT NULL,
  seconds INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  waits_until INTEGER NOT NULL,
  decided_at INTEGER,
  decided_by TEXT,
  note TEXT NOT NULL,
  ends_at INTEGER,
  ended_at INTEGER,
  end_cause TEXT
) STRICT;
CREATE INDEX access_requests_state ON access_requests (state, account_id);
CREATE INDEX access_requests_user ON access_requests (user_id);
CREATE INDEX access_requests_machine ON access_requests (machine_peer_id);

-- What is approved is in the map of its machine, and in no other.
CREATE TRIGGER access_requests_map_insert AFTER INSERT ON access_requests
WHEN NEW.state = 'approved' AND NEW.machine_peer_id IS NOT NULL BEGIN
  INSERT INTO map_changes SELECT id, version + 1, 'peer', NEW.machine_peer_id FROM accounts
    WHERE id = NEW.account_id ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER access_requests_map_update AFTER UPDATE ON access_requests
WHEN (OLD.state, OLD.ends_at) IS NOT (NEW.state, NEW.ends_at)
  AND (OLD.state = 'approved' OR NEW.state = 'approved') AND NEW.machine_peer_id IS NOT NULL
BEGIN
  INSERT INTO map_changes SELECT id, version + 1, 'peer', NEW.machine_peer_id FROM accounts
    WHERE id = NEW.account_id ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER access_requests_map_delete AFTER DELETE ON access_requests
WHEN OLD.state = 'approved' AND OLD.machine_peer_id IS NOT NULL BEGIN
  INSERT INTO map_changes SELECT id, version + 1, 'peer', OLD.machine_peer_id FROM accounts
    WHERE id = OLD.account_id ON CONFLICT DO NOTHING;
END;

-- Memberships with an end.
ALTER TABLE users ADD COLUMN auto_groups_until TEXT;
DROP TRIGGER users_map_update;
CREATE TRIGGER users_map_update AFTER UPDATE ON users
WHEN (OLD.issuer, OLD.subject, OLD.email, OLD.name, OLD.auto_groups, OLD.auto_groups_until,
      OLD.is_service_user, OLD.is_blocked, OLD.pending_approval)
  IS NOT (NEW.issuer, NEW.subject, NEW.email, NEW.name, NEW.auto_groups, NEW.auto_groups_until,
      NEW.is_service_user, NEW.is_blocked, NEW.pending_approval)
BEGIN
  INSERT INTO map_changes SELECT id, version + 1, 'user', NEW.id FROM accounts
    WHERE id = NEW.account_id ON CONFLICT DO NOTHING;
END;

-- When the provider saw the person last. Null: it did not say, or the session is older.
ALTER TABLE web_sessions ADD COLUMN auth_time INTEGER;
