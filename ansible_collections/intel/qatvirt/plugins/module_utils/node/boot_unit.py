# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The boot unit: the kernel forgets services and VFs, and a systemd unit brings them back before kubelet starts.

The unit runs one self-contained file, which :func:`build_program` builds from the modules of this package, so the node
boots with the logic, and the refusals, of ``qat_vf``. The unit reports to the journal and to
``/run/qatvirt/status.json``.
"""

from __future__ import annotations

import importlib.util
import io
import json
import re
import sys
import zipfile
from typing import Any

from ..errors import ConvergeFailed, PolicyError, Unmet
from .apply import IN_USE, Result, converge, errno_name
from .files import Files
from .model import Pf
from .observe import observe
from .paths import POLICY, PROGRAM, STATUS
from .plan import VFIO
from .policy import Policy, parse_policy, settings_for
from .sysfs import System

DRIVER_WAIT = 60
"""Seconds to wait for the PF drivers, which udev loads while the node boots."""

_PACKAGE = "qatvirt_boot"
_MAIN = f"import sys\n\nfrom {_PACKAGE}.node.boot_unit import main\n\nsys.exit(main())\n"

_UNIT_TEXT = """\
# Written by intel.qatvirt (role qat_vf).
[Unit]
Description=QAT services, virtual functions and drivers (intel.qatvirt)
After=systemd-modules-load.service
Before=kubelet.service k3s.service k3s-agent.service rke2-server.service rke2-agent.service
# A play that waits for the rebooted node to answer finds the VFs in place.
Before=ssh.service sshd.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={python} {program}
TimeoutStartSec=300
RuntimeDirectory=qatvirt
RuntimeDirectoryPreserve=yes
NoNewPrivileges=yes
PrivateNetwork=yes
PrivateTmp=yes
ProtectHome=yes
ProtectSystem=strict

[Install]
WantedBy=multi-user.target
"""


def unit_text(python: str) -> str:
    """Text of the systemd unit. ``python``: absolute path of the node's interpreter."""
    return _UNIT_TEXT.format(python=python, program=PROGRAM)


def build_program() -> bytes:
    """The boot program: a Python zip application of this package's own sources. The same sources give the same
    bytes."""
    files = {"__main__.py": _MAIN, f"{_PACKAGE}/__init__.py": "", f"{_PACKAGE}/node/__init__.py": ""}
    sources = _needed("node.boot_unit", {})
    files.update({f"{_PACKAGE}/{name.replace('.', '/')}.py": text for name, text in sorted(sources.items())})
    buffer = io.BytesIO()
    buffer.write(b"#!/usr/bin/env python3\n")
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0)), text)
    return buffer.getvalue()


def _needed(name: str, found: dict[str, str]) -> dict[str, str]:
    """``found``, and the sources of a module below module_utils and of all modules that it imports from there, by
    name."""
    if name not in found:
        found[name] = _source(name)
        for dots, imported in re.findall(r"^from (\.+)(\w+) import", found[name], re.MULTILINE):
            _needed(imported if dots == ".." else f"node.{imported}", found)
    return found


def _source(name: str) -> str:
    """Source of a module below module_utils, also where Ansible runs that module out of a zip archive."""
    module = "{0}.{1}".format(__name__.rsplit(".", 2)[0], name)
    spec = importlib.util.find_spec(module)
    source: str | None = getattr(spec.loader, "get_source", lambda _name: None)(module) if spec else None
    if source is None:
        raise RuntimeError(f"the source of {module} is not available; expected it beside {__name__}")
    return source


def policy_text(raw_policy: object, policy: Policy, pfs: tuple[Pf, ...]) -> str:
    """Content of ``/etc/qatvirt/policy.json``: the policy, the PFs to wait for and the modules to load."""
    matched = [pf for pf in pfs if settings_for(policy, pf)]
    modules = sorted({pf.module for pf in matched} | {VFIO})
    document = {"policy": raw_policy, "pfs": [pf.address for pf in matched], "modules": modules}
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def main() -> int:
    """Follow the policy of the node. Returns the exit status: 0 where every PF follows the policy."""
    files = Files()
    status = _run(System(), files)
    files.replace(STATUS, json.dumps(status, indent=2) + "\n")
    sys.stdout.write("".join(f"{message}\n" for message in status["messages"]))
    return 0 if status["ok"] else 1


def _run(system: System, files: Files) -> dict[str, Any]:
    try:
        document = json.loads(files.read(POLICY) or "null")
        policy, modules, expected = parse_policy(document["policy"]), document["modules"], set(document["pfs"])
    except (ValueError, TypeError, KeyError, PolicyError) as error:
        return _failed(_failure("POLICY", f"{POLICY} is missing or damaged ({error!r}); run role qat_vf again"))
    for module in modules:
        system.load_module(module)
    _wait_for_drivers(system, expected)
    try:
        return _status_of(converge(system, policy, skip_in_use=True))
    except PolicyError as error:
        return _failed(*(_failure("POLICY", message) for message in error.messages))
    except Unmet as error:
        return _failed(*(_failure(problem.id, f"{problem.message}: {problem.fix}") for problem in error.problems))
    except ConvergeFailed as error:
        return _failed(_failure(error.code, str(error), error.address))
    except OSError as error:
        return _failed(_failure(errno_name(error), str(error)))


def _status_of(result: Result) -> dict[str, Any]:
    if not result.skipped_vfs:
        messages = [f"{pf.address}: follows the policy" for pf in result.after]
        return {"ok": True, "messages": messages, "failures": []}
    pf_of = {vf.address: pf.address for pf in result.before for vf in pf.vfs}
    return _failed(*(_failure(IN_USE, vf.held_by(), pf_of[vf.address]) for vf in result.skipped_vfs))


def _failed(*failures: dict[str, str | None]) -> dict[str, Any]:
    return {"ok": False, "messages": [failure["message"] for failure in failures], "failures": list(failures)}


def _failure(code: str, message: str, pf: str | None = None) -> dict[str, str | None]:
    """``code``: for programs: an errno's name, IN_USE, NOT_APPLIED, or the id of a check. ``pf``: address of the PF
    that failed, None where the failure is not one PF's."""
    return {"code": code, "pf": pf, "message": message}


def _wait_for_drivers(system: System, expected: set[str]) -> None:
    """Wait until every expected PF has its driver, DRIVER_WAIT seconds at most: after that the plan names the drivers
    that are missing."""
    for _second in range(DRIVER_WAIT):
        bound = {pf.address for pf in observe(system)[0] if pf.driver}
        if expected <= bound:
            return
        system.wait(1)
