"""Two hosts on one machine: network namespaces joined by a cable, each with a host name of its own.

``launch_script`` stands in for ssh: hydra calls it with options, a host and a command.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from helpers.launch import mpiexec

NEEDED = ("ip", "unshare", "hostname")
LAUNCH = """#!/bin/sh
# What hydra takes for ssh: options, an address, a command.
while [ "${{1#-}}" != "$1" ]; do shift; done
case $1 in {addresses[0]}) name={names[0]};; *) name={names[1]};; esac
shift
exec ip netns exec $name unshare --uts sh -c "hostname $name; $*"
"""


class NotPermitted(Exception):
    """Says what this machine does not allow."""


def call(*words: str) -> str:
    job = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
    if job.returncode:
        raise NotPermitted(f"{' '.join(words)}: {job.stderr.strip()}")
    return job.stdout


@dataclass(frozen=True)
class Hosts:
    """``names`` are those of the hosts and of their namespaces; ``folder`` holds the script."""

    names: tuple[str, str]
    addresses: tuple[str, str]
    folder: Path

    @property
    def launch_script(self) -> Path:
        return self.folder / "launch"

    def command(self, each: int, *words: str) -> list[str]:
        """``words`` on ``each`` ranks on each host, started on the first."""
        hosts = ",".join(f"{address}:{each}" for address in self.addresses)
        launch = ["-launcher", "ssh", "-launcher-exec", str(self.launch_script), "-iface", "cable"]
        # Both hosts share a kernel, and UCX would notice: nothing but TCP, as between machines.
        transport = ["-genv", "UCX_TLS", "tcp,self", "-genv", "FI_PROVIDER", "tcp"]
        job = [mpiexec(), "-n", str(2 * each), "-hosts", hosts, *launch, *transport, *words]
        inside = ["unshare", "--uts", "sh", "-c", f'hostname {self.names[0]}; exec "$@"', "sh"]
        return ["ip", "netns", "exec", self.names[0], *inside, *job]

    def sent(self, host: int) -> int:
        """Bytes that a host has sent through the cable."""
        path = "/sys/class/net/cable/statistics/tx_bytes"
        return int(call("ip", "netns", "exec", self.names[host], "cat", path))

    def cut(self) -> None:
        """Pull the cable out."""
        call("ip", "-n", self.names[0], "link", "set", "cable", "down")

    def processes(self) -> list[int]:
        """What still runs on the hosts."""
        return [
            int(pid) for name in self.names for pid in call("ip", "netns", "pids", name).split()
        ]


@contextmanager
def two_hosts(folder: Path) -> Iterator[Hosts]:
    """Two hosts, gone afterwards with all that runs on them; ``NotPermitted`` says why not."""
    missing = [name for name in NEEDED if not shutil.which(name)]
    if missing:
        raise NotPermitted(f"there is no {' and no '.join(missing)}")
    if os.geteuid():
        raise NotPermitted("only root may make network namespaces")
    mark = os.getpid()
    names, net = (f"kavg{mark}a", f"kavg{mark}b"), f"10.{mark // 256 % 256}.{mark % 256}"
    hosts = Hosts(names, (f"{net}.1", f"{net}.2"), folder)
    hosts.launch_script.write_text(LAUNCH.format(names=names, addresses=hosts.addresses))
    hosts.launch_script.chmod(0o755)
    try:
        lay_cable(hosts)
        yield hosts
    finally:
        with suppress(NotPermitted):
            for pid in hosts.processes():
                with suppress(ProcessLookupError):
                    os.kill(pid, 9)
        for name in names:
            with suppress(NotPermitted):
                call("ip", "netns", "delete", name)


def lay_cable(hosts: Hosts) -> None:
    first, second = hosts.names
    for name in hosts.names:
        call("ip", "netns", "add", name)
    ends = ("cable", "netns", first, "type", "veth", "peer", "name", "cable", "netns", second)
    call("ip", "link", "add", *ends)
    for name, address in zip(hosts.names, hosts.addresses, strict=True):
        call("ip", "-n", name, "address", "add", f"{address}/24", "dev", "cable")
        for device in ("lo", "cable"):
            call("ip", "-n", name, "link", "set", device, "up")
    call("unshare", "--uts", "hostname", first)
    show = [("ip", "-n", name, "link", "show", "cable") for name in hosts.names]
    wait_for(lambda: all("state UP" in call(*words) for words in show))


def wait_for(done, seconds: float = 20) -> None:
    """Until ``done()``, for so long at most."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.1)
