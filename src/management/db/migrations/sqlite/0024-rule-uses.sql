-- When each rule last decided a request. Of the past, what sessions tell: by which rule each was opened.
CREATE TABLE rule_uses (
  rule_id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  counted_since INTEGER NOT NULL,
  last_at INTEGER
) STRICT;
CREATE INDEX rule_uses_account ON rule_uses (account_id);
INSERT INTO rule_uses
SELECT r.id, r.account_id, unixepoch(), s.last_at FROM policy_rules r
LEFT JOIN (SELECT rule_id, max(opened_at_ms) / 1000 AS last_at FROM ssh_sessions GROUP BY rule_id) s
  ON s.rule_id = r.id;
