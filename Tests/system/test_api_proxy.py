"""The API behind nginx with TLS, by the configuration that Docs/API.md shows."""

import base64
import http.client
import re
import shutil
import signal
import ssl
import subprocess

import pytest

from conftest import eventually
from daemon import ROOT, free_port

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
pytestmark = [
    pytest.mark.skipif(NGINX is None or shutil.which("openssl") is None, reason="nginx and openssl are not installed"),
    pytest.mark.configuration(api={"trustedProxies": ["127.0.0.1"]}),
]
FRAME = """
daemon off;
worker_processes 1;
pid %(directory)s/nginx.pid;
error_log stderr;
events {}
http {
    access_log off;
    client_body_temp_path %(directory)s; proxy_temp_path %(directory)s; fastcgi_temp_path %(directory)s;
    uwsgi_temp_path %(directory)s; scgi_temp_path %(directory)s;
%(server)s
}
"""


class Proxy:
    """An nginx with the page's server block, on a port of loopback."""

    def __init__(self, directory, api_port):
        self.port = free_port()
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
             "1", "-subj", "/CN=api.example.com", "-keyout", directory / "key", "-out", directory / "certificate"],
            check=True, capture_output=True)
        block = re.search(r"^```nginx\n(.*?)^```$", (ROOT / "Docs/API.md").read_text(), re.M | re.S)[1]
        for wanted, given in (
                ("listen 443", f"listen 127.0.0.1:{self.port}"), ("127.0.0.1:8080", f"127.0.0.1:{api_port}"),
                ("/etc/ssl/api.example.com.pem", f"{directory}/certificate"),
                ("/etc/ssl/api.example.com.key", f"{directory}/key")):
            assert wanted in block
            block = block.replace(wanted, given)
        file = directory / "nginx.conf"
        file.write_text(FRAME % {"directory": directory, "server": block})
        self.process = subprocess.Popen([NGINX, "-c", file, "-p", directory], stderr=subprocess.PIPE)
        assert eventually(self.is_ready), "nginx did not start"

    def is_ready(self):
        assert self.process.poll() is None, self.process.stderr.read().decode()
        try:
            return self.ask("GET", "/openapi.json").status == 200
        except OSError:
            return False

    def ask(self, method, path, credentials=None, source="127.0.0.9", body=None, **headers):
        """A request from a loopback address; the answer with its body read."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=10, source_address=(source, 0), context=context)
        if credentials:
            headers["Authorization"] = "Basic " + base64.b64encode(":".join(credentials).encode()).decode()
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        answer.text = answer.read().decode()
        connection.close()
        return answer

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
        self.process.stderr.close()


@pytest.fixture
def proxy(server, tmp_path):
    directory = tmp_path / "nginx"
    directory.mkdir()
    made = Proxy(directory, server.api_port)
    yield made
    made.close()


def test_requests_pass_with_their_bodies_and_answers(server, proxy):
    account, token = server.account()
    clients = f"/restcomm/2012-04-24/Accounts/{account}/Clients"
    made = proxy.ask("POST", clients + ".json", (account, token), body="Login=erin&Password=test")
    assert made.status == 200 and '"login": "erin"' in made.text
    listed = proxy.ask("GET", clients, (account, token), Accept="application/xml")
    assert listed.status == 200 and listed.text.count("<Client>") == 5
    sid = re.search(r"CL[0-9a-f]{32}", made.text)[0]
    assert proxy.ask("DELETE", f"{clients}/{sid}", (account, token)).status == 200
    refused = proxy.ask("GET", clients)
    assert refused.status == 401 and refused.headers["WWW-Authenticate"] == 'Basic realm="Restcomm realm"'


def test_a_long_list_passes(server, proxy):
    account, token = server.account()
    server.import_clients([(f"user{number}", "secret") for number in range(3_000)])
    listed = proxy.ask("GET", f"/2012-04-24/Accounts/{account}/Clients.json", (account, token))
    assert listed.status == 200 and listed.text.count('"sid"') == 3_004


def test_the_log_has_the_address_of_the_client_and_not_what_the_client_claims(server, proxy):
    proxy.ask("GET", "/2012-04-24/Accounts", source="127.0.0.7", X_Forwarded_For="203.0.113.1")
    server.wait_for_event("api.refused", src="127.0.0.7")


def test_wrong_credentials_are_counted_by_the_address_of_the_client(server, proxy):
    account, token = server.account()
    statuses = [
        proxy.ask("GET", "/2012-04-24/Accounts", (account, "wrong"), source="127.0.0.5").status for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    assert proxy.ask("GET", "/2012-04-24/Accounts", (account, "wrong"), source="127.0.0.6").status == 401
    assert proxy.ask("GET", "/2012-04-24/Accounts", (account, token), source="127.0.0.5").status == 200
