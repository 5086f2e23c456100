# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Kubernetes API: the only file of the cluster layer that talks to it.

Authentication is that of kubernetes.core (options, ``K8S_AUTH_*`` variables, kubeconfig). Objects are plain data as the
server sent them, so that nothing is lost that this collection does not know.
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

from ansible_collections.kubernetes.core.plugins.module_utils.k8s.client import get_api_client

from ..errors import ApiError, Conflict, Forbidden, NotFound
from .objects import Object, Objects

try:
    import websocket
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError
except ImportError:  # reported by kubernetes.core, before anything here is called

    class ApiException(Exception):  # type: ignore[no-redef]
        """Never raised."""

    class HTTPError(Exception):  # type: ignore[no-redef]
        """Never raised."""


FIELD_MANAGER = "intel.qatvirt"
PAGE = 500
"""Objects a list call returns at most; longer lists are read page by page."""

_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _CONFLICT = 401, 403, 404, 409
_PATIENCE = 10.0
"""Seconds that opening a stream may take, and each answer of a command."""
_STDOUT, _OUTCOME = 1, 3
"""Channels of a command's stream (its first byte says which)."""
_WEBHOOK = re.compile(r'failed calling webhook "([^"]+)": (.*)', re.DOTALL)


class Api:
    """The API server that a module's options lead to. In check mode writes are dry runs: judged, and not stored.

    ``module``: an AnsibleK8SModule. Raises ApiError where the server cannot be reached or the kubeconfig not be used.
    """

    def __init__(self, module: Any) -> None:
        self._dry_run = bool(module.check_mode)
        try:
            self._client = get_api_client(module).client
        except Exception as error:
            # Of the parsers of kubeconfig and of discovery, whatever they raise for what they find.
            raise ApiError(_no_client(error, module.params.get("kubeconfig"))) from error
        self.server: str = self._client.configuration.host

    def get(self, path: str, **query: Any) -> Object:
        """One object. Raises NotFound."""
        return self._call("GET", path, query)

    def find(self, path: str) -> Object | None:
        """One object, None where it or its kind does not exist."""
        try:
            return self.get(path)
        except NotFound:
            return None

    def list(self, path: str, **query: Any) -> Objects:
        """All objects of a list, read in pages. Raises NotFound where the kind does not exist."""
        items: Objects = []
        rest: Object = {}
        while True:
            page = self.get(path, limit=PAGE, **rest, **query)
            items += page["items"]
            if not page["metadata"].get("continue"):
                return items
            rest = {"continue": page["metadata"]["continue"]}

    def find_all(self, path: str, **query: Any) -> Objects:
        """All objects of a list, none where their kind does not exist."""
        try:
            return self.list(path, **query)
        except NotFound:
            return []

    def text(self, path: str, **query: Any) -> str:
        """What is no object, such as a log."""
        return self._send("GET", path, query).decode(errors="replace")

    def create(self, path: str, definition: Object) -> Object:
        """Make an object. Raises Conflict where there is one of that name."""
        return self._write("POST", path, definition)

    def replace(self, path: str, definition: Object) -> Object:
        """Write a whole object back. Raises Conflict where it changed since its resourceVersion."""
        return self._write("PUT", path, definition)

    def merge(self, path: str, change: Object) -> Object:
        """Change some fields of an object (JSON merge patch: None removes a key, a list is replaced as a whole)."""
        return self._write("PATCH", path, change, "application/merge-patch+json")

    def delete(self, path: str) -> None:
        """Delete an object; one that is gone already is fine."""
        try:
            self._call("DELETE", path, {"dryRun": "All"} if self._dry_run else {})
        except NotFound:
            return

    def execute(self, namespace: str, pod: str, container: str, command: Sequence[str]) -> str:
        """Run a command in a container; what it prints. Raises ApiError where it fails."""
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/exec"
        query = {"container": container, "command": list(command), "stdout": "true"}
        connection = self._connect(path, "v4.channel.k8s.io", query)
        said, outcome = bytearray(), b""
        try:
            while True:
                frame = connection.recv()
                if not frame:  # its end
                    break
                channel, content = frame[0], frame[1:]
                if channel == _STDOUT:
                    said += content
                elif channel == _OUTCOME:
                    outcome = content
                    break
        except (OSError, websocket.WebSocketException) as error:
            raise ApiError(f"{command[0]} in pod {namespace}/{pod} gives no answer: {error}") from error
        finally:
            connection.close()
        if outcome and json.loads(outcome).get("status") != "Success":
            raise ApiError(f"{command[0]} in pod {namespace}/{pod} failed: {json.loads(outcome).get('message')}")
        return said.decode(errors="replace")

    def stream(self, path: str, protocol: str) -> Stream:
        """A connection that the server keeps sending on, such as a console."""
        return Stream(self._connect(path, protocol, {}), path)

    def _connect(self, path: str, protocol: str, query: Object) -> Any:
        """A websocket, with the credentials that calls have."""
        configuration = self._client.configuration
        url = f"{configuration.host.replace('http', 'ws', 1)}{path}"
        proxy = urlsplit(configuration.proxy or "")
        try:
            return websocket.create_connection(
                f"{url}?{urlencode(query, doseq=True)}" if query else url,
                timeout=_PATIENCE,
                subprotocols=[protocol],
                header=self._credentials(),
                sslopt=_tls(configuration),
                http_proxy_host=proxy.hostname,
                http_proxy_port=proxy.port,
                http_no_proxy=(configuration.no_proxy or "").split(",") if proxy.hostname else None,
            )
        except websocket.WebSocketBadStatusException as error:
            raise _refused(_Answer(error), f"GET {path}", self.server) from error
        except (OSError, ValueError, websocket.WebSocketException) as error:
            raise ApiError(f"GET {path}: no stream: {error}") from error

    def _credentials(self) -> dict[str, str]:
        """Headers that say who asks; a client certificate does without."""
        found: dict[str, str] = dict(self._client.client.default_headers)
        token = self._client.configuration.auth_settings().get("BearerToken")
        if token:
            found["Authorization"] = token["value"]
        return found

    def _write(self, method: str, path: str, body: Object, kind: str = "application/json") -> Object:
        query = {"fieldManager": FIELD_MANAGER, **({"dryRun": "All"} if self._dry_run else {})}
        return self._call(method, path, query, body, kind)

    def _call(
        self, method: str, path: str, query: Object, body: Object | None = None, kind: str = "application/json"
    ) -> Object:
        result: Object = json.loads(self._send(method, path, query, body, kind))
        return result

    def _send(
        self, method: str, path: str, query: Object, body: Object | None = None, kind: str = "application/json"
    ) -> bytes:
        try:
            answer = self._client.request(
                method, path, body=body, query_params=list(query.items()), content_type=kind, serialize=False
            )
        except ApiException as error:
            raise _refused(error, f"{method} {path}", self.server) from error
        except HTTPError as error:
            raise ApiError(_unreachable(self.server, error)) from error
        data: bytes = answer.data
        return data


class Stream:
    """What a server keeps sending; reading never waits."""

    def __init__(self, connection: Any, path: str) -> None:
        self._connection = connection
        self._path = path
        connection.settimeout(0)

    def read(self) -> bytes:
        """What came since the last time. Raises ApiError where the connection has ended, after what came before."""
        came = bytearray()
        while True:
            try:
                _kind, content = self._connection.recv_data()
            except (BlockingIOError, ssl.SSLWantReadError):
                return bytes(came)
            except (OSError, websocket.WebSocketException) as error:
                if came:
                    return bytes(came)
                raise ApiError(f"GET {self._path}: the stream ended: {error}") from error
            came += content

    def close(self) -> None:
        """Hang up, without waiting for the other side."""
        self._connection.shutdown()


class _Answer:
    """A refused stream as :func:`_refused` wants errors."""

    def __init__(self, error: Any) -> None:
        self.status: int = error.status_code
        self.body: bytes | None = error.resp_body
        self.reason: str = error.args[0].partition(" -+-+- ")[0]


def _tls(configuration: Any) -> Object:
    """Options of websocket-client that trust and prove what the configuration does."""
    files = {"certfile": configuration.cert_file, "keyfile": configuration.key_file}
    found: Object = {key: file for key, file in files.items() if file}
    if configuration.tls_server_name:
        found["server_hostname"] = configuration.tls_server_name
    if not configuration.verify_ssl:
        return {**found, "cert_reqs": ssl.CERT_NONE, "check_hostname": False}
    found["check_hostname"] = configuration.assert_hostname is not False
    if configuration.ssl_ca_cert:
        found["ca_certs"] = configuration.ssl_ca_cert
    return found


def _no_client(error: Exception, kubeconfig: object) -> str:
    if isinstance(error, HTTPError):
        return _unreachable("named in the kubeconfig", error)
    if isinstance(error, ApiException):
        return str(_refused(error, "the discovery of its kinds", "named in the kubeconfig"))
    where = kubeconfig if isinstance(kubeconfig, str) else "given by K8S_AUTH_* or the default kubeconfig"
    return (
        f"no client for the Kubernetes API can be made of {where}: {type(error).__name__}: {error}. "
        "Set qatvirt_kubeconfig (option kubeconfig, variable K8S_AUTH_KUBECONFIG) to one that kubectl works with"
    )


def _unreachable(server: str, error: Exception) -> str:
    return (
        f"the API server {server} cannot be reached: {error}. "
        "Check the address in the kubeconfig, the network from this controller, and that the API server runs"
    )


def _refused(error: Any, request: str, server: str) -> ApiError:
    """The API server's answer as an error a person can act on. ``error``: an ApiException."""
    said = _message(error)
    status = error.status
    if status == _NOT_FOUND:
        return NotFound(f"{request}: not found at {server}: {said}")
    if status == _CONFLICT:
        return Conflict(f"{request}: {said}")
    if status == _UNAUTHORIZED:
        return ApiError(
            f"the API server {server} does not accept the credentials ({request}: {said}). "
            "Take a kubeconfig whose token or certificate is valid; playbooks/rbac.yml writes one"
        )
    if status == _FORBIDDEN:
        return Forbidden(
            f"{said}. Expected the rights that playbooks/rbac.yml grants: have a cluster administrator run it, "
            "and use the kubeconfig it writes"
        )
    webhook = _WEBHOOK.search(said)
    if webhook:
        return ApiError(
            f"{request}: the admission webhook {webhook.group(1)} does not answer: {webhook.group(2)}. "
            "See whether the pods behind its service run (kubectl get validatingwebhookconfigurations,"
            "mutatingwebhookconfigurations tells the service), and run this again"
        )
    return ApiError(f"{request}: the API server {server} answered {status}: {said}")


def _message(error: Any) -> str:
    """What the server says in a Status object, or the bare reason."""
    body = error.body
    try:
        return str(json.loads(body)["message"])
    except (ValueError, TypeError, KeyError):
        return str(body.decode() if isinstance(body, bytes) else body or error.reason)
