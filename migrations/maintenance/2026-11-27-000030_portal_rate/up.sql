-- When the onboarding portal may be asked next, where workers are told how many requests a second it takes, and from when on a page
-- need not wait for events. Unlogged: after a crash of the server the next request comes at once.
CREATE UNLOGGED TABLE portal_rate (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    next_at   timestamptz NOT NULL,
    pages_at  timestamptz NOT NULL
) WITH (fillfactor = 50);
SELECT grant_to_service('sms_worker', 'SELECT, INSERT, UPDATE', 'portal_rate');
