-- Few people have memberships with an end, and these are looked for every two seconds.
CREATE INDEX users_with_ends ON users (account_id) WHERE auto_groups_until IS NOT NULL;
-- What goes with its device or group is found without reading all requests.
CREATE INDEX access_requests_device ON access_requests (device_peer_id);
CREATE INDEX access_requests_group ON access_requests (group_id);
-- Few entries are about what the log has lost.
CREATE INDEX audit_events_log_lost ON audit_events (account_id, seq)
  WHERE activity IN ('log.lost', 'log.lost.acknowledge');
