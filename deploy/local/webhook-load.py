#!/usr/bin/env python3
"""Sends signed webhooks steadily, and asks the operator API, until SIGTERM; then prints what was answered, as JSON.

    webhook-load.py URL PREFIX RATE [ID…]     secret in WEBHOOK_SECRET, token in OPERATOR_TOKEN

Each webhook is a `vessel.updated` of one of the ids, under a webhook-id that begins with PREFIX, and is sent once: an answer that is no
2xx is a failure, and so is a connection that breaks. Eight connections, as a portal keeps them."""

import base64
import collections
import datetime
import hashlib
import hmac
import http.client
import json
import os
import signal
import sys
import threading
import time
from urllib.parse import urlsplit

CONNECTIONS = 8
ANSWER_TIMEOUT = 60
API_INTERVAL = 0.1

url, prefix, rate, *ids = sys.argv[1:]
address = urlsplit(url).netloc
secret = os.environ["WEBHOOK_SECRET"]
key = base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()

ended = threading.Event()
lock = threading.Lock()
webhooks, reads, faults, slowest = collections.Counter(), collections.Counter(), [], 0.0
sent = 0


def next_number():
    global sent
    with lock:
        sent += 1
        return sent


class Connection:
    """A connection that is opened anew after it broke, for the next request."""

    def __init__(self):
        self.connection = None

    def ask(self, method, path, body=None, headers={}):  # noqa: B006
        """The status, or the name of the error."""
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection(address, timeout=ANSWER_TIMEOUT)
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
            answer.read()
            if answer.will_close:
                self.close()
            return str(answer.status)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return type(error).__name__

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None


def note(counter, outcome, started, what):
    global slowest
    took = time.monotonic() - started
    with lock:
        counter[outcome] += 1
        slowest = max(slowest, took)
        if outcome not in ("200", "202"):
            faults.append(f"{datetime.datetime.now().isoformat(timespec='milliseconds')} {what}: {outcome} after {took:.2f} s")


def send_webhooks(first):
    connection, due = Connection(), time.monotonic() + first * 1 / float(rate)
    while not ended.is_set():
        time.sleep(max(0.0, due - time.monotonic()))
        due = max(due + CONNECTIONS / float(rate), time.monotonic() - 1)
        number = next_number()
        name, now = f"{prefix}{number}", datetime.datetime.now(datetime.timezone.utc)
        data = {"id": ids[number % len(ids)]} if ids else {}
        kind = "vessel.updated" if ids else "test.ping"
        body = json.dumps({"type": kind, "timestamp": now.isoformat(), "schemaVersion": 1, "data": data}).encode()
        seconds = str(int(now.timestamp()))
        mac = hmac.new(key, b".".join([name.encode(), seconds.encode(), body]), hashlib.sha256).digest()
        headers = {"Content-Type": "application/json", "webhook-id": name, "webhook-timestamp": seconds}
        headers["webhook-signature"] = f"v1,{base64.b64encode(mac).decode()}"
        started = time.monotonic()
        note(webhooks, connection.ask("POST", "/api/sync/webhook", body, headers), started, name)


def read_api():
    connection = Connection()
    headers = {"Authorization": f"Bearer {os.environ['OPERATOR_TOKEN']}"}
    while not ended.wait(API_INTERVAL):
        started = time.monotonic()
        note(reads, connection.ask("GET", "/api/sync/status", headers=headers), started, "GET /api/sync/status")


signal.signal(signal.SIGTERM, lambda *_: ended.set())
threads = [threading.Thread(target=send_webhooks, args=(number,)) for number in range(CONNECTIONS)]
if os.environ.get("OPERATOR_TOKEN"):
    threads.append(threading.Thread(target=read_api))
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
json.dump({"webhooks": webhooks, "reads": reads, "slowestSeconds": round(slowest, 2), "faults": faults}, sys.stdout)
