# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The serial console of a virtual machine, read without waiting, so that one loop can read many consoles.

KubeVirt gives a console to one reader: the last one that asked for it. What a guest says without a reader is lost.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from ..errors import ApiError

if TYPE_CHECKING:
    from ..cluster.api import Api, Stream

PROTOCOL = "plain.kubevirt.io"
"""KubeVirt's websocket protocol for consoles: the bare bytes."""
_KEPT = 65536
"""Characters that are kept, the last ones."""


class Console:
    """The console of a virtual machine. ``text``: the end of what the guest said. ``error``: why the console cannot be
    read now, empty where it can."""

    def __init__(self, api: Api, namespace: str, name: str) -> None:
        self._api = api
        subresources = f"/apis/subresources.kubevirt.io/v1/namespaces/{namespace}"
        self._path = f"{subresources}/virtualmachineinstances/{name}/console"
        self._stream: Stream | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.text = ""
        self.error = ""

    def read(self) -> None:
        """Add to ``text`` what was said since the last call; connect where there is no connection (any more)."""
        try:
            if self._stream is None:
                self._stream = self._api.stream(self._path, PROTOCOL)
            self.text = (self.text + self._decoder.decode(self._stream.read()))[-_KEPT:]
            self.error = ""
        except ApiError as error:
            self.error = str(error)
            self.close()

    def close(self) -> None:
        """End the connection, where there is one."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None
