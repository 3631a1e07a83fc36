-- A webhook under the id of an earlier one with another body is refused.
ALTER TABLE refused_webhooks DROP CONSTRAINT refused_webhooks_reason_check;
ALTER TABLE refused_webhooks ADD CONSTRAINT refused_webhooks_reason_check CHECK (reason IN
    ('unsupported_method', 'unsupported_content_type', 'payload_too_large', 'unreadable_body', 'missing_signature',
     'malformed_id', 'malformed_timestamp', 'timestamp_out_of_tolerance', 'no_usable_signature', 'verification_failed',
     'unparsable_json', 'schema_invalid', 'id_reused', 'rate_limited', 'overloaded', 'not_recorded'));
