# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for virt-api behind a real API server, which hands consoles on to whoever serves their group."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from lab.cluster.control_plane import ControlPlane

GROUP = "subresources.kubevirt.io"
PROTOCOL = "plain.kubevirt.io"
_CONSOLE = re.compile(rf"GET /apis/{GROUP}/v1/namespaces/[^/]+/virtualmachineinstances/([^/ ]+)/console ")
_KEY = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455

Guest = Callable[[str], "Iterator[bytes]"]
"""What the guest of a machine says, chunk by chunk; the connection ends with it."""


class VirtApi:
    """Serves consoles. ``guest``: set it to what machines are to say. ``asked``: names whose console was asked for."""

    def __init__(self, address: str, certificate: Path, key: Path) -> None:
        self.guest: Guest = lambda _name: iter(())
        self.asked: list[str] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._context = context
        self._socket = socket.create_server((address, 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                raw, _peer = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(raw,), daemon=True).start()

    def _answer(self, raw: socket.socket) -> None:
        try:
            with self._context.wrap_socket(raw, server_side=True) as connection:
                while request := self._read(connection):
                    console = _CONSOLE.match(request)
                    if console:
                        self._console(connection, console[1], request)
                        return
                    body = json.dumps({"kind": "APIResourceList", "groupVersion": f"{GROUP}/v1", "resources": []})
                    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                    connection.sendall(f"{head}{body}".encode())
        except OSError:
            return

    def _read(self, connection: ssl.SSLSocket) -> str:
        request = b""
        while b"\r\n\r\n" not in request:
            came = connection.recv(4096)
            if not came:
                return ""
            request += came
        return request.decode()

    def _console(self, connection: ssl.SSLSocket, name: str, request: str) -> None:
        headers = dict(re.findall(r"^([^:\r\n]+): *(.*?)\r$", request.lower().replace("\r\n", "\r\n"), re.MULTILINE))
        key = re.search(r"^sec-websocket-key: *(\S+)", request, re.MULTILINE | re.IGNORECASE)
        assert key and headers["sec-websocket-protocol"] == PROTOCOL
        self.asked.append(name)
        accept = base64.b64encode(hashlib.sha1((key[1] + _KEY).encode()).digest()).decode()
        connection.sendall(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: {PROTOCOL}\r\n\r\n".encode()
        )
        for chunk in self.guest(name):
            frame = (
                b"\x82" + (bytes([len(chunk)]) if len(chunk) < 126 else b"\x7e" + len(chunk).to_bytes(2, "big")) + chunk
            )
            # In two parts, with a pause between them: a reader must bear with half a frame.
            connection.sendall(frame[:1])
            time.sleep(0.05)
            connection.sendall(frame[1:])


@contextmanager
def virt_api(server: ControlPlane) -> Iterator[VirtApi]:
    """The stand-in, registered at the API server as KubeVirt registers virt-api."""
    pair = server.pki.pair("virt-api", "virt-api", hosts=[server.network.gateway])
    served = VirtApi(server.network.gateway, pair.certificate, pair.key)
    metadata = {"name": "virt-api", "namespace": "kubevirt"}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [{"port": 443}]}}
    endpoints = {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": metadata,
        "subsets": [{"addresses": [{"ip": server.network.gateway}], "ports": [{"port": served.port}]}],
    }
    registered = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": f"v1.{GROUP}"},
        "spec": {
            "group": GROUP,
            "version": "v1",
            "groupPriorityMinimum": 1000,
            "versionPriority": 15,
            "insecureSkipTLSVerify": True,
            "service": {"namespace": "kubevirt", "name": "virt-api", "port": 443},
        },
    }
    server.kubectl("apply", "-f", "-", text=yaml.safe_dump_all([service, endpoints, registered]))
    try:
        server.kubectl("wait", f"apiservice/v1.{GROUP}", "--for=condition=Available", "--timeout=60s")
        yield served
    finally:
        server.kubectl("delete", "apiservice", f"v1.{GROUP}")
        server.kubectl("delete", "service", "virt-api", "-n", "kubevirt")
        served.close()
