DROP INDEX vessels_by_mmsi;
DROP INDEX findings_by_code;
DROP TABLE record_findings;
