"""Limits of memory of control groups, in trees made for the purpose."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kavg.storage import limits
from kavg.storage.control_groups import read_group_limits
from kavg.storage.limits import MemoryLimit, list_memory_limits, memory_limit

GIB, UNLIMITED = 2**30, 9223372036854771712  # what version 1 says where there is no limit


@pytest.fixture
def tree(tmp_path):
    """``tree(cgroup, mounts, files)``: the limits by file, relative to the place of the mounts."""

    def tree(cgroup, mounts, files):
        process, top = tmp_path / "proc", tmp_path / "sys"
        process.mkdir()
        lines = [
            f"30 23 0:26 {root} {top}{place} rw,nosuid shared:4 - {kind} cgroup rw,{options}"
            for root, place, kind, options in mounts
        ]
        (process / "mountinfo").write_text(
            "22 1 8:1 / / rw - ext4 /dev/sda rw\n" + "\n".join(lines)
        )
        (process / "cgroup").write_text(cgroup)
        for name, content in files.items():
            (top / name).parent.mkdir(parents=True, exist_ok=True)
            (top / name).write_text(content)
        found = read_group_limits(process)
        return {file.removeprefix(f"{top}/"): int(limit) for file, limit in found.items()}

    return tree


V2 = [("/", "", "cgroup2", "nsdelegate")]


def test_the_group_and_all_groups_around_it_count(tree):
    files = {
        "memory.max": "max\n",  # the root has none, but a container sees its own group there
        "user.slice/memory.max": f"{8 * GIB}\n",
        "user.slice/memory.high": "max\n",
        "user.slice/job/memory.max": "max\n",
        "user.slice/job/memory.high": f"{3 * GIB}\n",
        "another/memory.max": "1\n",
    }
    assert tree("0::/user.slice/job\n", V2, files) == {
        "user.slice/job/memory.high": 3 * GIB,
        "user.slice/memory.max": 8 * GIB,
    }


CONTAINERS = {
    "a namespace of its own": ("0::/\n", "/"),
    "the host's path, of which its own part is mounted": ("0::/docker/ab\n", "/docker/ab"),
    "the host's path, of which nothing is known": ("0::/docker/ab\n", "/kubepods/x"),
    "a path outside of what is mounted": ("0::/../../job\n", "/"),
    "a name with a blank": ("0::/my job\n", "/my\\040job"),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_the_limit_of_a_container(tree, name):
    cgroup, root = CONTAINERS[name]
    assert tree(cgroup, [(root, "", "cgroup2", "rw")], {"memory.max": "314572800\n"}) == {
        "memory.max": 314572800
    }


def test_version_1_and_both_at_once(tree):
    cgroup = "11:cpu,cpuacct:/a\n7:memory:/slurm/job_7/step_0\n0::/init.scope\n"
    mounts = [
        ("/", "/cpu", "cgroup", "cpu,cpuacct"),
        ("/", "/memory", "cgroup", "memory"),
        ("/", "/unified", "cgroup2", "rw"),
    ]
    files = {
        "cpu/a/memory.limit_in_bytes": "1\n",
        "memory/memory.limit_in_bytes": f"{UNLIMITED}\n",
        "memory/slurm/job_7/memory.limit_in_bytes": f"{2 * GIB}\n",
        "memory/slurm/job_7/step_0/memory.limit_in_bytes": f"{GIB}\n",
        "unified/init.scope/memory.max": f"{4 * GIB}\n",
    }
    assert tree(cgroup, mounts, files) == {
        "memory/slurm/job_7/step_0/memory.limit_in_bytes": GIB,
        "memory/slurm/job_7/memory.limit_in_bytes": 2 * GIB,
        "unified/init.scope/memory.max": 4 * GIB,
    }


def test_without_control_groups_there_are_no_limits(tmp_path):
    assert read_group_limits(tmp_path / "gone") == {}
    (tmp_path / "mountinfo").write_text("")
    assert read_group_limits(tmp_path) == {}


@given(st.text(max_size=200), st.text(max_size=200), st.binary(max_size=30))
def test_no_content_of_these_files_is_an_error(tmp_path_factory, mounts, groups, limit):
    process = tmp_path_factory.mktemp("proc")
    (process / "memory.max").write_bytes(limit)
    own = f"30 23 0:26 / {process} rw - cgroup2 c rw\n"
    (process / "mountinfo").write_text(own + mounts, encoding="utf-8", errors="replace")
    (process / "cgroup").write_text(groups, encoding="utf-8", errors="replace")
    assert all(size == size for size in read_group_limits(process).values())


# Together with the other limits.


@pytest.fixture
def known(monkeypatch):
    """A machine of 8 GiB, in a group that may have 3."""
    monkeypatch.setattr(limits, "_physical_memory", lambda: 8.0 * GIB)
    # A number that changes from moment to moment, and from rank to rank, refuses nothing.
    monkeypatch.setattr(limits, "available_memory", lambda: 1.0)
    monkeypatch.setattr(limits, "read_group_limits", lambda: {"/g/memory.max": 3.0 * GIB})
    monkeypatch.setattr(limits, "_shell_limits", lambda: {"ulimit -v": 5.0 * GIB})
    return monkeypatch


def test_the_smallest_limit_comes_first_with_its_name(known):
    sources = [limit.source for limit in list_memory_limits()]
    assert sources == ["/g/memory.max", "ulimit -v", "the machine"]
    assert memory_limit() == 3.0 * GIB
    assert str(list_memory_limits()[0]) == "3 GiB (/g/memory.max)"
    known.setattr(limits, "read_group_limits", dict)
    assert memory_limit() == 5.0 * GIB


def test_ranks_share_a_machine_and_a_group_but_no_limit_of_the_shell(known):
    by_source = {limit.source: limit.share / GIB for limit in list_memory_limits(4)}
    assert by_source == {
        "/g/memory.max": 0.75, "the machine": 2.0, "ulimit -v": 5.0
    }  # fmt: skip
    assert str(list_memory_limits(4)[0]) == "768 MiB for each of 4 ranks (/g/memory.max)"
    assert MemoryLimit(2.0**20, "x", ranks=2).share == 2**19


def test_what_is_available_at_present(tmp_path):
    assert 2**20 < limits.available_memory() < 2**60
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:       16000 kB\nMemAvailable:    1000 kB\nBuffers: 3 kB\n")
    assert limits.available_memory(meminfo) == 1024 * 1000
    for content in ("", "MemAvailable: many kB\n", "\xff"):
        meminfo.write_text(content, encoding="latin-1")
        assert limits.available_memory(meminfo) == float("inf")
    assert limits.available_memory(tmp_path / "gone") == float("inf")
