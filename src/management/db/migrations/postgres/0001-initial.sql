CREATE TABLE meta (
  key text COLLATE "C" PRIMARY KEY,
  value text COLLATE "C" NOT NULL
);
CREATE TABLE accounts (
  id text COLLATE "C" PRIMARY KEY,
  domain text COLLATE "C" NOT NULL,
  settings json NOT NULL,
  onboarding json NOT NULL,
  version bigint NOT NULL,
  next_audit_seq bigint NOT NULL,
  created_at bigint NOT NULL,
  created_by text COLLATE "C" NOT NULL
);
CREATE TABLE users (
  id text COLLATE "C" PRIMARY KEY,
  account_id text COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  issuer text COLLATE "C" NOT NULL,
  subject text COLLATE "C" NOT NULL,
  email text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  role text COLLATE "C" NOT NULL,
  auto_groups json NOT NULL,
  is_service_user boolean NOT NULL,
  is_blocked boolean NOT NULL,
  pending_approval boolean NOT NULL,
  created_at bigint NOT NULL,
  last_login_at bigint
);
CREATE UNIQUE INDEX users_identity ON users (account_id, issuer, subject);
CREATE INDEX users_account ON users (account_id);
CREATE TABLE idp_accounts (
  id text COLLATE "C" PRIMARY KEY,
  account_id text COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  user_id text COLLATE "C" NOT NULL UNIQUE REFERENCES users (id) ON DELETE CASCADE,
  email text COLLATE "C" NOT NULL UNIQUE,
  password_hash text COLLATE "C" NOT NULL,
  password_changed_at bigint NOT NULL,
  failed_attempts bigint NOT NULL,
  locked_until bigint,
  created_at bigint NOT NULL
);
CREATE TABLE api_tokens (
  id text COLLATE "C" PRIMARY KEY,
  account_id text COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  user_id text COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name text COLLATE "C" NOT NULL,
  scope text COLLATE "C" NOT NULL,
  hash text COLLATE "C" NOT NULL UNIQUE,
  created_by text COLLATE "C" NOT NULL,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  last_used_at bigint
);
CREATE INDEX api_tokens_user ON api_tokens (user_id);
CREATE TABLE setup_links (
  hash text COLLATE "C" PRIMARY KEY,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  used_at bigint
);
CREATE TABLE groups (
  id text COLLATE "C" PRIMARY KEY,
  account_id text COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  name text COLLATE "C" NOT NULL,
  is_all boolean NOT NULL,
  created_at bigint NOT NULL
);
CREATE UNIQUE INDEX groups_name ON groups (account_id, name);
CREATE TABLE peers (
  id text COLLATE "C" PRIMARY KEY,
  account_id text COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  kind text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  dns_name text COLLATE "C" NOT NULL,
  device_key text COLLATE "C" NOT NULL UNIQUE,
  host_keys json NOT NULL,
  address text COLLATE "C" NOT NULL,
  owner_user_id text COLLATE "C" REFERENCES users (id) ON DELETE CASCADE,
  status text COLLATE "C" NOT NULL,
  owner_approved boolean NOT NULL,
  ssh_enabled boolean NOT NULL,
  ephemeral boolean NOT NULL,
  facts json NOT NULL,
  flags json,
  direct json NOT NULL,
  connection_ip text COLLATE "C" NOT NULL,
  vouched_by_peer_id text COLLATE "C",
  login_expiration_enabled boolean NOT NULL,
  inactivity_expiration_enabled boolean NOT NULL,
  map_version bigint NOT NULL,
  map_digest text COLLATE "C" NOT NULL,
  next_audit_seq bigint NOT NULL,
  created_at bigint NOT NULL,
  last_seen_at bigint NOT NULL,
  last_login_at bigint NOT NULL
);
CREATE UNIQUE INDEX peers_dns_name ON peers (account_id, dns_name);
CREATE UNIQUE INDEX peers_address ON peers (account_id, address);
CREATE INDEX peers_owner ON peers (owner_user_id);
CREATE TABLE reserved_names (
  account_id text COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  dns_name text COLLATE "C" NOT NULL,
  peer_id text COLLATE "C" NOT NULL,
  freed_at bigint NOT NULL,
  PRIMARY KEY (account_id, dns_name)
);
CREATE TABLE group_peers (
  group_id text COLLATE "C" NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
  peer_id text COLLATE "C" NOT NULL REFERENCES peers (id) ON DELETE CASCADE,
  PRIMARY KEY (group_id, peer_id)
);
CREATE INDEX group_peers_peer ON group_peers (peer_id);
CREATE TABLE setup_keys (
  id text COLLATE "C" PRIMARY KEY,
  account_id text COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  name text COLLATE "C" NOT NULL,
  hash text COLLATE "C" NOT NULL UNIQUE,
  masked text COLLATE "C" NOT NULL,
  type text COLLATE "C" NOT NULL,
  usage_limit bigint NOT NULL,
  used_times bigint NOT NULL,
  auto_groups json NOT NULL,
  ephemeral boolean NOT NULL,
  allow_extra_dns_labels boolean NOT NULL,
  revoked boolean NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  last_used_at bigint
);
CREATE INDEX setup_keys_account ON setup_keys (account_id);
CREATE TABLE policies (
  id text COLLATE "C" PRIMARY KEY,
  account_id text COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  name text COLLATE "C" NOT NULL,
  description text COLLATE "C",
  enabled boolean NOT NULL,
  source_posture_checks json NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL
);
CREATE INDEX policies_account ON policies (account_id);
CREATE TABLE policy_rules (
  id text COLLATE "C" PRIMARY KEY,
  account_id text COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  policy_id text COLLATE "C" NOT NULL REFERENCES policies (id) ON DELETE CASCADE,
  position bigint NOT NULL,
  body json NOT NULL
);
CREATE INDEX policy_rules_policy ON policy_rules (policy_id);
CREATE INDEX policy_rules_account ON policy_rules (account_id);
CREATE TABLE posture_checks (
  id text COLLATE "C" PRIMARY KEY,
  account_id text COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  name text COLLATE "C" NOT NULL,
  description text COLLATE "C" NOT NULL,
  checks json NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL
);
CREATE INDEX posture_checks_account ON posture_checks (account_id);
CREATE TABLE signing_keys (
  id text COLLATE "C" PRIMARY KEY,
  account_id text COLLATE "C" REFERENCES accounts (id) ON DELETE CASCADE,
  purpose text COLLATE "C" NOT NULL,
  encrypted text COLLATE "C" NOT NULL,
  public_key text COLLATE "C" NOT NULL,
  state text COLLATE "C" NOT NULL,
  created_at bigint NOT NULL,
  retired_at bigint
);
CREATE INDEX signing_keys_account ON signing_keys (account_id, purpose);
CREATE TABLE issuer_keys (
  account_id text COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  issuer text COLLATE "C" NOT NULL,
  thumbprint text COLLATE "C" NOT NULL,
  jwk json NOT NULL,
  first_seen_at bigint NOT NULL,
  last_seen_at bigint NOT NULL,
  PRIMARY KEY (account_id, issuer, thumbprint)
);
CREATE TABLE oidc_payloads (
  model text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  payload json NOT NULL,
  grant_id text COLLATE "C",
  user_code text COLLATE "C",
  uid text COLLATE "C",
  consumed_at bigint,
  expires_at bigint,
  PRIMARY KEY (model, id)
);
CREATE INDEX oidc_payloads_grant ON oidc_payloads (grant_id);
CREATE INDEX oidc_payloads_uid ON oidc_payloads (model, uid);
CREATE INDEX oidc_payloads_user_code ON oidc_payloads (model, user_code);
CREATE INDEX oidc_payloads_expiry ON oidc_payloads (expires_at);
CREATE TABLE challenges (
  hash text COLLATE "C" PRIMARY KEY,
  expires_at bigint NOT NULL
);
CREATE INDEX challenges_expiry ON challenges (expires_at);
CREATE TABLE logins (
  id text COLLATE "C" PRIMARY KEY,
  account_id text COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  login_key text COLLATE "C" NOT NULL UNIQUE,
  user_id text COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  device_peer_id text COLLATE "C",
  binding text COLLATE "C" NOT NULL,
  claimed_token_hash text COLLATE "C" UNIQUE,
  auth_time bigint,
  issued_at bigint NOT NULL,
  created_at bigint NOT NULL,
  until bigint NOT NULL,
  revoked_at bigint
);
CREATE INDEX logins_user ON logins (user_id);
CREATE INDEX logins_revoked ON logins (account_id, revoked_at);
CREATE TABLE hosted_logins (
  id text COLLATE "C" PRIMARY KEY,
  account_id text COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  poll_secret_hash text COLLATE "C" NOT NULL,
  code_hash text COLLATE "C",
  state text COLLATE "C" NOT NULL,
  tries_left bigint NOT NULL,
  source_address text COLLATE "C" NOT NULL,
  login_key text COLLATE "C" NOT NULL,
  data json NOT NULL,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL
);
CREATE INDEX hosted_logins_expiry ON hosted_logins (expires_at);
CREATE INDEX hosted_logins_source ON hosted_logins (source_address);
CREATE TABLE audit_events (
  id text COLLATE "C" PRIMARY KEY,
  account_id text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  at_ms bigint NOT NULL,
  stored_at_ms bigint NOT NULL,
  activity text COLLATE "C" NOT NULL,
  initiator_id text COLLATE "C" NOT NULL,
  initiator_name text COLLATE "C" NOT NULL,
  initiator_email text COLLATE "C" NOT NULL,
  target_id text COLLATE "C" NOT NULL,
  meta json NOT NULL,
  data json,
  agent_peer_id text COLLATE "C",
  agent_seq bigint,
  receipt text COLLATE "C"
);
CREATE UNIQUE INDEX audit_events_seq ON audit_events (account_id, seq);
CREATE UNIQUE INDEX audit_events_agent ON audit_events (agent_peer_id, agent_seq);
CREATE INDEX audit_events_receipt ON audit_events (receipt);
CREATE TABLE processes (
  id text COLLATE "C" PRIMARY KEY,
  beat bigint NOT NULL
);
CREATE TABLE agent_links (
  peer_id text COLLATE "C" PRIMARY KEY,
  account_id text COLLATE "C" NOT NULL,
  process_id text COLLATE "C" NOT NULL REFERENCES processes (id) ON DELETE CASCADE,
  boot_id text COLLATE "C" NOT NULL,
  acked_version bigint NOT NULL,
  sessions json NOT NULL
);
CREATE INDEX agent_links_process ON agent_links (process_id);

-- Tells every process of a commit that changed an account; `by` is the process that made it.
CREATE FUNCTION tell_of_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('qufabric', json_build_object(
    'type', 'account',
    'by', current_setting('application_name'),
    'id', NEW.id,
    'version', NEW.version,
    'auditSeq', NEW.next_audit_seq - 1
  )::text);
  RETURN NULL;
END
$$;
CREATE FUNCTION tell_of_account_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('qufabric', json_build_object(
    'type', 'account',
    'by', current_setting('application_name'),
    'id', OLD.id,
    'version', 0,
    'auditSeq', 0
  )::text);
  RETURN NULL;
END
$$;
CREATE TRIGGER accounts_tell AFTER INSERT OR UPDATE OF version, next_audit_seq ON accounts
  FOR EACH ROW EXECUTE FUNCTION tell_of_account();
CREATE TRIGGER accounts_tell_end AFTER DELETE ON accounts
  FOR EACH ROW EXECUTE FUNCTION tell_of_account_end();
