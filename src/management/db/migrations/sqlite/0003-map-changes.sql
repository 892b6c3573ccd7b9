-- What each version of an account changed of what maps are made from. Written by triggers, so that no
-- query can forget to say so; read by whoever follows the account from an earlier version.
CREATE TABLE map_changes (
  account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  version INTEGER NOT NULL,
  kind TEXT NOT NULL,
  entity_id TEXT NOT NULL,
  PRIMARY KEY (account_id, version, kind, entity_id)
) STRICT;
-- Nothing is known of the changes before.
INSERT INTO map_changes SELECT id, version, 'all', '' FROM accounts;

CREATE TRIGGER users_map_insert AFTER INSERT ON users BEGIN
  INSERT INTO map_changes SELECT id, version + 1, 'user', NEW.id FROM accounts
    WHERE id = NEW.account_id ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER users_map_delete AFTER DELETE ON users BEGIN
  INSERT INTO map_changes SELECT id, version + 1, 'user', OLD.id FROM accounts
    WHERE id = OLD.account_id ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER users_map_update AFTER UPDATE ON users
WHEN (OLD.issuer, OLD.subject, OLD.email, OLD.name, OLD.auto_groups, OLD.is_service_user, OLD.is_blocked,
      OLD.pending_approval)
  IS NOT (NEW.issuer, NEW.subject, NEW.email, NEW.name, NEW.auto_groups, NEW.is_service_user, NEW.is_blocked,
      NEW.pending_approval)
BEGIN
  INSERT INTO map_changes SELECT id, version + 1, 'user', NEW.id FROM accounts
    WHERE id = NEW.account_id ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER peers_map_insert AFTER INSERT ON peers BEGIN
  INSERT INTO map_changes SELECT id, version + 1, 'peer', NEW.id FROM accounts
    WHERE id = NEW.account_id ON CONFLICT DO NOTHING;
END;
-- The owner as well: a map may name a person for the sake of this one peer.
CREATE TRIGGER peers_map_delete AFTER DELETE ON peers BEGIN
  INSERT INTO map_changes SELECT id, version + 1, 'peer', OLD.id FROM accounts
    WHERE id = OLD.account_id ON CONFLICT DO NOTHING;
  INSERT INTO map_changes SELECT id, version + 1, 'user', OLD.owner_user_id FROM accounts
    WHERE id = OLD.account_id AND OLD.owner_user_id IS NOT NULL ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER peers_map_update AFTER UPDATE ON peers
WHEN (OLD.name, OLD.kind, OLD.address, OLD.device_key, OLD.status, OLD.owner_user_id, OLD.owner_approved,
      OLD.ssh_enabled, OLD.vouched_by_peer_id, OLD.facts, OLD.connection_ip)
  IS NOT (NEW.name, NEW.kind, NEW.address, NEW.device_key, NEW.status, NEW.owner_user_id, NEW.owner_approved,
      NEW.ssh_enabled, NEW.vouched_by_peer_id, NEW.facts, NEW.connection_ip)
BEGIN
  INSERT INTO map_changes SELECT id, version + 1, 'peer', NEW.id FROM accounts
    WHERE id = NEW.account_id ON CONFLICT DO NOTHING;
  INSERT INTO map_changes SELECT id, version + 1, 'user', OLD.owner_user_id FROM accounts
    WHERE id = OLD.account_id AND OLD.owner_user_id IS NOT NEW.owner_user_id
      AND OLD.owner_user_id IS NOT NULL ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER groups_map_insert AFTER INSERT ON groups WHEN NEW.is_all = 1 BEGIN
  INSERT INTO map_changes SELECT id, version + 1, 'all', '' FROM accounts
    WHERE id = NEW.account_id ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER group_peers_map_insert AFTER INSERT ON group_peers BEGIN
  INSERT INTO map_changes SELECT a.id, a.version + 1, 'peer', p.id
    FROM peers p JOIN accounts a ON a.id = p.account_id
    WHERE p.id = NEW.peer_id ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER group_peers_map_delete AFTER DELETE ON group_peers BEGIN
  INSERT INTO map_changes SELECT a.id, a.version + 1, 'peer', p.id
    FROM peers p JOIN accounts a ON a.id = p.account_id
    WHERE p.id = OLD.peer_id ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER policies_map_update AFTER UPDATE ON policies
WHEN (OLD.enabled, OLD.source_posture_checks) IS NOT (NEW.enabled, NEW.source_posture_checks)
BEGIN
  INSERT INTO map_changes SELECT id, version + 1, 'policy', NEW.id FROM accounts
    WHERE id = NEW.account_id ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER policy_rules_map_insert AFTER INSERT ON policy_rules BEGIN
  INSERT INTO map_changes SELECT id, version + 1, 'rule', NEW.id FROM accounts
    WHERE id = NEW.account_id ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER policy_rules_map_delete AFTER DELETE ON policy_rules BEGIN
  INSERT INTO map_changes SELECT id, version + 1, 'rule', OLD.id FROM accounts
    WHERE id = OLD.account_id ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER policy_rules_map_update AFTER UPDATE ON policy_rules BEGIN
  INSERT INTO map_changes SELECT id, version + 1, 'rule', NEW.id FROM accounts
    WHERE id = NEW.account_id ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER posture_checks_map_insert AFTER INSERT ON posture_checks BEGIN
  INSERT INTO map_changes SELECT id, version + 1, 'all', '' FROM accounts
    WHERE id = NEW.account_id ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER posture_checks_map_delete AFTER DELETE ON posture_checks BEGIN
  INSERT INTO map_changes SELECT id, version + 1, 'all', '' FROM accounts
    WHERE id = OLD.account_id ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER posture_checks_map_update AFTER UPDATE ON posture_checks WHEN OLD.checks IS NOT NEW.checks BEGIN
  INSERT INTO map_changes SELECT id, version + 1, 'all', '' FROM accounts
    WHERE id = NEW.account_id ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER accounts_map_update AFTER UPDATE OF settings, domain ON accounts
WHEN (OLD.settings, OLD.domain) IS NOT (NEW.settings, NEW.domain)
BEGIN
  INSERT INTO map_changes VALUES (NEW.id, NEW.version + 1, 'account', NEW.id) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER logins_map_update AFTER UPDATE ON logins
WHEN (OLD.revoked_at, OLD.until, OLD.login_key) IS NOT (NEW.revoked_at, NEW.until, NEW.login_key)
  AND (OLD.revoked_at IS NOT NULL OR NEW.revoked_at IS NOT NULL)
BEGIN
  INSERT INTO map_changes SELECT id, version + 1, 'login', NEW.login_key FROM accounts
    WHERE id = NEW.account_id ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER logins_map_insert AFTER INSERT ON logins WHEN NEW.revoked_at IS NOT NULL BEGIN
  INSERT INTO map_changes SELECT id, version + 1, 'login', NEW.login_key FROM accounts
    WHERE id = NEW.account_id ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER logins_map_delete AFTER DELETE ON logins WHEN OLD.revoked_at IS NOT NULL BEGIN
  INSERT INTO map_changes SELECT id, version + 1, 'login', OLD.login_key FROM accounts
    WHERE id = OLD.account_id ON CONFLICT DO NOTHING;
END;
