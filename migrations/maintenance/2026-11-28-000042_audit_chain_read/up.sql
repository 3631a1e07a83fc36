-- The operator API verifies the chain on an admin's word. `sms-sync audit verify` stays, for whoever does not trust the service.
SELECT grant_to_service('sms_status', 'SELECT', 'audit_chain');
