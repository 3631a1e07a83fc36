"""Checks deploy/kubernetes: renders each overlay, validates each object by the schemas of Kubernetes and KEDA, and compares the objects
with each other, with docker-compose.yml and with what the services say about themselves."""

import base64
import copy
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import jsonschema
import kubernetes_validate
import yaml

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "deploy/kubernetes"
PROGRAMS = ROOT / "target/debug"
SECRETS = ROOT / "deploy/secrets/development"
# The oldest version that has not ended and a new one.
VERSIONS = ("1.34", "1.37")
SERVICES = ("webhook-ingest", "scheduler", "worker", "status")

problems = []


def want(condition, text):
    if not condition:
        problems.append(text)


# --------------------------------------------------------------------------------------------------------- render


def objects_of(path):
    return [it for it in yaml.safe_load_all(path.read_text()) if it]


def apply_patch(target, operations):
    """JSON Patch (RFC 6902), the operations that our overlays use."""
    for operation in operations:
        *way, last = [it.replace("~1", "/").replace("~0", "~") for it in operation["path"].split("/")[1:]]
        place = target
        for step in way:
            place = place[int(step) if isinstance(place, list) else step]
        last = int(last) if isinstance(place, list) else last
        if operation["op"] == "remove":
            del place[last]
        elif operation["op"] == "replace":
            place[last]  # must be there
            place[last] = operation["value"]
        else:
            raise ValueError(f"unknown operation {operation['op']}")


def render(directory):
    """What `kustomize build` makes of a directory, as far as our kustomizations go; what it does not know stops it."""
    file = yaml.safe_load((directory / "kustomization.yaml").read_text())
    known = {"apiVersion", "kind", "namespace", "resources", "images", "replicas", "patches"}
    known |= {"configMapGenerator", "generatorOptions"}
    assert file.keys() <= known, f"{directory}: {file.keys() - known}"
    objects = []
    for resource in file.get("resources", []):
        path = directory / resource
        objects += render(path.resolve()) if path.is_dir() else copy.deepcopy(objects_of(path))
    for generator in file.get("configMapGenerator", []):
        assert generator.keys() == {"name", "files"} and file["generatorOptions"] == {"disableNameSuffixHash": True}
        data = {name: (directory / name).read_text() for name in generator["files"]}
        objects.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": generator["name"]}, "data": data})
    for it in objects:
        if it["kind"] != "Namespace" and "namespace" in file:
            it["metadata"]["namespace"] = file["namespace"]
        for container in containers(it):
            for image in file.get("images", []):
                if container["image"].split(":")[0] == image["name"]:
                    container["image"] = f"{image['newName']}:{image['newTag']}"
    for replicas in file.get("replicas", []):
        found = [it for it in objects if it["metadata"]["name"] == replicas["name"] and "replicas" in it.get("spec", {})]
        assert found, f"{directory}: nothing has the name {replicas['name']} and replicas"
        for it in found:
            it["spec"]["replicas"] = replicas["count"]
    for patch in file.get("patches", []):
        target = patch["target"]
        found = [it for it in objects if it["kind"] == target["kind"] and it["metadata"]["name"] == target["name"]]
        assert len(found) == 1, f"{directory}: {len(found)} objects for the patch of {target}"
        apply_patch(found[0], yaml.safe_load(patch["patch"]))
    return objects


def compare_with_kustomize(name, directory, objects):
    if not shutil.which("kubectl"):
        return False
    answer = subprocess.run(["kubectl", "kustomize", directory], capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        problems.append(f"{name}: kubectl kustomize: {answer.stderr.strip()}")
        return True
    theirs = {key(it): it for it in yaml.safe_load_all(answer.stdout)}
    ours = {key(it): it for it in objects}
    want(theirs.keys() == ours.keys(), f"{name}: kustomize has other objects: {theirs.keys() ^ ours.keys()}")
    for one in theirs.keys() & ours.keys():
        want(theirs[one] == ours[one], f"{name}: kustomize renders {one} otherwise")
    return True


def key(it):
    return f"{it['kind']}/{it['metadata']['name']}"


def pod_of(it):
    return it["spec"]["template"]["spec"] if it["kind"] in ("Deployment", "StatefulSet", "Job") else None


def containers(it):
    return pod_of(it)["containers"] if pod_of(it) else []


# ------------------------------------------------------------------------------------------------------- validate


def validate(name, it):
    try:
        if it["apiVersion"].startswith("keda.sh/"):
            jsonschema.validate(it, json.loads((HERE / "keda.schema.json").read_text()))
        else:
            for version in VERSIONS:
                kubernetes_validate.validate(it, version, strict=True)
    except (jsonschema.ValidationError, kubernetes_validate.ValidationError) as error:
        problems.append(f"{name}: {key(it)}: {error.message}")


def check_pods(name, objects):
    by_key = {key(it): it for it in objects}
    secrets = {it["metadata"]["name"]: set(it["data"]) for it in secret_objects()}
    for it in objects:
        pod = pod_of(it)
        if pod is None:
            continue
        where = f"{name}: {key(it)}"
        labels = it["spec"]["template"]["metadata"]["labels"]
        selector = it["spec"].get("selector", {}).get("matchLabels", labels)
        want(selector.items() <= labels.items(), f"{where}: the selector does not fit its pods")
        want(pod["securityContext"].get("runAsNonRoot"), f"{where}: may run as root")
        want(pod["automountServiceAccountToken"] is False, f"{where}: gets a token of Kubernetes")
        want(f"ServiceAccount/{pod['serviceAccountName']}" in by_key, f"{where}: its account is not there")
        mounted = set()
        for volume in pod["volumes"]:
            if "configMap" in volume:
                want(f"ConfigMap/{volume['configMap']['name']}" in by_key, f"{where}: no ConfigMap for {volume['name']}")
            if "secret" in volume:
                mounted |= secrets.get(volume["secret"]["secretName"], set())
                want(volume["secret"]["secretName"] in secrets, f"{where}: secrets.sh makes no {volume['secret']}")
        for container in pod["containers"]:
            security = container["securityContext"]
            want(security["capabilities"]["drop"] == ["ALL"], f"{where}: keeps capabilities")
            want(security["allowPrivilegeEscalation"] is False, f"{where}: may gain rights")
            want("memory" in container["resources"]["limits"], f"{where}: has no limit on memory")
            names = {volume["name"] for volume in pod["volumes"]}
            names |= {it["metadata"]["name"] for it in it["spec"].get("volumeClaimTemplates", [])}
            for mount in container["volumeMounts"]:
                want(mount["name"] in names, f"{where}: no volume {mount['name']}")
            for variable in container.get("env", []):
                value = variable["value"]
                if value.startswith("/run/secrets/"):
                    want(value.rsplit("/", 1)[1] in mounted, f"{where}: {variable['name']}: no secret {value}")
            for word in [*container.get("command", []), *container.get("args", [])]:
                if "/run/secrets/" in word:
                    want(word.rsplit("/", 1)[1] in mounted, f"{where}: no secret for {word}")
            ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                for kind in ("httpGet", "tcpSocket"):
                    port = container.get(probe, {}).get(kind, {}).get("port")
                    want(port is None or port in ports, f"{where}: {probe} asks a port that is not there")


def check_references(name, objects):
    by_key = {key(it): it for it in objects}
    pods = [(it, it["spec"]["template"]["metadata"]["labels"]) for it in objects if pod_of(it)]
    components = {labels["app.kubernetes.io/component"] for _it, labels in pods}
    for it in objects:
        where = f"{name}: {key(it)}"
        spec = it.get("spec", {})
        if it["kind"] == "Service":
            found = [pod for pod, labels in pods if spec["selector"].items() <= labels.items()]
            want(len(found) == 1, f"{where}: {len(found)} workloads fit its selector")
            ports = {port["name"] for pod in found for container in containers(pod) for port in container["ports"]}
            want(all(port["targetPort"] in ports for port in spec["ports"]), f"{where}: a port that no pod has")
        if it["kind"] == "PodDisruptionBudget":
            found = [pod for pod, labels in pods if spec["selector"]["matchLabels"].items() <= labels.items()]
            want(len(found) == 1, f"{where}: {len(found)} workloads fit its selector")
        if it["kind"] in ("HorizontalPodAutoscaler", "ScaledObject"):
            target = by_key.get(f"Deployment/{spec['scaleTargetRef']['name']}")
            want(target and "replicas" not in target["spec"], f"{where}: its target has a number of replicas, or is not there")
        if it["kind"] == "ScaledObject":
            for trigger in spec["triggers"]:
                reference = trigger.get("authenticationRef", {}).get("name")
                want(reference is None or f"TriggerAuthentication/{reference}" in by_key, f"{where}: no {reference}")
                queue = trigger["metadata"].get("queueName")
                rust = (ROOT / "crates/broker/src/topology.rs").read_text()
                want(queue is None or f'"{queue}"' in rust, f"{where}: there is no queue {queue}")
                metrics = re.findall(r"sms_\w+", trigger["metadata"].get("query", ""))
                known = (ROOT / "docs/metrics.md").read_text()
                want(all(f"`{metric}`" in known for metric in metrics), f"{where}: {metrics} are not in the catalogue")
        if it["kind"] == "TriggerAuthentication":
            keys = {secret["metadata"]["name"]: secret["data"] for secret in secret_objects()}
            for reference in spec["secretTargetRef"]:
                want(reference["key"] in keys.get(reference["name"], {}), f"{where}: no secret for {reference}")
        if it["kind"] == "Ingress":
            for rule in spec["rules"]:
                for path in rule["http"]["paths"]:
                    want(f"Service/{path['backend']['service']['name']}" in by_key, f"{where}: no such service")
        if it["kind"] == "NetworkPolicy":
            text = json.dumps(spec)
            named = set(re.findall(r'"app.kubernetes.io/component": "([a-z-]+)"', text))
            for values in re.findall(r'"values": \[([^\]]*)\]', text):
                named |= set(re.findall(r'"([a-z-]+)"', values))
            want(named <= components, f"{where}: nothing is called {named - components}")
    check_who_reaches_ingest(name, objects)
    check_whom_the_gateway_believes(name, objects)


def check_whom_the_gateway_believes(name, objects):
    """The Caddyfile's variables are those of the pod. Where the gateway believes a proxy, a policy says who may send to it."""
    by_key = {key(it): it for it in objects}
    gateway = containers(by_key["Deployment/gateway"])[0]
    values = {variable["name"]: variable["value"] for variable in gateway["env"] if not variable["name"].startswith("XDG_")}
    read = set(re.findall(r"\{\$(\w+)", by_key["ConfigMap/gateway"]["data"]["Caddyfile"])) - {"SITE"}
    want(read == values.keys(), f"{name}: the Caddyfile reads {read}, and the gateway's pod has {set(values)}")
    open_to_all = any("from" not in rule for rule in by_key["NetworkPolicy/gateway"]["spec"]["ingress"])
    nobody = values.get("GATEWAY_TRUSTED_PROXIES") == "127.0.0.1/32"
    want(nobody == open_to_all, f"{name}: the gateway believes {values}, and {'every pod' if open_to_all else 'a proxy alone'} reaches it")
    want(("Ingress/gateway" in by_key) != nobody, f"{name}: the gateway believes no Ingress, or one that is not there")


def check_who_reaches_ingest(name, objects):
    """Only the gateway, and Prometheus, which asks for metrics."""
    sources = []
    for it in objects:
        if it["kind"] == "NetworkPolicy" and selects(it["spec"]["podSelector"], "webhook-ingest"):
            for rule in it["spec"].get("ingress", []):
                sources += rule.get("from", ["anybody"])
    gateway = {"podSelector": {"matchLabels": {"app.kubernetes.io/component": "gateway"}}}
    monitoring = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    want(sorted(map(str, sources)) == sorted(map(str, [gateway, monitoring])), f"{name}: {sources} reach webhook-ingest")
    denied = [it for it in objects if it["kind"] == "NetworkPolicy" and it["spec"]["podSelector"] == {}]
    refuses = [it for it in denied if it["spec"]["policyTypes"] == ["Ingress", "Egress"] and len(it["spec"]) == 2]
    want(refuses, f"{name}: no policy refuses what is not allowed")


def selects(selector, component):
    if not selector:
        return True
    labels = selector.get("matchLabels", {}).get("app.kubernetes.io/component")
    values = [value for it in selector.get("matchExpressions", []) for value in it["values"]]
    return component in (labels, *values)


def secret_objects(cache=[]):  # noqa: B006
    if not cache:
        text = subprocess.run([HERE / "secrets.sh", SECRETS], capture_output=True, text=True, check=True).stdout
        cache += [it for it in yaml.safe_load_all(text) if it]
    return cache


# ---------------------------------------------------------------------------------------- Compose, and the programs


def check_against_compose(name, objects):
    """The services get the same secrets and variables in both."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    for it in objects:
        service = it["metadata"]["name"]
        if it["kind"] != "Deployment" or service not in (*SERVICES, "onboarding-portal"):
            continue
        theirs = compose["services"][service]
        wanted = {secret if isinstance(secret, str) else secret["target"] for secret in theirs["secrets"]}
        ours = {secret["metadata"]["name"]: set(secret["data"]) for secret in secret_objects()}[service]
        want(wanted == ours, f"{name}: {service} has the secrets {ours}, and in Compose {wanted}")
        names = {variable["name"] for variable in containers(it)[0]["env"]} | {"SMS_ENV", "RUST_LOG"}
        names |= {"OTEL_EXPORTER_OTLP_ENDPOINT", "ONBOARDING_API_URL"}
        want(set(theirs["environment"]) <= names, f"{name}: {service} lacks {set(theirs['environment']) - names}")
        grace = int(theirs["stop_grace_period"].rstrip("s"))
        if service != "onboarding-portal":
            want(pod_of(it)["terminationGracePeriodSeconds"] >= grace, f"{name}: {service} has less grace than in Compose")
        limit = theirs["mem_limit"].replace("g", "Gi").replace("m", "Mi")
        want(containers(it)[0]["resources"]["limits"]["memory"] == limit, f"{name}: {service} has another limit in Compose")


def check_programs(objects):
    """Each service takes its environment: `config print` fails for what it does not know."""
    config = next(it for it in objects if key(it) == "ConfigMap/sms-sync")["data"]
    secrets = {it["metadata"]["name"]: it["data"] for it in secret_objects()}
    checked = 0
    for it in objects:
        program = PROGRAMS / it["metadata"]["name"]
        if it["kind"] != "Deployment" or not program.exists():
            continue
        with tempfile.TemporaryDirectory() as directory:
            for secret, data in secrets[it["metadata"]["name"]].items():
                Path(directory, secret).write_bytes(base64.b64decode(data))
            environment = dict(config, PATH=os.environ["PATH"], SMS_ENV="development")
            for variable in containers(it)[0]["env"]:
                environment[variable["name"]] = variable["value"].replace("/run/secrets", directory)
            answer = subprocess.run([program, "config", "print"], env=environment, capture_output=True, text=True, check=False)
            want(answer.returncode == 0, f"{program.name} refuses its environment: {answer.stdout}{answer.stderr}")
            checked += 1
    return checked


def main():
    counted, compared, started = 0, False, 0
    for directory in sorted((HERE / "overlays").iterdir()):
        name = directory.name
        objects = render(directory)
        counted += len(objects)
        compared = compare_with_kustomize(name, directory, objects)
        keys = [key(it) for it in objects]
        want(len(keys) == len(set(keys)), f"{name}: two objects have one name")
        for it in objects:
            validate(name, it)
        check_pods(name, objects)
        check_references(name, objects)
        check_against_compose(name, objects)
        started += check_programs(objects)
    for it in secret_objects():
        validate("secrets.sh", it)
    if problems:
        sys.exit("\n".join(problems))
    print(f"{counted} objects of two overlays are valid for Kubernetes {' and '.join(VERSIONS)} and fit each other and Compose")
    print("kubectl kustomize renders the same" if compared else "kubectl is not here: nobody else has rendered them")
    print(f"{started} environments were taken by their programs" if started else "the programs are not built")


main()
