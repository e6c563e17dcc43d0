"""The manifests of the example: Kubernetes takes them, they agree with each other, and they are as
safe as they can be. Each check finds what is wrong.

Reading them needs Go 1.23 or newer, and Kubernetes' types from the module proxy at the first build.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from brownout.declaration.tables import service_from
from tests.engine.foreground import serving
from tests.kubernetes.manifests import FILES, FOLDER, disagreements, objects, unsafe

pytestmark = pytest.mark.timeout(400)

_SOURCES = Path(__file__).parent / "strict"

Decode = Callable[[str], "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def decode(tmp_path_factory: pytest.TempPathFactory) -> Decode:
    """Reads manifests as the API server does."""
    built = tmp_path_factory.mktemp("strict") / "strict"
    go = shutil.which("go")
    missing = "`go` is not on the PATH"
    if go is not None:
        command = [go, "build", "-buildvcs=false", "-o", str(built), "."]
        done = subprocess.run(command, cwd=_SOURCES, capture_output=True, text=True, check=False)
        missing = f"`go build` in {_SOURCES} says: {done.stderr.strip()}"
    if not built.exists():
        if os.environ.get("BROWNOUT_REQUIRE_PGX") == "1":
            pytest.fail(f"BROWNOUT_REQUIRE_PGX=1, but {missing}")
        pytest.skip(f"Kubernetes' types need Go 1.23 or newer and its modules: {missing}")

    def read(text: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([built], input=text, capture_output=True, text=True, check=False)

    return read


def text_of(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def test_kubernetes_takes_every_object(decode: Decode) -> None:
    said = [line for path in FILES for line in _taken(decode, path).splitlines()]
    assert said == [f"{one['kind']} {one['metadata']['name']}" for one in objects()]
    assert {"Deployment shop", "StatefulSet database", "NetworkPolicy database"} <= set(said)


def _taken(decode: Decode, path: Path) -> str:
    done = decode(path.read_text(encoding="utf-8"))
    assert done.returncode == 0, f"{path.name}: {done.stderr}"
    return done.stdout


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("readOnlyRootFilesystem: true", "readOnlyRootFilesytem: true", "unknown field"),
        ("failureThreshold: 3", "failureTreshold: 3", "unknown field"),
        ("replicas: 2", 'replicas: "two"', "cannot unmarshal string"),
        ("containerPort: 8000", 'containerPort: "8000"', "cannot unmarshal string"),
        ("memory: 192Mi", "memory: 192 MB", "quantities must match"),
        ("replicas: 2", "replicas: 2\n  replicas: 3", "already set"),
        ("kind: Deployment", "kind: Deploiment", "no kind"),
        ("apiVersion: policy/v1", "apiVersion: policy/v2", "no kind"),
    ],
)
def test_kubernetes_refuses_what_is_wrong(
    decode: Decode, right: str, wrong: str, said: str
) -> None:
    text = text_of("shop.yaml")
    assert right in text
    done = decode(text.replace(right, wrong, 1))
    assert done.returncode == 1
    assert said in done.stderr


def test_the_manifests_agree_and_give_away_as_little_as_they_can() -> None:
    assert list(disagreements(objects())) == []
    assert list(unsafe(objects())) == []


Change = Callable[[Any, Any], object]
Check = Callable[[list[dict[str, Any]]], Iterable[str]]
CHANGES: dict[str, tuple[Check, Change]] = {
    "runs as root": (unsafe, lambda shop, _: pod(shop)["securityContext"].pop("runAsNonRoot")),
    "seccomp": (unsafe, lambda shop, _: pod(shop)["securityContext"].pop("seccompProfile")),
    "token": (unsafe, lambda shop, _: pod(shop).pop("automountServiceAccountToken")),
    "may write": (unsafe, lambda shop, _: main(shop)["securityContext"].update(
        readOnlyRootFilesystem=False)),
    "privileges": (unsafe, lambda shop, _: main(shop)["securityContext"].pop(
        "allowPrivilegeEscalation")),
    "capabilities": (unsafe, lambda shop, _: main(shop)["securityContext"].pop("capabilities")),
    "requests": (unsafe, lambda shop, _: main(shop)["resources"].pop("requests")),
    "limit": (unsafe, lambda shop, _: main(shop)["resources"].pop("limits")),
    "in the file": (unsafe, lambda shop, _: main(shop)["env"].append(
        {"name": "DATABASE_PASSWORD", "value": "x"})),
    "a password in": (unsafe, lambda shop, _: main(shop)["env"].append(
        {"name": "DSN", "value": "postgresql://me:x@database/shop"})),
    "no pod has the port": (disagreements, lambda shop, _: main(shop)["ports"][0].update(name="x")),
    "own pods": (disagreements, lambda shop, _: shop["spec"]["selector"]["matchLabels"].update(
        x="y")),
    "for no pod": (disagreements, lambda _, policy: policy["spec"]["podSelector"][
        "matchLabels"].update(x="y")),
    "before the service": (disagreements, lambda shop, _: sidecar(shop).pop("restartPolicy")),
    "outside the pod": (disagreements, lambda shop, _: sidecar(shop)["args"].__setitem__(
        1, "0.0.0.0")),
    "around the proxy": (disagreements, lambda shop, _: main(shop)["env"][-1].update(
        value="postgresql+asyncpg://$(DATABASE_USER)@database:5432/shop")),
    "not the declared route": (disagreements, lambda shop, _: main(shop)["livenessProbe"][
        "httpGet"].update(path="/ready")),
    "another period": (disagreements, lambda shop, _: main(shop)["readinessProbe"].update(
        periodSeconds=10)),
}  # fmt: skip
"""What must be found, by a word of it: by which check, and how it is made of the Deployment and of
a policy."""


def pod(workload: Any) -> Any:
    return workload["spec"]["template"]["spec"]


def main(workload: Any) -> Any:
    return pod(workload)["containers"][0]


def sidecar(workload: Any) -> Any:
    return pod(workload)["initContainers"][0]


@pytest.mark.parametrize("found", CHANGES)
def test_what_is_wrong_is_found(found: str) -> None:
    check, change = CHANGES[found]
    manifests = objects()
    (shop,) = [one for one in manifests if one["kind"] == "Deployment"]
    policy = next(one for one in manifests if one["kind"] == "NetworkPolicy")
    change(shop, policy)
    assert any(found in one for one in check(manifests)), list(check(manifests))


def test_the_proxy_takes_its_configuration(tmp_path: Path) -> None:
    (config,) = [one for one in objects() if one["kind"] == "ConfigMap"]
    written = config["data"]["proxies.json"]
    path = tmp_path / "proxies.json"
    path.write_text(written.replace("127.0.0.1:15432", "127.0.0.1:0"), encoding="utf-8")
    with serving("-config", str(path)) as (client, _):
        proxies = client.get("/proxies").json()
    (proxy,) = json.loads(written)
    assert [proxies[proxy["name"]][one] for one in ("upstream", "protocol")] == [
        *("database:5432", "postgresql"),
    ]


def test_the_declaration_is_one() -> None:
    assert [one.name for one in service_from(FOLDER / "brownout.toml").reads()] == ["list-orders"]
