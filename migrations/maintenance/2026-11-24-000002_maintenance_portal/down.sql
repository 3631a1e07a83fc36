DROP TABLE maintenance_schedules, critical_parts, users, equipment, vessels, companies;
DROP FUNCTION stamp_maintenance_write_of_equipment();
DROP FUNCTION stamp_maintenance_write();
