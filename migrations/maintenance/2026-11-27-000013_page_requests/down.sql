UPDATE sync_queue SET page_request = jsonb_build_object(
    'taskId', id, 'syncId', sync_id, 'recordType', 'RECORD_TYPE_' || upper(record_type),
    'page', page_request || jsonb_build_object('number', page, 'chain', chain));
ALTER TABLE sync_queue RENAME COLUMN page_request TO message;
