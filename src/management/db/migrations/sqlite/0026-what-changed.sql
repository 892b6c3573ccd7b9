-- What each state changed of the one before, so that a list of states need not read them. Null: it is older.
ALTER TABLE policy_states ADD COLUMN changes TEXT;
-- Which peers left which groups that require something of grants at their machines.
CREATE TRIGGER group_peers_map_left AFTER DELETE ON group_peers BEGIN
  INSERT INTO map_changes SELECT a.id, a.version + 1, 'left', g.id || ' ' || p.id
    FROM groups g JOIN accounts a ON a.id = g.account_id JOIN peers p ON p.id = OLD.peer_id
    WHERE g.id = OLD.group_id AND json_extract(g.settings, '$.require') IS NOT NULL ON CONFLICT DO NOTHING;
END;
