DROP FUNCTION audit_retention(bigint, bigint);
