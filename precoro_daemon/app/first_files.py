"""the files of a first configuration: what was chosen, the secrets, and what a service needs"""

from __future__ import annotations

import re
import shlex
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from precoro_daemon.app.new_files import NewFile, free_path
from precoro_daemon.settings.writing import as_toml

_SHIPPED = Path(__file__).parents[1] / "docs"
_SHIPPED_CREDENTIAL = "LoadCredential=precoro_token:/etc/precoro-daemon/config.token"
_SYSTEMD_STATE = "sqlite:////var/lib/precoro-daemon/precoro.db"


def first_files(
    config: Path, values: Mapping[str, Mapping[str, Any]], key_file: Path, service: str, *, new_key: bool
) -> Sequence[NewFile]:
    """The configuration last, as it names the others."""
    chosen = {section: dict(keys) for section, keys in values.items()}
    webhooks = chosen.get("apply_deliveries", {})
    found = [NewFile(key_file, f"{chosen['precoro']['token']}\n", 0o600)] if new_key else []
    secret_file = free_path(config.parent / "webhook-secret")
    if webhooks:
        found.append(NewFile(secret_file, f"{webhooks['secret']}\n", 0o600))
    credentials = {"precoro_token": key_file} | ({"webhook_secret": secret_file} if webhooks else {})
    if service == "systemd":  # it hands secrets over as credentials
        chosen["state"] = {"url": _SYSTEMD_STATE}
        found.append(NewFile(config.parent / "precoro-daemon.service", _unit(config, credentials)))
    else:
        beside = key_file.parent == config.parent
        chosen["precoro"]["token_file"] = key_file.name if beside else str(key_file)
        webhooks |= {"secret_file": secret_file.name} if webhooks else {}
    if service == "compose":
        found.append(NewFile(config.parent / "compose.yaml", _compose(config, key_file)))
    return [*found, NewFile(config, as_toml(chosen, _head()))]


def _head() -> str:
    return (
        f"Written by `precoro-daemon init` on {time.strftime('%Y-%m-%d')}. Every other setting has its default: "
        "`precoro-daemon config example` shows them all. Relative paths start at the directory of this file."
    )


def _unit(config: Path, credentials: Mapping[str, Path]) -> str:
    """The one that is shipped, with these paths."""
    text = (_SHIPPED / "systemd" / "precoro-daemon.service").read_text("utf-8")
    program = Path(shutil.which(sys.argv[0]) or sys.argv[0]).absolute()
    paths = {
        "/usr/local/bin/precoro-daemon": shlex.quote(str(program)),
        "/etc/precoro-daemon/config.toml": shlex.quote(str(config)),
        _SHIPPED_CREDENTIAL: "\n".join(f"LoadCredential={name}:{path}" for name, path in credentials.items()),
    }
    for shipped, ours in paths.items():
        text = text.replace(shipped, ours.replace("%", "%%"))
    if any(path.is_relative_to(home) for path in (program, config) for home in ("/home", "/root")):
        text = text.replace("ProtectHome=yes", "ProtectHome=read-only")
    return text


def _compose(config: Path, key_file: Path) -> str:
    """The one of the manual, with these names."""
    page = (_SHIPPED / "running.md").read_text("utf-8")
    [text] = re.findall(r"```yaml\n(# compose\.yaml\n.*?)```", page, re.DOTALL)
    text = text.replace("./config.toml:", f"./{config.name}:")
    return str(text).replace("{file: ./token}", f"{{file: {key_file}}}")
