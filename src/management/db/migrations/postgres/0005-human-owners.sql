UPDATE users SET role = 'admin' WHERE is_service_user AND role = 'owner';
