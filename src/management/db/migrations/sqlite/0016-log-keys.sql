-- Few entries are about keys, and these are looked for at every link of a machine.
CREATE INDEX audit_events_peer_key ON audit_events (target_id, seq) WHERE activity = 'peer.key';
CREATE INDEX audit_events_log_key ON audit_events (account_id, seq) WHERE activity = 'log.key';
