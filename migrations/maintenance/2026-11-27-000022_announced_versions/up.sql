-- Which version of its record a webhook announced: an older state that the onboarding portal lists then does not use it up.
ALTER TABLE webhook_events ADD COLUMN record_updated_at timestamptz;
