-- What each version of an account changed of what maps are made from. Written by triggers, so that no
-- query can forget to say so; read by whoever follows the account from an earlier version.
CREATE TABLE map_changes (
  account_id text COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  version bigint NOT NULL,
  kind text COLLATE "C" NOT NULL,
  entity_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (account_id, version, kind, entity_id)
);
-- Nothing is known of the changes before.
INSERT INTO map_changes SELECT id, version, 'all', '' FROM accounts;

CREATE FUNCTION note_map_change(account text, what text, entity text) RETURNS void LANGUAGE sql AS $$
  INSERT INTO map_changes SELECT id, version + 1, what, entity FROM accounts
    WHERE id = account AND entity IS NOT NULL ON CONFLICT DO NOTHING
$$;

CREATE FUNCTION users_map() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    PERFORM note_map_change(OLD.account_id, 'user', OLD.id);
  ELSIF TG_OP = 'INSERT' OR
    (OLD.issuer, OLD.subject, OLD.email, OLD.name, OLD.auto_groups::text, OLD.is_service_user, OLD.is_blocked,
     OLD.pending_approval)
    IS DISTINCT FROM
    (NEW.issuer, NEW.subject, NEW.email, NEW.name, NEW.auto_groups::text, NEW.is_service_user, NEW.is_blocked,
     NEW.pending_approval)
  THEN
    PERFORM note_map_change(NEW.account_id, 'user', NEW.id);
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER users_map AFTER INSERT OR UPDATE OR DELETE ON users
  FOR EACH ROW EXECUTE FUNCTION users_map();

-- The owner as well: a map may name a person for the sake of this one peer.
CREATE FUNCTION peers_map() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    PERFORM note_map_change(OLD.account_id, 'peer', OLD.id);
    PERFORM note_map_change(OLD.account_id, 'user', OLD.owner_user_id);
  ELSIF TG_OP = 'INSERT' THEN
    PERFORM note_map_change(NEW.account_id, 'peer', NEW.id);
  ELSIF
    (OLD.name, OLD.kind, OLD.address, OLD.device_key, OLD.status, OLD.owner_user_id, OLD.owner_approved,
     OLD.ssh_enabled, OLD.vouched_by_peer_id, OLD.facts::text, OLD.connection_ip)
    IS DISTINCT FROM
    (NEW.name, NEW.kind, NEW.address, NEW.device_key, NEW.status, NEW.owner_user_id, NEW.owner_approved,
     NEW.ssh_enabled, NEW.vouched_by_peer_id, NEW.facts::text, NEW.connection_ip)
  THEN
    PERFORM note_map_change(NEW.account_id, 'peer', NEW.id);
    IF OLD.owner_user_id IS DISTINCT FROM NEW.owner_user_id THEN
      PERFORM note_map_change(OLD.account_id, 'user', OLD.owner_user_id);
    END IF;
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER peers_map AFTER INSERT OR UPDATE OR DELETE ON peers
  FOR EACH ROW EXECUTE FUNCTION peers_map();

CREATE FUNCTION group_peers_map() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    PERFORM note_map_change(p.account_id, 'peer', p.id) FROM peers p WHERE p.id = OLD.peer_id;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    PERFORM note_map_change(p.account_id, 'peer', p.id) FROM peers p WHERE p.id = NEW.peer_id;
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER group_peers_map AFTER INSERT OR UPDATE OR DELETE ON group_peers
  FOR EACH ROW EXECUTE FUNCTION group_peers_map();

CREATE FUNCTION policies_map() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.enabled, OLD.source_posture_checks::text) IS DISTINCT FROM
     (NEW.enabled, NEW.source_posture_checks::text)
  THEN
    PERFORM note_map_change(NEW.account_id, 'policy', NEW.id);
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER policies_map AFTER UPDATE ON policies FOR EACH ROW EXECUTE FUNCTION policies_map();

CREATE FUNCTION policy_rules_map() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    PERFORM note_map_change(OLD.account_id, 'rule', OLD.id);
  ELSE
    PERFORM note_map_change(NEW.account_id, 'rule', NEW.id);
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER policy_rules_map AFTER INSERT OR UPDATE OR DELETE ON policy_rules
  FOR EACH ROW EXECUTE FUNCTION policy_rules_map();

-- The group `All` and posture checks concern every peer.
CREATE FUNCTION whole_map() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    PERFORM note_map_change(OLD.account_id, 'all', '');
  ELSE
    PERFORM note_map_change(NEW.account_id, 'all', '');
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER groups_map AFTER INSERT ON groups
  FOR EACH ROW WHEN (NEW.is_all) EXECUTE FUNCTION whole_map();
CREATE TRIGGER posture_checks_map AFTER INSERT OR UPDATE OR DELETE ON posture_checks
  FOR EACH ROW EXECUTE FUNCTION whole_map();

CREATE FUNCTION accounts_map() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.settings::text, OLD.domain) IS DISTINCT FROM (NEW.settings::text, NEW.domain) THEN
    PERFORM note_map_change(NEW.id, 'account', NEW.id);
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER accounts_map AFTER UPDATE OF settings, domain ON accounts
  FOR EACH ROW EXECUTE FUNCTION accounts_map();

CREATE FUNCTION logins_map() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF OLD.revoked_at IS NOT NULL THEN
      PERFORM note_map_change(OLD.account_id, 'login', OLD.login_key);
    END IF;
  ELSIF NEW.revoked_at IS NOT NULL OR (TG_OP = 'UPDATE' AND OLD.revoked_at IS NOT NULL) THEN
    PERFORM note_map_change(NEW.account_id, 'login', NEW.login_key);
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER logins_map AFTER INSERT OR UPDATE OF revoked_at, until, login_key OR DELETE ON logins
  FOR EACH ROW EXECUTE FUNCTION logins_map();
