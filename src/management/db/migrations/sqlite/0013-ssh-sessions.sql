-- SSH connections as their events tell of them, for lists; those of the log so far are taken in.
ALTER TABLE audit_events ADD COLUMN connection_id TEXT;
UPDATE audit_events SET connection_id = data ->> 'connectionId' WHERE activity >= 'ssh.' AND activity < 'ssh/';
CREATE INDEX audit_events_connection ON audit_events (connection_id);
CREATE TABLE ssh_sessions (
  peer_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  user_id TEXT,
  user_name TEXT NOT NULL,
  machine_name TEXT NOT NULL,
  device_peer_id TEXT,
  local_user TEXT NOT NULL,
  path TEXT NOT NULL,
  source_address TEXT NOT NULL,
  client_version TEXT NOT NULL,
  rule_id TEXT,
  access_reason TEXT,
  offline INTEGER NOT NULL,
  opened_at_ms INTEGER NOT NULL,
  closed_at_ms INTEGER,
  end_reason TEXT,
  bytes_in INTEGER,
  bytes_out INTEGER,
  PRIMARY KEY (peer_id, connection_id)
) STRICT;
CREATE INDEX ssh_sessions_connection ON ssh_sessions (connection_id);
CREATE INDEX ssh_sessions_account ON ssh_sessions (account_id, opened_at_ms);
CREATE INDEX ssh_sessions_user ON ssh_sessions (user_id, opened_at_ms);
CREATE INDEX ssh_sessions_closed ON ssh_sessions (account_id, closed_at_ms);
INSERT INTO ssh_sessions
SELECT o.agent_peer_id, o.connection_id, o.account_id, o.data ->> 'userId',
  CASE WHEN o.initiator_email <> '' THEN o.initiator_email ELSE o.initiator_name END,
  coalesce(o.meta ->> 'machine', ''), o.data ->> 'devicePeerId', o.data ->> 'localUser',
  coalesce(o.data ->> 'path', 'direct'),
  coalesce(o.data ->> 'sourceAddress', ''), coalesce(o.data ->> 'clientVersion', ''),
  o.data ->> 'ruleId', o.data ->> 'accessReason',
  coalesce(o.data ->> 'offline', 0), o.at_ms, c.at_ms, c.data ->> 'reason',
  c.data ->> 'bytesIn', c.data ->> 'bytesOut'
FROM audit_events o
LEFT JOIN audit_events c ON c.connection_id = o.connection_id
  AND c.agent_peer_id = o.agent_peer_id AND c.activity = 'ssh.connection.close'
WHERE o.activity = 'ssh.connection.open' AND o.agent_peer_id IS NOT NULL AND o.connection_id IS NOT NULL
ON CONFLICT DO NOTHING;
