-- What each state changed of the one before, so that a list of states need not read them. Null: it is older.
ALTER TABLE policy_states ADD COLUMN changes json;
-- Which peers left which groups that require something of grants at their machines.
CREATE FUNCTION group_peers_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM note_map_change(g.account_id, 'left', g.id || ' ' || p.id)
    FROM groups g, peers p
    WHERE g.id = OLD.group_id AND p.id = OLD.peer_id AND g.settings -> 'require' IS NOT NULL;
  RETURN NULL;
END
$$;
CREATE TRIGGER group_peers_map_left AFTER DELETE ON group_peers
  FOR EACH ROW EXECUTE FUNCTION group_peers_left();
