CREATE TABLE meta (
  key TEXT PRIMARY KEY NOT NULL,
  value TEXT NOT NULL
) STRICT;
CREATE TABLE accounts (
  id TEXT PRIMARY KEY NOT NULL,
  domain TEXT NOT NULL,
  settings TEXT NOT NULL,
  onboarding TEXT NOT NULL,
  version INTEGER NOT NULL,
  next_audit_seq INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL
) STRICT;
CREATE TABLE users (
  id TEXT PRIMARY KEY NOT NULL,
  account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  email TEXT NOT NULL,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  auto_groups TEXT NOT NULL,
  is_service_user INTEGER NOT NULL,
  is_blocked INTEGER NOT NULL,
  pending_approval INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  last_login_at INTEGER
) STRICT;
CREATE UNIQUE INDEX users_identity ON users (account_id, issuer, subject);
CREATE INDEX users_account ON users (account_id);
CREATE TABLE idp_accounts (
  id TEXT PRIMARY KEY NOT NULL,
  account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  user_id TEXT NOT NULL UNIQUE REFERENCES users (id) ON DELETE CASCADE,
  email TEXT NOT NULL UNIQUE,
  password_hash TEXT NOT NULL,
  password_changed_at INTEGER NOT NULL,
  failed_attempts INTEGER NOT NULL,
  locked_until INTEGER,
  created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE api_tokens (
  id TEXT PRIMARY KEY NOT NULL,
  account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  scope TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  last_used_at INTEGER
) STRICT;
CREATE INDEX api_tokens_user ON api_tokens (user_id);
CREATE TABLE setup_links (
  hash TEXT PRIMARY KEY NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at INTEGER
) STRICT;
CREATE TABLE groups (
  id TEXT PRIMARY KEY NOT NULL,
  account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  is_all INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX groups_name ON groups (account_id, name);
CREATE TABLE peers (
  id TEXT PRIMARY KEY NOT NULL,
  account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  dns_name TEXT NOT NULL,
  device_key TEXT NOT NULL UNIQUE,
  host_keys TEXT NOT NULL,
  address TEXT NOT NULL,
  owner_user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
  status TEXT NOT NULL,
  owner_approved INTEGER NOT NULL,
  ssh_enabled INTEGER NOT NULL,
  ephemeral INTEGER NOT NULL,
  facts TEXT NOT NULL,
  flags TEXT,
  direct TEXT NOT NULL,
  connection_ip TEXT NOT NULL,
  vouched_by_peer_id TEXT,
  login_expiration_enabled INTEGER NOT NULL,
  inactivity_expiration_enabled INTEGER NOT NULL,
  map_version INTEGER NOT NULL,
  map_digest TEXT NOT NULL,
  next_audit_seq INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  last_login_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX peers_dns_name ON peers (account_id, dns_name);
CREATE UNIQUE INDEX peers_address ON peers (account_id, address);
CREATE INDEX peers_owner ON peers (owner_user_id);
CREATE TABLE reserved_names (
  account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  dns_name TEXT NOT NULL,
  peer_id TEXT NOT NULL,
  freed_at INTEGER NOT NULL,
  PRIMARY KEY (account_id, dns_name)
) STRICT;
CREATE TABLE group_peers (
  group_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
  peer_id TEXT NOT NULL REFERENCES peers (id) ON DELETE CASCADE,
  PRIMARY KEY (group_id, peer_id)
) STRICT;
CREATE INDEX group_peers_peer ON group_peers (peer_id);
CREATE TABLE setup_keys (
  id TEXT PRIMARY KEY NOT NULL,
  account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  masked TEXT NOT NULL,
  type TEXT NOT NULL,
  usage_limit INTEGER NOT NULL,
  used_times INTEGER NOT NULL,
  auto_groups TEXT NOT NULL,
  ephemeral INTEGER NOT NULL,
  allow_extra_dns_labels INTEGER NOT NULL,
  revoked INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  last_used_at INTEGER
) STRICT;
CREATE INDEX setup_keys_account ON setup_keys (account_id);
CREATE TABLE policies (
  id TEXT PRIMARY KEY NOT NULL,
  account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  description TEXT,
  enabled INTEGER NOT NULL,
  source_posture_checks TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX policies_account ON policies (account_id);
CREATE TABLE policy_rules (
  id TEXT PRIMARY KEY NOT NULL,
  account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  policy_id TEXT NOT NULL REFERENCES policies (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX policy_rules_policy ON policy_rules (policy_id);
CREATE INDEX policy_rules_account ON policy_rules (account_id);
CREATE TABLE posture_checks (
  id TEXT PRIMARY KEY NOT NULL,
  account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  checks TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX posture_checks_account ON posture_checks (account_id);
CREATE TABLE signing_keys (
  id TEXT PRIMARY KEY NOT NULL,
  account_id TEXT REFERENCES accounts (id) ON DELETE CASCADE,
  purpose TEXT NOT NULL,
  encrypted TEXT NOT NULL,
  public_key TEXT NOT NULL,
  state TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  retired_at INTEGER
) STRICT;
CREATE INDEX signing_keys_account ON signing_keys (account_id, purpose);
CREATE TABLE issuer_keys (
  account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  issuer TEXT NOT NULL,
  thumbprint TEXT NOT NULL,
  jwk TEXT NOT NULL,
  first_seen_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  PRIMARY KEY (account_id, issuer, thumbprint)
) STRICT;
CREATE TABLE oidc_payloads (
  model TEXT NOT NULL,
  id TEXT NOT NULL,
  payload TEXT NOT NULL,
  grant_id TEXT,
  user_code TEXT,
  uid TEXT,
  consumed_at INTEGER,
  expires_at INTEGER,
  PRIMARY KEY (model, id)
) STRICT;
CREATE INDEX oidc_payloads_grant ON oidc_payloads (grant_id);
CREATE INDEX oidc_payloads_uid ON oidc_payloads (model, uid);
CREATE INDEX oidc_payloads_user_code ON oidc_payloads (model, user_code);
CREATE INDEX oidc_payloads_expiry ON oidc_payloads (expires_at);
CREATE TABLE challenges (
  hash TEXT PRIMARY KEY NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX challenges_expiry ON challenges (expires_at);
CREATE TABLE logins (
  id TEXT PRIMARY KEY NOT NULL,
  account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  login_key TEXT NOT NULL UNIQUE,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  device_peer_id TEXT,
  binding TEXT NOT NULL,
  claimed_token_hash TEXT UNIQUE,
  auth_time INTEGER,
  issued_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  until INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT;
CREATE INDEX logins_user ON logins (user_id);
CREATE INDEX logins_revoked ON logins (account_id, revoked_at);
CREATE TABLE hosted_logins (
  id TEXT PRIMARY KEY NOT NULL,
  account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  poll_secret_hash TEXT NOT NULL,
  code_hash TEXT,
  state TEXT NOT NULL,
  tries_left INTEGER NOT NULL,
  source_address TEXT NOT NULL,
  login_key TEXT NOT NULL,
  data TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX hosted_logins_expiry ON hosted_logins (expires_at);
CREATE INDEX hosted_logins_source ON hosted_logins (source_address);
CREATE TABLE audit_events (
  id TEXT PRIMARY KEY NOT NULL,
  account_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  stored_at_ms INTEGER NOT NULL,
  activity TEXT NOT NULL,
  initiator_id TEXT NOT NULL,
  initiator_name TEXT NOT NULL,
  initiator_email TEXT NOT NULL,
  target_id TEXT NOT NULL,
  meta TEXT NOT NULL,
  data TEXT,
  agent_peer_id TEXT,
  agent_seq INTEGER,
  receipt TEXT
) STRICT;
CREATE UNIQUE INDEX audit_events_seq ON audit_events (account_id, seq);
CREATE UNIQUE INDEX audit_events_agent ON audit_events (agent_peer_id, agent_seq);
CREATE INDEX audit_events_receipt ON audit_events (receipt);
