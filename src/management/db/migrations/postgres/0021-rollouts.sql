-- Rollouts of releases, and the machines that were told to take one.
CREATE TABLE rollouts (
  id text COLLATE "C" PRIMARY KEY,
  account_id text COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  version text COLLATE "C" NOT NULL,
  group_id text COLLATE "C",
  stages json NOT NULL,
  stage bigint NOT NULL,
  settled_at bigint,
  pause_seconds bigint NOT NULL,
  failures_max bigint NOT NULL,
  state text COLLATE "C" NOT NULL,
  why text COLLATE "C" NOT NULL,
  created_at bigint NOT NULL,
  ended_at bigint
);
CREATE INDEX rollouts_account ON rollouts (account_id);
CREATE INDEX rollouts_state ON rollouts (state);
CREATE TABLE rollout_steps (
  rollout_id text COLLATE "C" NOT NULL REFERENCES rollouts (id) ON DELETE CASCADE,
  peer_id text COLLATE "C" NOT NULL REFERENCES peers (id) ON DELETE CASCADE,
  order_id text COLLATE "C" NOT NULL,
  state text COLLATE "C" NOT NULL,
  detail text COLLATE "C" NOT NULL,
  ordered_at bigint NOT NULL,
  PRIMARY KEY (rollout_id, peer_id)
);
CREATE INDEX rollout_steps_peer ON rollout_steps (peer_id);
