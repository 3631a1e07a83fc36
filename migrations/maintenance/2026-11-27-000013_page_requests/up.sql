-- The ledger keeps what a task asks the provider for, not the message that names the task: the place in the list stands in
-- the columns record_type, chain and page already.
ALTER TABLE sync_queue RENAME COLUMN message TO page_request;
UPDATE sync_queue SET page_request = coalesce(page_request -> 'page', '{}') - 'number' - 'chain';
