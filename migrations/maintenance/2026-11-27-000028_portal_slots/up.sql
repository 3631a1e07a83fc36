-- Requests to the onboarding portal that are in flight, of all workers together: each holds a slot for a time. Unlogged: after a
-- crash of the server the limit is exceeded for as long as the requests take that were in flight.
CREATE UNLOGGED TABLE portal_slots (
    slot    smallint PRIMARY KEY CHECK (slot >= 1),
    holder  uuid NOT NULL,
    until   timestamptz NOT NULL
) WITH (fillfactor = 50);
-- Until when all workers leave the portal alone.
CREATE TABLE portal_pause (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    until     timestamptz NOT NULL,
    reason    text NOT NULL
);
SELECT grant_to_service('sms_worker', 'SELECT, INSERT, UPDATE, DELETE', 'portal_slots', 'portal_pause');
SELECT grant_to_service('sms_status', 'SELECT', 'portal_pause');
