"""A disk that is full, and one that can't be written any more, under everything that writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from memd.config import Config
from memd.daemon import process
from tests.cli.command import Memd
from tests.cli.test_bad_input import in_own_mounts

FULL = Path(__file__).with_name("full.py")


@pytest.fixture
def memd(tmp_path: Path) -> Iterator[Memd]:
    (tmp_path / "work").mkdir()
    (tmp_path / "home").mkdir(mode=0o700)
    yield Memd(tmp_path / "home", tmp_path / "work", {"MEMD_ENCODER": str(tmp_path / "none")})
    process.stop(Config.load(tmp_path / "home", {}))


def mounts_allowed() -> bool:
    tried = ["unshare", "--mount", "true"]
    return sys.platform.startswith("linux") and os.geteuid() == 0 and not subprocess.run(tried, check=False).returncode


@pytest.mark.skipif(not mounts_allowed(), reason="needs root on Linux: mounts a file system")
@pytest.mark.parametrize("rooms", ["0", pytest.param("0,4,12,24,40,80,120,200,400", marks=pytest.mark.soak)])
def test_at_every_write_a_full_disk_is_told_and_nothing_is_lost(tmp_path: Path, rooms: str) -> None:
    """With so many kilobytes left it is done or refused as a whole, and done once there is room."""
    words = ["unshare", "--mount", sys.executable, str(FULL), str(tmp_path), rooms]
    done = subprocess.run(words, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert {one["came_to"] for one in told} <= {"full", "done"}, told
    refused = {one["act"] for one in told if one["came_to"] == "full"}
    assert refused >= {"remember", "remember a long text", "remember many", "ingest", "use", "maintain", "backup"}
    for one in told:
        assert one["again"] == "done" and one["readable"], one
        assert not one["troubles"] and not one["lost"] and not one["litter"], one


def test_a_disk_that_fills_under_a_running_daemon(memd: Memd) -> None:
    script = f"""
        mount -t tmpfs -o size=4m,mode=700 tmpfs {memd.home}
        memd remember "before the flood"
        dd if=/dev/zero of={memd.home}/filler bs=4k 2>/dev/null || true
        memd remember "in the flood"
        memd recall "the flood"
        echo '{{"session_id": "s1", "transcript_path": "/none", "cwd": "/"}}' | memd hook SessionEnd
        memd daemon status
        rm {memd.home}/filler
        memd remember "after the flood"
        memd check
        memd daemon stop
    """
    _, refused, (found, _), hook, status, after, check, _ = in_own_mounts(script, memd)
    assert refused[1] == 3 and "isk is full" in refused[0] and "hint: " in refused[0]
    assert "before the flood" in found and "in the flood" not in found
    assert (hook[0].strip(), hook[1], status[1]) == ("", 0, 0)
    assert after[1] == 0 and "sound\ttrue" in check[0] and "memories\t2" in check[0]


def test_a_disk_that_turns_read_only_under_a_running_daemon(memd: Memd, tmp_path: Path) -> None:
    """As Linux turns a disk that fails: files stay open, and nothing more is written to them."""
    if subprocess.run(["which", "mkfs.ext4", "losetup"], capture_output=True, check=False).returncode:
        pytest.skip("needs mkfs.ext4 and losetup")
    image = tmp_path / "disk"
    image.write_bytes(bytes(24 << 20))
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    script = f"""
        mount -o loop,errors=remount-ro {image} {memd.home} || exit 77
        chmod 700 {memd.home}
        memd remember "carved in stone"
        mount -o remount,abort {memd.home}
        memd remember "in sand"
        memd remember "in sand, again"
        memd recall stone
        echo '{{"session_id": "s1", "transcript_path": "/none", "cwd": "/"}}' | memd hook SessionEnd
        memd daemon status
        memd doctor
        memd daemon stop
        umount {memd.home}
        fsck.ext4 -p {image} >/dev/null 2>&1 || true
        mount -o loop {image} {memd.home}
        memd check
        memd recall stone
        memd remember "back again"
        memd daemon stop
    """
    try:
        said = in_own_mounts(script, memd)
    except AssertionError as error:
        if "returncode=77" in str(error):
            pytest.skip("no loop device can be mounted here")
        raise
    _, refused, again, (found, _), hook, status, doctor, stopped, check, (later, _), _, _ = said
    for told, code in (refused, again):
        assert code == 3 and "hint: " in told and ("written" in told or "writing" in told)
    assert "carved in stone" in found and (hook[0].strip(), hook[1], status[1]) == ("", 0, 0)
    assert doctor[1] == 3 and "Report this" not in doctor[0]
    assert stopped[1] == 0
    assert "sound\ttrue" in check[0] and "carved in stone" in later and "in sand" not in later
