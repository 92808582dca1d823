"""Files of a first configuration: all of them or none, and nothing of anybody's is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from precoro_daemon.app.new_files import NewFile, free_path, write_together
from precoro_daemon.errors import ConfigurationError


def files_below(directory: Path) -> dict[str, str]:
    return {str(path.relative_to(directory)): path.read_text() for path in directory.rglob("*") if path.is_file()}


def test_all_are_there_with_their_modes(tmp_path: Path) -> None:
    new = tmp_path / "a" / "b"
    assert write_together([NewFile(new / "key", "k", 0o600), NewFile(new / "config", "c")], replace=False) == []
    assert files_below(tmp_path) == {"a/b/key": "k", "a/b/config": "c"}
    assert (new / "key").stat().st_mode & 0o777 == 0o600


def test_what_is_there_is_not_replaced_and_all_of_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("mine")
    (tmp_path / "key").symlink_to("nowhere")
    wanted = [NewFile(tmp_path / name, "new") for name in ("other", "key", "config")]
    with pytest.raises(ConfigurationError) as refusal:
        write_together(wanted, replace=False)
    assert str(refusal.value).splitlines() == [
        f"{tmp_path}/{name} is there already, and is not replaced" for name in ("key", "config")
    ]
    assert files_below(tmp_path) == {"config": "mine"}


def test_what_is_replaced_is_kept(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("mine")
    [kept] = write_together([NewFile(tmp_path / "key", "k"), NewFile(tmp_path / "config", "new")], replace=True)
    assert (kept.read_text(), kept.name.startswith("config.")) == ("mine", True)
    assert (tmp_path / "config").read_text() == "new"


@pytest.mark.parametrize("replace", [False, True])
def test_where_one_cannot_be_made_everything_is_as_it_was(tmp_path: Path, replace: bool) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "directory" / "in the way").touch()
    if replace:
        (tmp_path / "config").write_text("mine")
    before = files_below(tmp_path)
    wanted = [NewFile(tmp_path / "config", "new"), NewFile(tmp_path / "new" / ("x" * 300), "never")]
    with pytest.raises(ConfigurationError, match="cannot be written: file name too long"):
        write_together(wanted, replace=replace)
    assert files_below(tmp_path) == before
    assert not (tmp_path / "new").exists()


def test_a_free_name(tmp_path: Path) -> None:
    assert free_path(tmp_path / "token") == tmp_path / "token"
    for name in ("token", "token-2"):
        (tmp_path / name).touch()
    assert free_path(tmp_path / "token") == tmp_path / "token-3"
