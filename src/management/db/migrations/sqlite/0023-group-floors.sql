-- What a group requires of grants at its machines is in the map of each of them.
CREATE TRIGGER groups_map_insert_require AFTER INSERT ON groups
  WHEN json_extract(NEW.settings, '$.require') IS NOT NULL BEGIN
  INSERT INTO map_changes SELECT id, version + 1, 'all', '' FROM accounts
    WHERE id = NEW.account_id ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER groups_map_update_require AFTER UPDATE OF settings ON groups
  WHEN json_extract(OLD.settings, '$.require') IS NOT json_extract(NEW.settings, '$.require') BEGIN
  INSERT INTO map_changes SELECT id, version + 1, 'all', '' FROM accounts
    WHERE id = NEW.account_id ON CONFLICT DO NOTHING;
END;
