DROP VIEW user_access;
DROP TRIGGER users_lock_out ON users;
DROP FUNCTION lock_out();
DROP TABLE role_mapping_current, role_mappings;
