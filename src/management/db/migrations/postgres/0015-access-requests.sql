CREATE TABLE access_requests (
  id text COLLATE "C" PRIMARY KEY,
  account_id text COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  kind text COLLATE "C" NOT NULL,
  state text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  device_peer_id text COLLATE "C" REFERENCES peers (id) ON DELETE CASCADE,
  machine_peer_id text COLLATE "C" REFERENCES peers (id) ON DELETE CASCADE,
  local_user text COLLATE "C",
  rule_id text COLLATE "C",
  group_id text COLLATE "C" REFERENCES groups (id) ON DELETE CASCADE,
  terms text COLLATE "C" NOT NULL,
  reason text COLLATE "C" NOT NULL,
  seconds bigint NOT NULL,
  created_at bigint NOT NULL,
  waits_until bigint NOT NULL,
  decided_at bigint,
  decided_by text COLLATE "C",
  note text COLLATE "C" NOT NULL,
  ends_at bigint,
  ended_at bigint,
  end_cause text COLLATE "C"
);
CREATE INDEX access_requests_state ON access_requests (state, account_id);
CREATE INDEX access_requests_user ON access_requests (user_id);
CREATE INDEX access_requests_machine ON access_requests (machine_peer_id);

-- What is approved is in the map of its machine, and in no other.
CREATE FUNCTION access_requests_map() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF OLD.state = 'approved' THEN
      PERFORM note_map_change(OLD.account_id, 'peer', OLD.machine_peer_id);
    END IF;
  ELSIF TG_OP = 'INSERT' THEN
    IF NEW.state = 'approved' THEN
      PERFORM note_map_change(NEW.account_id, 'peer', NEW.machine_peer_id);
    END IF;
  ELSIF (OLD.state, OLD.ends_at) IS DISTINCT FROM (NEW.state, NEW.ends_at)
    AND (OLD.state = 'approved' OR NEW.state = 'approved')
  THEN
    PERFORM note_map_change(NEW.account_id, 'peer', NEW.machine_peer_id);
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER access_requests_map AFTER INSERT OR UPDATE OR DELETE ON access_requests
  FOR EACH ROW EXECUTE FUNCTION access_requests_map();

-- Memberships with an end.
ALTER TABLE users ADD COLUMN auto_groups_until json;
CREATE OR REPLACE FUNCTION users_map() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    PERFORM note_map_change(OLD.account_id, 'user', OLD.id);
  ELSIF TG_OP = 'INSERT' OR
    (OLD.issuer, OLD.subject, OLD.email, OLD.name, OLD.auto_groups::text, OLD.auto_groups_until::text,
     OLD.is_service_user, OLD.is_blocked, OLD.pending_approval)
    IS DISTINCT FROM
    (NEW.issuer, NEW.subject, NEW.email, NEW.name, NEW.auto_groups::text, NEW.auto_groups_until::text,
     NEW.is_service_user, NEW.is_blocked, NEW.pending_approval)
  THEN
    PERFORM note_map_change(NEW.account_id, 'user', NEW.id);
  END IF;
  RETURN NULL;
END
$$;

-- When the provider saw the person last. Null: it did not say, or the session is older.
ALTER TABLE web_sessions ADD COLUMN auth_time bigint;
