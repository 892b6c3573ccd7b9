-- What a group requires of grants at its machines is in the map of each of them.
CREATE TRIGGER groups_map_insert_require AFTER INSERT ON groups
  FOR EACH ROW WHEN (NEW.settings -> 'require' IS NOT NULL) EXECUTE FUNCTION whole_map();
CREATE TRIGGER groups_map_update_require AFTER UPDATE OF settings ON groups
  FOR EACH ROW WHEN ((OLD.settings -> 'require')::text IS DISTINCT FROM (NEW.settings -> 'require')::text)
  EXECUTE FUNCTION whole_map();
