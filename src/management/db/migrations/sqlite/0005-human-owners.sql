UPDATE users SET role = 'admin' WHERE is_service_user = 1 AND role = 'owner';
