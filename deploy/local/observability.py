"""Compares the rules of Prometheus, the dashboards of Grafana and the runbooks with the catalogue of metrics (docs/metrics.md,
which a Rust test compares with the code).

    observability.py          all that needs no server
    observability.py --live PROMETHEUS_URL    asks a Prometheus that scrapes the real services for every expression
"""

import json
import re
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

import promql_parser
import yaml

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy/prometheus/rules.yml"
RUNBOOKS = ROOT / "docs/runbooks"

# What Prometheus adds to every metric, and the metrics of the client libraries and of Prometheus itself.
TARGET_LABELS = {"job", "instance"}
FOREIGN = {
    "up": set(),
    "ALERTS": {"alertname", "alertstate"},
    "process_resident_memory_bytes": set(),
    "process_cpu_seconds_total": set(),
    "process_open_fds": set(),
    "process_start_time_seconds": set(),
}

# Selectors that match nothing while all is well, each with the reason.
EMPTY_WHEN_WELL = {
    'sms_onboarding_api_request_duration_seconds_count{status_class="4xx"}': "no request was refused",
    'sms_onboarding_api_request_duration_seconds_count{status_class=~"none|5xx"}': "no request has failed",
    'http_server_request_duration_seconds_count{http_response_status_code=~"5.."}': "no request has failed",
    'sms_onboarding_api_request_duration_seconds_count{status_class!~"none|5xx"}': "nothing was asked",
    "sms:full_sync_due:timestamp_seconds": "no schedule was due since the start",
    'ALERTS{alertname=~"Sms.*",alertstate="firing"}': "nothing is wrong",
}
# Panels that show nothing while all is well.
EMPTY_PANELS = {
    ("sms-fleet", "Last full sync without errors"): "never: some records of the demo fleet are wrong on purpose",
    ("sms-queues", "Refused webhooks, by reason"): "shows only reasons that have occurred in its time",
}

problems = []


def catalogue():
    """Each metric as Prometheus stores it, with its labels: a histogram is three."""
    metrics, declared = {}, set()
    for line in (ROOT / "docs/metrics.md").read_text().splitlines():
        row = re.match(r"\| `(\w+)` \| (\w+) \| ([^|]*)\|", line)
        if row:
            name, kind, labels = row[1], row[2], set(re.findall(r"`(\w+)`", row[3]))
            declared.add(name)
            if kind == "histogram":
                metrics[f"{name}_bucket"] = labels | {"le"}
                metrics[f"{name}_count"] = metrics[f"{name}_sum"] = labels
            else:
                metrics[name] = labels
    assert len(declared) > 40, "docs/metrics.md has no table of metrics"
    return metrics, declared


def children(node):
    for name in ("expr", "lhs", "rhs", "param", "vector_selector"):
        child = getattr(node, name, None)
        if child is not None:
            yield child
    yield from getattr(node, "args", None) or []


def walk(node):
    yield node
    for child in children(node):
        yield from walk(child)


def parse(text):
    concrete = text.replace("$__rate_interval", "1m").replace("$__range", "1h")
    return promql_parser.parse(concrete)


def labels_of(selector):
    return {matcher.name for matcher in selector.matchers.matchers}


def selectors(expression):
    return [node for node in walk(parse(expression)) if isinstance(node, promql_parser.VectorSelector)]


def check_expression(where, text, known):
    """Names and labels; returns the names."""
    try:
        tree = parse(text)
    except ValueError as error:
        problems.append(f"{where}: {error}: {text}")
        return set()
    names, possible = set(), set(TARGET_LABELS)
    for node in walk(tree):
        if isinstance(node, promql_parser.VectorSelector):
            names.add(node.name)
            if node.name not in known:
                problems.append(f"{where}: {node.name} is not in the catalogue")
                continue
            allowed = known[node.name] | TARGET_LABELS
            possible |= allowed
            for label in labels_of(node) - allowed:
                problems.append(f"{where}: {node.name} has no label {label}")
    for node in walk(tree):
        modifier = getattr(node, "modifier", None)
        if isinstance(node, promql_parser.AggregateExpr) and modifier is not None:
            for label in set(modifier.labels) - possible:
                problems.append(f"{where}: no metric of the expression has the label {label}")
    return names


def rules():
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        yield from group["rules"]


def dashboards():
    for path in sorted((ROOT / "deploy/grafana/dashboards").glob("*.json")):
        yield path.name, json.loads(path.read_text())


def panels(board):
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def check_alerts(known):
    for rule in rules():
        name = rule.get("alert") or rule["record"]
        check_expression(name, rule["expr"], known)
        if "alert" not in rule:
            continue
        page = rule["annotations"].get("runbook")
        text = (ROOT / page).read_text() if page and (ROOT / page).is_file() else ""
        if page != f"docs/runbooks/{name}.md" or not text:
            problems.append(f"{name}: the annotation runbook must name its page, docs/runbooks/{name}.md")
        headings = re.findall(r"^#+ .*", text, re.MULTILINE)
        if headings != [f"# {name}", "## Meaning", "## First look", "## Cure"]:
            problems.append(f"docs/runbooks/{name}.md: its headings must be the name, Meaning, First look, Cure")
        if rule["labels"].get("severity") not in ("page", "ticket"):
            problems.append(f"{name}: the label severity must be page or ticket")
        if f"]({name}.md) | {rule['labels']['severity']} |" not in (RUNBOOKS / "README.md").read_text():
            problems.append(f"docs/runbooks/README.md: no line for {name} with its severity")
        if f"alertname: {name}" not in (ROOT / "deploy/prometheus/rules_test.yml").read_text():
            problems.append(f"{name}: deploy/prometheus/rules_test.yml does not test it")
    alerts = {rule["alert"] for rule in rules() if "alert" in rule}
    for page in RUNBOOKS.glob("*.md"):
        if page.stem not in alerts | {"README"}:
            problems.append(f"docs/runbooks/{page.name}: no alert has this name")


def check_dashboards(known, declared):
    shown, uids = set(), set()
    sources = yaml.safe_load((ROOT / "deploy/grafana/provisioning/datasources/prometheus.yml").read_text())
    source_uids = {source["uid"] for source in sources["datasources"]}
    for file, board in dashboards():
        if board["uid"] in uids:
            problems.append(f"{file}: the uid {board['uid']} is another board's, too")
        uids.add(board["uid"])
        ids = [panel["id"] for panel in board["panels"]]
        if len(ids) != len(set(ids)):
            problems.append(f"{file}: two panels have one id")
        squares = set()
        for panel in board["panels"]:
            at = panel["gridPos"]
            own = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            if squares & own or at["x"] + at["w"] > 24:
                problems.append(f"{file}: {panel['title']} does not fit its place")
            squares |= own
        for annotation in board["annotations"]["list"]:
            check_expression(f"{file}: {annotation['name']}", annotation["expr"], known)
        for panel in panels(board):
            for target in panel["targets"]:
                if target["datasource"]["uid"] not in source_uids:
                    problems.append(f"{file}: {panel['title']} names no provisioned data source")
                shown |= check_expression(f"{file}: {panel['title']}", target["expr"], known)
    for name in sorted(declared):
        if not shown & {name, f"{name}_bucket", f"{name}_count", f"{name}_sum"}:
            problems.append(f"{name} is on no dashboard")


# ------------------------------------------------------------------------------------------------ real services


def query(url, expression):
    address = f"{url}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
    with urllib.request.urlopen(address, timeout=10) as answer:
        body = json.load(answer)
    result = body["data"]["result"]
    return [result] if body["data"]["resultType"] == "scalar" else result


def selector_text(selector):
    matchers = sorted(f'{it.name}{symbol(it)}"{it.value}"' for it in selector.matchers.matchers)
    return selector.name + (f"{{{','.join(matchers)}}}" if matchers else "")


def symbol(matcher):
    return {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}[str(matcher.op).rsplit(".", 1)[-1]]


def check_live(url):
    """Every selector of every rule and panel has a series, and every panel has data; but for those that are named above."""
    expressions = [(rule.get("alert") or rule["record"], rule["expr"]) for rule in rules()]
    counts = {"expressions": 0, "panels": 0, "selectors": set()}
    for _file, board in dashboards():
        for panel in panels(board):
            counts["panels"] += 1
            results = []
            for target in panel["targets"]:
                expressions.append((f"{board['uid']}: {panel['title']}", target["expr"]))
                results += query(url, target["expr"].replace("$__rate_interval", "1m"))
            if not results and (board["uid"], panel["title"]) not in EMPTY_PANELS:
                empty = [selector_text(it) for target in panel["targets"] for it in selectors(target["expr"])]
                if not all(text in EMPTY_WHEN_WELL for text in empty):
                    problems.append(f"{board['uid']}: the panel {panel['title']} has no data")
    for where, expression in expressions:
        counts["expressions"] += 1
        query(url, expression.replace("$__rate_interval", "1m"))  # Prometheus itself must understand it
        for selector in selectors(expression):
            text = selector_text(selector)
            counts["selectors"].add(text)
            if not query(url, text) and text not in EMPTY_WHEN_WELL:
                problems.append(f"{where}: no series matches {text}")
    empty = sorted(text for text in counts["selectors"] if not query(url, text))
    print(f"{counts['expressions']} expressions, {counts['panels']} panels, {len(counts['selectors'])} selectors")
    for (_uid, title), why in EMPTY_PANELS.items():
        print(f"  may be empty: {title}: {why}")
    for text in empty:
        print(f"  empty: {text}: {EMPTY_WHEN_WELL.get(text)}")


def main():
    metrics, declared = catalogue()
    recorded = {rule["record"]: set() for rule in rules() if "record" in rule}
    if sys.argv[1:2] == ["--live"]:
        check_live(sys.argv[2])
    else:
        known = metrics | FOREIGN | recorded
        check_alerts(known)
        check_dashboards(known, declared)
    if problems:
        sys.exit("\n".join(problems))
    print("dashboards, alerts and runbooks fit the catalogue of metrics")


main()
