-- SSH connections as their events tell of them, for lists; those of the log so far are taken in.
ALTER TABLE audit_events ADD COLUMN connection_id text COLLATE "C";
-- By the text: an operator of json fails where any member has an escaped NUL.
UPDATE audit_events SET connection_id = substring(CAST(data AS text) FROM '"connectionId":"([a-z0-9]{20})"')
WHERE activity >= 'ssh.' AND activity < 'ssh/';
CREATE INDEX audit_events_connection ON audit_events (connection_id);
CREATE TABLE ssh_sessions (
  peer_id text COLLATE "C" NOT NULL,
  connection_id text COLLATE "C" NOT NULL,
  account_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C",
  user_name text COLLATE "C" NOT NULL,
  machine_name text COLLATE "C" NOT NULL,
  device_peer_id text COLLATE "C",
  local_user text COLLATE "C" NOT NULL,
  path text COLLATE "C" NOT NULL,
  source_address text COLLATE "C" NOT NULL,
  client_version text COLLATE "C" NOT NULL,
  rule_id text COLLATE "C",
  access_reason text COLLATE "C",
  offline boolean NOT NULL,
  opened_at_ms bigint NOT NULL,
  closed_at_ms bigint,
  end_reason text COLLATE "C",
  bytes_in bigint,
  bytes_out bigint,
  PRIMARY KEY (peer_id, connection_id)
);
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
  coalesce(CAST(o.data ->> 'offline' AS boolean), false), o.at_ms, c.at_ms, c.data ->> 'reason',
  CAST(c.data ->> 'bytesIn' AS bigint), CAST(c.data ->> 'bytesOut' AS bigint)
FROM audit_events o
LEFT JOIN audit_events c ON c.connection_id = o.connection_id
  AND c.agent_peer_id = o.agent_peer_id AND c.activity = 'ssh.connection.close'
WHERE o.activity = 'ssh.connection.open' AND o.agent_peer_id IS NOT NULL AND o.connection_id IS NOT NULL
  AND CAST(o.data AS text) NOT LIKE '%\\u0000%'
ON CONFLICT DO NOTHING;
