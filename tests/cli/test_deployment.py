"""Files for Docker Compose, Kubernetes, Prometheus and Grafana: they fit together, the image, and the program."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

from precoro_daemon.adapters.listener.metrics import METRICS
from precoro_daemon.app.company_files import read_companies
from precoro_daemon.cli import main

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
OF_A_PROCESS = {"company", "instance", "job"}
"""Labels that a scrape adds, and a process of many companies."""


@pytest.fixture
def written(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    directory = tmp_path / "deploy"
    result = CliRunner().invoke(main, ["deployment", request.param, str(directory)])
    assert result.exit_code == 0, result.output
    return directory


both = pytest.mark.parametrize("written", ["compose", "kubernetes"], indirect=True)
compose = pytest.mark.parametrize("written", ["compose"], indirect=True)
kubernetes = pytest.mark.parametrize("written", ["kubernetes"], indirect=True)


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


DOCKER = """#!/bin/sh
echo "$*" >> docker.log
[ "$1" = buildx ] && printf 'Name: python\nDigest: {digest}\n\nManifests:\n  Name: python@sha256:other\n'
exit 0
"""
"""Stands in for docker: says a digest, and what it was asked."""


def test_the_image_is_built_on_the_digest_that_was_kept(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()

    def made(digest: str) -> int:
        docker.write_text(DOCKER.replace("{digest}", digest))
        docker.chmod(0o755)
        path = f"{docker.parent}:{os.environ['PATH']}"
        return subprocess.run(
            ["make", "image"], cwd=tmp_path, env={"PATH": path}, capture_output=True, check=False
        ).returncode

    assert made("") != 0
    assert not (tmp_path / ".python-image").exists()
    assert (made("sha256:1234"), made("sha256:5678")) == (0, 0)
    build = "build --build-arg PYTHON_IMAGE=python:3.13-slim-bookworm@sha256:1234 --tag precoro-daemon ."
    asked = "buildx imagetools inspect python:3.13-slim-bookworm"
    assert (tmp_path / "docker.log").read_text().splitlines() == [asked, asked, build, build]
    assert "ARG PYTHON_IMAGE=python:3.13-slim-bookworm\n" in DOCKERFILE


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    result = CliRunner().invoke(main, ["deployment", "compose", str(tmp_path)])
    assert result.exit_code == 2
    assert "is not empty" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@both
def test_the_companies_files_can_be_served(written: Path) -> None:
    companies = written / "companies"
    (companies / "acme.toml.example").rename(companies / "acme.toml")
    prefix = str(written / "keys")
    for name, content in {"acme.token": "k" * 24, "acme.webhooks": "s" * 48, "database-password": "p" * 12}.items():
        (written / "keys").mkdir(exist_ok=True)
        (written / "keys" / name).write_text(content)
        (written / "keys" / name).chmod(0o600)
    for file in companies.iterdir():
        file.write_text(file.read_text().replace("/keys/", f"{prefix}/"))
    found = read_companies(companies, {})
    assert (list(found.companies), found.refused) == (["acme"], {})
    assert found.leased
    assert found.webhooks is not None


@compose
def test_compose_agrees_with_the_image_and_with_itself(written: Path) -> None:
    described = read(written / "compose.yaml")
    services = described["services"]
    for name in ("one", "two"):
        worker = services[name]
        assert worker["hostname"] == name
        assert worker["read_only"] is True
        assert int(worker["stop_grace_period"].removesuffix("s")) > 20
        assert worker["command"][:2] == ["fleet", "run"]
        [owned] = [each for each in worker["tmpfs"] if each.startswith("/data")]
        uid, gid = re.findall(r"(?:uid|gid)=(\d+)", owned)
        assert f"USER {uid}:{gid}" in DOCKERFILE
    for service in services.values():
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            made_by_hand = source in ("./keys", "./tls", "./tls/database.crt")
            assert source in described["volumes"] or made_by_hand or (written / source).exists(), volume
    [scrape] = read(written / "prometheus.yml")["scrape_configs"]
    assert scrape["job_name"] == "precoro-daemon"
    assert scrape["static_configs"] == [{"targets": ["one:9470", "two:9470"]}]


@kubernetes
def test_kubernetes_agrees_with_the_image_and_with_itself(written: Path) -> None:
    workers, service, disruption = yaml.safe_load_all((written / "fleet.yaml").read_text())
    pod = workers["spec"]["template"]["spec"]
    context = pod["securityContext"]
    assert f"USER {context['runAsUser']}:{context['runAsGroup']}" in DOCKERFILE
    assert pod["terminationGracePeriodSeconds"] > 20
    [container] = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    assert {port["name"] for port in container["ports"]} >= {service["spec"]["ports"][0]["targetPort"]}
    labels = workers["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"] == disruption["spec"]["selector"]["matchLabels"] == labels
    kustomization = read(written / "kustomization.yaml")
    generated = [each["name"] for kind in ("configMap", "secret") for each in kustomization[f"{kind}Generator"]]
    assert {volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume} | {
        volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume
    } == set(generated)
    keys = {Path(path).name for path in kustomization["secretGenerator"][0]["files"]}
    texts = "".join(path.read_text() for path in (written / "companies").iterdir())
    assert keys == set(re.findall(r'"/keys/([^"]+)"', texts))


def commands(written: Path) -> Iterator[list[str]]:
    """Those of the program: of a worker, and of who asks for its health."""
    if (written / "compose.yaml").exists():
        worker = read(written / "compose.yaml")["services"]["one"]
        yield worker["command"]
        yield worker["healthcheck"]["test"][2:]
    else:
        workers, *_ = yaml.safe_load_all((written / "fleet.yaml").read_text())
        [container] = workers["spec"]["template"]["spec"]["containers"]
        yield container["args"]


@both
def test_the_program_knows_the_commands_and_their_options(written: Path) -> None:
    for arguments in commands(written):
        here = [part.replace("/companies", str(written / "companies")) for part in arguments]
        command: click.Command = main
        context = main.make_context("precoro-daemon", here)
        while isinstance(command, click.Group):
            name, found, here = command.resolve_command(context, [*context._protected_args, *context.args])
            assert found is not None, arguments
            context, command = found.make_context(name, here, parent=context), found


@both
def test_the_readme_names_files_that_are_there_or_made(written: Path) -> None:
    readme = (written / "README.md").read_text()
    for name in re.findall(r"companies/[\w.]+example", readme):
        assert (written / name).exists()


def expressions(panels: list[dict[str, Any]]) -> Iterator[str]:
    for panel in panels:
        yield from (target["expr"] for target in panel.get("targets", ()))


def dashboard() -> dict[str, Any]:
    result = CliRunner().invoke(main, ["dashboards"])
    assert result.exit_code == 0
    found: dict[str, Any] = json.loads(result.output)
    return found


def test_the_dashboard_asks_for_metrics_and_labels_that_there_are() -> None:
    for expression in expressions(dashboard()["panels"]):
        names = re.findall(r"precoro_daemon_([a-z_]+)", expression)
        assert names or "process_" in expression
        labels = {label for name in names if name in METRICS for label in METRICS[name].labels}
        assert set(names) <= METRICS.keys() | {"company_served"}
        asked = {label.strip() for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(",")}
        asked |= set(re.findall(r"(\w+)=~?\"", expression))
        assert asked <= labels | OF_A_PROCESS, expression


def test_the_panels_of_the_dashboard_lie_side_by_side() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed here")
@compose
def test_prometheus_reads_its_configuration_and_every_expression(written: Path, tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$company", ".*")}
        for number, expression in enumerate(expressions(dashboard()["panels"]))
    ]
    path = tmp_path / "panels.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    for command in (["config", written / "prometheus.yml"], ["rules", path]):
        done = subprocess.run(["promtool", "check", *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed here")
@kubernetes
def test_kustomize_builds_what_is_applied(written: Path) -> None:
    (written / "companies" / "acme.toml.example").rename(written / "companies" / "acme.toml")
    (written / "keys").mkdir()
    for name in ("database-password", "database-ca.pem", "acme.token", "acme.webhooks"):
        (written / "keys" / name).write_text("content")
    done = subprocess.run(["kubectl", "kustomize", written], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    kinds = [each["kind"] for each in yaml.safe_load_all(done.stdout)]
    assert sorted(kinds) == ["ConfigMap", "PodDisruptionBudget", "Secret", "Service", "StatefulSet"]
