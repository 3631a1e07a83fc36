#!/usr/bin/env python3
"""Uses the generated Python client against a system with a full sync: called by python-client.sh."""

import importlib
import pkgutil
import sys
import time

import sms_sync_client
from sms_sync_client import AuthenticatedClient
from sms_sync_client.api.operators import get_identity
from sms_sync_client.api.records import get_record, list_records, list_vessels
from sms_sync_client.api.settings import change_settings, get_settings
from sms_sync_client.api.syncs import get_overview, get_sync, list_syncs, trigger_sync
from sms_sync_client.models import (
    Mode,
    RecordType,
    SettingsChange,
    SyncState,
    TriggerRequest,
)


def main() -> None:
    url, token = sys.argv[1:]
    # Every operation compiles.
    for module in pkgutil.walk_packages(sms_sync_client.__path__, "sms_sync_client."):
        importlib.import_module(module.name)

    client = AuthenticatedClient(base_url=url, token=token)
    me = get_identity.sync(client=client)
    assert me.subject, me
    overview = get_overview.sync(client=client)
    assert overview.last_full_sync.state in (SyncState.COMPLETED, SyncState.COMPLETED_WITH_ERRORS), overview

    # Filters that repeat, pages, enums.
    syncs = list_syncs.sync(client=client, state=[SyncState.COMPLETED, SyncState.COMPLETED_WITH_ERRORS], limit=1)
    assert syncs.pagination.total >= 1 and len(syncs.data) == 1, syncs
    vessels = list_vessels.sync(client=client, limit=5)
    assert vessels.data, vessels
    records = list_records.sync(RecordType.VESSEL, client=client, limit=5)
    record = get_record.sync(RecordType.VESSEL, records.data[0].source_id, client=client)
    assert record.particulars.additional_properties["imoNumber"], record

    # A body, a 202, and its end.
    request = TriggerRequest(mode=Mode.SELECTIVE, record_types=[RecordType.VESSEL], dry_run=True)
    accepted = trigger_sync.sync(client=client, body=request)
    for _ in range(600):
        sync = get_sync.sync(accepted.sync_id, client=client)
        if sync.state not in (SyncState.QUEUED, SyncState.RUNNING):
            break
        time.sleep(0.1)
    assert sync.state == SyncState.COMPLETED and sync.dry_run, sync

    # A version as a header, and a problem, which the generator leaves as it is.
    settings = get_settings.sync_detailed(client=client)
    changed = change_settings.sync_detailed(
        client=client,
        body=SettingsChange(page_size=settings.parsed.page_size + 1),
        if_match=settings.headers["etag"],
    )
    assert changed.status_code == 200, changed
    stale = change_settings.sync_detailed(
        client=client, body=SettingsChange(page_size=1), if_match=settings.headers["etag"]
    )
    assert stale.status_code == 412 and b'"code"' in stale.content, stale
    print("the Python client works")


main()
