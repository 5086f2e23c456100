# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The serial console of a virtual machine, read without waiting, so that one loop reads many.

KubeVirt gives a console to one reader, the last that asks for it. What a guest says while nobody reads is lost.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from ..errors import ApiError

if TYPE_CHECKING:
    from ..cluster.api import Api, Stream

PROTOCOL = "plain.kubevirt.io"
_KEPT = 65536
"""Characters of the past that are kept."""


class Console:
    """What a virtual machine said. ``text``: the last of it; ``error``: why it cannot be read now, empty if it can."""

    def __init__(self, api: Api, namespace: str, name: str) -> None:
        self._api = api
        subresources = f"/apis/subresources.kubevirt.io/v1/namespaces/{namespace}"
        self._path = f"{subresources}/virtualmachineinstances/{name}/console"
        self._stream: Stream | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.text = ""
        self.error = ""

    def read(self) -> None:
        """Take in what was said since the last time, connecting where there is no connection (any more)."""
        try:
            if self._stream is None:
                self._stream = self._api.stream(self._path, PROTOCOL)
            self.text = (self.text + self._decoder.decode(self._stream.read()))[-_KEPT:]
            self.error = ""
        except ApiError as error:
            self.error = str(error)
            self.close()

    def close(self) -> None:
        """Let go of it."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None
