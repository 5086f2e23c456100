# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Kubernetes API: the only file of the cluster layer that talks to the API server.

Authentication is that of kubernetes.core (options, ``K8S_AUTH_*`` variables, kubeconfig). Objects are plain data as the
server sent them, so that no field is lost that this collection does not know.
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

from ansible_collections.kubernetes.core.plugins.module_utils.k8s.client import get_api_client

from ..errors import ApiError, Conflict, FieldConflict, Forbidden, NotFound, WebhookDown
from . import remedies
from .objects import Object, Objects

try:
    import websocket
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError
except ImportError:  # kubernetes.core reports a missing library before it calls anything of this file

    class ApiException(Exception):  # type: ignore[no-redef]
        """Stands in for the class of a missing library; never raised."""

    class HTTPError(Exception):  # type: ignore[no-redef]
        """Stands in for the class of a missing library; never raised."""


FIELD_MANAGER = "intel.qatvirt"
"""Name under which every write of this collection is recorded in an object's managedFields."""
PAGE = 500
"""Objects that one list call returns at most; longer lists are read page by page."""

_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _CONFLICT = 401, 403, 404, 409
_PATIENCE = 10.0
"""Seconds to wait for a stream to open, and for each answer of a command."""
_STDOUT, _OUTCOME = 1, 3
"""Channels of a command's stream; the first byte of each frame names the channel."""
_WEBHOOK = re.compile(r'failed calling webhook "([^"]+)": (.*)', re.DOTALL)


class Api:
    """The API server that a module's options name.

    In check mode writes are dry runs: the server judges them, and does not store them. ``module``: an AnsibleK8SModule.
    Raises ApiError where the server cannot be reached or the kubeconfig cannot be used.
    """

    def __init__(self, module: Any) -> None:
        self._dry_run = bool(module.check_mode)
        try:
            self._client = get_api_client(module).client
        except Exception as error:
            # The parsers of the kubeconfig and of the discovery raise exceptions of many libraries.
            raise ApiError(_no_client(error, module.params.get("kubeconfig"))) from error
        self.server: str = self._client.configuration.host

    def get(self, path: str, **query: Any) -> Object:
        """One object. Raises NotFound."""
        return self._call("GET", path, query)

    def find(self, path: str) -> Object | None:
        """One object, None where the object or its kind does not exist."""
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
        """A text that is no object, such as a log."""
        return self._send("GET", path, query).decode(errors="replace")

    def create(self, path: str, definition: Object) -> Object:
        """Make an object. Raises Conflict where an object of that name exists."""
        return self._write("POST", path, definition)

    def replace(self, path: str, definition: Object) -> Object:
        """Write a whole object back. Raises Conflict where the object changed since its resourceVersion."""
        return self._write("PUT", path, definition)

    def merge(self, path: str, change: Object) -> Object:
        """Change some fields of an object (JSON merge patch: None removes a key, a list is replaced as a whole)."""
        return self._write("PATCH", path, change, "application/merge-patch+json")

    def apply(self, path: str, definition: Object, *, force: bool = False) -> Object:
        """Apply the fields of a definition (server-side apply), and make the object where it does not exist.

        ``force``: take fields over from other field managers. Raises FieldConflict where other managers own fields
        that would change, and Conflict where the definition has a resourceVersion that is not the object's.
        """
        query = {"force": "true"} if force else {}
        return self._write("PATCH", path, definition, "application/apply-patch+yaml", query)

    def delete(self, path: str) -> None:
        """Delete an object; an object that does not exist is no error."""
        try:
            self._call("DELETE", path, {"dryRun": "All"} if self._dry_run else {})
        except NotFound:
            return

    def execute(self, namespace: str, pod: str, container: str, command: Sequence[str]) -> str:
        """Run a command in a container, and return what the command prints. Raises ApiError where the command fails."""
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/exec"
        query = {"container": container, "command": list(command), "stdout": "true"}
        connection = self._connect(path, "v4.channel.k8s.io", query)
        said, outcome = bytearray(), b""
        try:
            while True:
                frame = connection.recv()
                if not frame:  # the stream has ended
                    break
                channel, content = frame[0], frame[1:]
                if channel == _STDOUT:
                    said += content
                elif channel == _OUTCOME:
                    outcome = content
                    break
        except (OSError, websocket.WebSocketException) as error:
            raise ApiError(f"{command[0]} in pod {namespace}/{pod} gave no answer: {error}") from error
        finally:
            connection.close()
        if outcome and json.loads(outcome).get("status") != "Success":
            raise ApiError(f"{command[0]} in pod {namespace}/{pod} failed: {json.loads(outcome).get('message')}")
        return said.decode(errors="replace")

    def stream(self, path: str, protocol: str) -> Stream:
        """A connection on which the server keeps sending, such as a console."""
        return Stream(self._connect(path, protocol, {}), path)

    def _connect(self, path: str, protocol: str, query: Object) -> Any:
        """A websocket with the same credentials as calls."""
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
            raise ApiError(f"GET {path}: the stream cannot be opened: {error}") from error

    def _credentials(self) -> dict[str, str]:
        """Headers that authenticate the user; none where the user has a client certificate."""
        found: dict[str, str] = dict(self._client.client.default_headers)
        token = self._client.configuration.auth_settings().get("BearerToken")
        if token:
            found["Authorization"] = token["value"]
        return found

    def _write(
        self, method: str, path: str, body: Object, kind: str = "application/json", more: Object | None = None
    ) -> Object:
        query = {"fieldManager": FIELD_MANAGER, **({"dryRun": "All"} if self._dry_run else {}), **(more or {})}
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
        """What the server sent since the last call. Raises ApiError where the connection has ended and all is read."""
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
        """Close the connection without waiting for the server."""
        self._connection.shutdown()


class _Answer:
    """The answer to a stream that the server refused, in the form that :func:`_refused` takes."""

    def __init__(self, error: Any) -> None:
        self.status: int = error.status_code
        self.body: bytes | None = error.resp_body
        self.reason: str = error.args[0].partition(" -+-+- ")[0]


def _tls(configuration: Any) -> Object:
    """TLS options of websocket-client with the certificates of the configuration."""
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
        f"no client for the Kubernetes API can be made of the kubeconfig {where}: {type(error).__name__}: {error}. "
        "Set qatvirt_kubeconfig (option kubeconfig, variable K8S_AUTH_KUBECONFIG) to a kubeconfig that kubectl can use"
    )


def _unreachable(server: str, error: Exception) -> str:
    return (
        f"the API server {server} cannot be reached: {error}. "
        "Check the address in the kubeconfig, the network from this controller, and that the API server runs"
    )


def _refused(error: Any, request: str, server: str) -> ApiError:
    """The API server's answer as an error that a person can act on. ``error``: an ApiException or an _Answer."""
    said = _message(error)
    status = error.status
    if status == _NOT_FOUND:
        return NotFound(f"{request}: not found at {server}: {said}")
    if status == _CONFLICT:
        fields = _owned_fields(error)
        return FieldConflict(f"{request}: {said}", fields) if fields else Conflict(f"{request}: {said}")
    if status == _UNAUTHORIZED:
        return ApiError(
            f"the API server {server} does not accept the credentials ({request}: {said}). "
            "Use a kubeconfig whose token or certificate is valid; playbooks/rbac.yml writes such a kubeconfig"
        )
    if status == _FORBIDDEN:
        return Forbidden(f"{said}. {remedies.RIGHTS}")
    webhook = _WEBHOOK.search(said)
    if webhook:
        return WebhookDown(
            f"{request}: the admission webhook {webhook.group(1)} does not answer: {webhook.group(2)}. "
            f"{remedies.WEBHOOK}"
        )
    return ApiError(f"{request}: the API server {server} answered {status}: {said}")


def _owned_fields(error: Any) -> tuple[str, ...]:
    """Paths of the fields that other field managers own, by the causes in the Status object of an answer."""
    try:
        causes = json.loads(error.body)["details"]["causes"]
    except (ValueError, TypeError, KeyError):
        return ()
    return tuple(cause["field"] for cause in causes if cause.get("reason") == "FieldManagerConflict")


def _message(error: Any) -> str:
    """The message of the Status object in an answer, or the bare reason."""
    body = error.body
    try:
        return str(json.loads(body)["message"])
    except (ValueError, TypeError, KeyError):
        return str(body.decode() if isinstance(body, bytes) else body or error.reason)
