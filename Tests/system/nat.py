"""A NAT made of network namespaces: phones in a private network, a router that forgets, the server outside.

    lan (10.77.0.2, 10.77.0.3)  --  router (masquerades, drops what nobody asked for)  --  pub (198.18.0.1, 198.18.0.2)

The router gives each mapping a random port and forgets it after some seconds without a packet.
"""

import contextlib
import ctypes
import os
import shutil
import subprocess

from daemon import Daemon

SERVER, STRANGER, ROUTER = "198.18.0.1", "198.18.0.2", "198.18.0.254"
PHONES = ["10.77.0.2", "10.77.0.3"]
RULES = """
table ip rollcall {
    chain out { type nat hook postrouting priority 100; oifname "natp" masquerade random; }
    chain in { type filter hook input priority 0; iifname "natp" drop; }
}
"""
CLONE_NEWNET = 0x4000_0000


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options)


def obstacle():
    """Why this machine cannot have such a network; None when it can."""
    for tool, package in (("ip", "iproute2"), ("nft", "nftables"), ("conntrack", "conntrack")):
        if not shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
            return f"{tool} is missing (Debian package {package})"
    try:
        NAT("probe", 30).close()
    except (subprocess.CalledProcessError, OSError) as failure:
        said = getattr(failure, "stderr", None) or failure
        return f"network namespaces with a NAT are not allowed here: {said}".strip()
    return None


class NAT:
    """The networks. Close it: it leaves no trace."""

    def __init__(self, name, timeout):
        os.environ["PATH"] += ":/usr/sbin:/sbin"
        mark = f"rc-{os.getpid()}-{name}"
        self.pub, self.router, self.lan = f"{mark}-pub", f"{mark}-nat", f"{mark}-lan"
        try:
            for space in (self.pub, self.router, self.lan):
                run("ip", "netns", "add", space)
                self.ip(space, "link", "set", "lo", "up")
            self.join(self.pub, "pub", [SERVER, STRANGER], "natp", ROUTER)
            self.join(self.lan, "lan", PHONES, "natl", "10.77.0.1")
            self.ip(self.lan, "route", "add", "default", "via", "10.77.0.1")
            self.set("net.ipv4.ip_forward", 1)
            run("ip", "netns", "exec", self.router, "nft", "-f", "-", input=RULES)
            # For a mapping that was used in both directions as well as for a new one.
            self.set("net.netfilter.nf_conntrack_udp_timeout", timeout)
            self.set("net.netfilter.nf_conntrack_udp_timeout_stream", timeout)
        except BaseException:
            self.close()
            raise

    def join(self, space, device, addresses, router_device, router_address):
        run("ip", "link", "add", device, "netns", space, "type", "veth", "peer", "name", router_device, "netns",
            self.router)
        for where, name, given in ((space, device, addresses), (self.router, router_device, [router_address])):
            for address in given:
                self.ip(where, "address", "add", f"{address}/24", "dev", name)
            self.ip(where, "link", "set", name, "up")

    def ip(self, space, *arguments):
        run("ip", "-n", space, *arguments)

    def set(self, name, value):
        run("ip", "netns", "exec", self.router, "sysctl", "-qw", f"{name}={value}")

    def forget(self):
        """The router forgets all mappings, as at a restart of it: the next packet from inside gets another port."""
        run("ip", "netns", "exec", self.router, "conntrack", "-F")

    @contextlib.contextmanager
    def inside(self, space):
        """Sockets made within the block belong to the namespace, also afterwards."""
        library = ctypes.CDLL(None, use_errno=True)
        with open("/proc/self/ns/net") as home, open(f"/run/netns/{space}") as target:
            def enter(file):
                if library.setns(file.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            enter(target)
            try:
                yield
            finally:
                enter(home)

    def close(self):
        for space in (self.pub, self.router, self.lan):
            subprocess.run(["ip", "netns", "del", space], capture_output=True)


class NATDaemon(Daemon):
    """A daemon on the public side."""

    def __init__(self, network, directory, clients, **changes):
        self.prefix = ("ip", "netns", "exec", network.pub)
        super().__init__(directory, clients, aliases=[SERVER], **changes)
        self.configuration["listeners"] = [
            {"transport": transport, "address": SERVER, "port": self.port} for transport in ("udp", "tcp")]
        self.write_configuration()
