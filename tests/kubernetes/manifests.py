"""The manifests of the example, as Kubernetes would read them, and what they have to agree on."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]

__all__ = ["FILES", "FOLDER", "disagreements", "objects", "unsafe"]

FOLDER: Final = Path(__file__).parents[2] / "examples" / "kubernetes"
FILES: Final = sorted(FOLDER.glob("*.yaml"))

Manifest = dict[str, Any]


def objects() -> list[Manifest]:
    """Every object of every file."""
    return [one for path in FILES for one in yaml.safe_load_all(path.read_text(encoding="utf-8"))]


def unsafe(manifests: list[Manifest]) -> Iterator[str]:
    """What a container may do that it need not, and where a password stands in a file."""
    for pod in map(_pod, _workloads(manifests)):
        context = pod.get("securityContext", {})
        if context.get("runAsNonRoot") is not True or not context.get("runAsUser"):
            yield "a pod runs as root"
        if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
            yield "a pod has no seccomp profile"
        if pod.get("automountServiceAccountToken") is not False:
            yield "a pod has a token for the cluster's API"
        for container in _containers(pod):
            yield from (f"{container['name']} {wrong}" for wrong in _unsafe_container(container))


def _unsafe_container(container: Mapping[str, Any]) -> Iterator[str]:
    context = container.get("securityContext", {})
    if context.get("readOnlyRootFilesystem") is not True:
        yield "may write to its image"
    if context.get("allowPrivilegeEscalation") is not False:
        yield "may get more privileges"
    if context.get("capabilities") != {"drop": ["ALL"]}:
        yield "has capabilities"
    resources = container.get("resources", {})
    if not {"cpu", "memory"} <= resources.get("requests", {}).keys():
        yield "requests no resources"
    if "memory" not in resources.get("limits", {}):
        yield "has no limit of memory"
    for variable in container.get("env", ()):
        if re.search(r"(?i)password|user", variable["name"]) and "value" in variable:
            yield f"has the value of {variable['name']} in the file"
        if re.search(r"://[^@]*:(?!\$\()[^@]*@", variable.get("value", "")):
            yield f"has a password in {variable['name']}"


def disagreements(manifests: list[Manifest]) -> Iterator[str]:
    """Where one object refers to what another one does not have."""
    workloads = _workloads(manifests)
    for service in _of(manifests, "Service"):
        pods = [one for one in workloads if _selects(service["spec"]["selector"], one)]
        for port in service["spec"]["ports"]:
            if not any(port["targetPort"] in _ports(_pod(one)) for one in pods):
                yield f"no pod has the port {port['targetPort']} of {_name(service)}"
    for one in workloads:
        if not _selects(one["spec"]["selector"]["matchLabels"], one):
            yield f"{_name(one)} does not select its own pods"
    for policy in _of(manifests, "NetworkPolicy"):
        if not any(
            _selects(policy["spec"]["podSelector"]["matchLabels"], one) for one in workloads
        ):
            yield f"the policy {_name(policy)} is for no pod"
    (shop,) = [one for one in workloads if one["kind"] == "Deployment"]
    yield from _sidecar(_pod(shop), manifests)
    yield from _probes(_pod(shop))


def _sidecar(pod: Manifest, manifests: list[Manifest]) -> Iterator[str]:
    first, *others = pod["initContainers"]
    if first["name"] != "proxy" or first.get("restartPolicy") != "Always":
        yield "the proxy does not start before the service, and stay"
    if first["args"][:2] != ["-host", "127.0.0.1"]:
        yield "the control API can be reached from outside the pod"
    (config,) = _of(manifests, "ConfigMap")
    (proxy,) = json.loads(config["data"]["proxies.json"])
    for container in (*others, *pod["containers"]):
        (url,) = [one["value"] for one in container["env"] if one["name"] == "DATABASE_URL"]
        if f"@{proxy['listen']}/" not in url:
            yield f"{container['name']} reaches its database around the proxy"
    host, _, port = proxy["upstream"].rpartition(":")
    if not any(
        _name(one) == host and int(port) in [each["port"] for each in one["spec"]["ports"]]
        for one in _of(manifests, "Service")
    ):
        yield "the proxy leads to no Service"


def _probes(pod: Manifest) -> Iterator[str]:
    declared = tomllib.loads((FOLDER / "brownout.toml").read_text(encoding="utf-8"))["health"]
    (shop,) = pod["containers"]
    for name, route in (("liveness", "live"), ("startup", "live"), ("readiness", "ready")):
        if shop[f"{name}Probe"]["httpGet"] != {"path": declared[route], "port": "http"}:
            yield f"{name} is not the declared route {declared[route]}"
    readiness = shop["readinessProbe"]
    names = {"period": "periodSeconds", "timeout": "timeoutSeconds"}
    if readiness["failureThreshold"] != declared["threshold"] or any(
        f"{readiness[theirs]} s" != declared[ours] for ours, theirs in names.items()
    ):
        yield "readiness is declared with another period, threshold or time-out"


def _of(manifests: list[Manifest], kind: str) -> list[Manifest]:
    return [one for one in manifests if one["kind"] == kind]


def _workloads(manifests: list[Manifest]) -> list[Manifest]:
    return [*_of(manifests, "Deployment"), *_of(manifests, "StatefulSet")]


def _name(manifest: Manifest) -> str:
    return str(manifest["metadata"]["name"])


def _pod(workload: Manifest) -> Manifest:
    pod: Manifest = workload["spec"]["template"]["spec"]
    return pod


def _containers(pod: Manifest) -> list[Manifest]:
    return [*pod.get("initContainers", ()), *pod["containers"]]


def _ports(pod: Manifest) -> set[str]:
    return {port["name"] for one in pod["containers"] for port in one.get("ports", ())}


def _selects(labels: Mapping[str, str], workload: Manifest) -> bool:
    has: Mapping[str, str] = workload["spec"]["template"]["metadata"]["labels"]
    return labels.items() <= has.items()
