# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks over the snapshot of a cluster, beside the facts of its nodes. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..cluster.allocatable import NodeAllocatable, explain
from ..cluster.host_devices import GATE, Entry, qat_entries, why_not_pf
from ..cluster.kubevirt import describe, is_available, parse_version, version_objections
from ..cluster.kubevirt_config import kubevirt
from ..cluster.nodes import CONTAINER, PLUGIN_PREFIX, READY_LABEL, WORKLOAD_LABEL, is_named
from ..cluster.objects import Object, labels_of, name_of
from ..cluster.pods import devices_of, devices_of_machine, is_launcher, machine_of, pod_trouble, unscheduled
from ..cluster.qat_plugin import limit_of
from ..cluster.update import look_up
from ..cluster.vf_owners import VfOwners, given_to_pods, vf_owners
from ..errors import InputError
from ..test_vm.diagnosis import Diagnosis, Evidence, Statement, diagnose
from ..test_vm.signatures import MACHINE
from .check import CLUSTER, FAIL, WARN, Check, Finding
from .node_checks import NODE_CHECKS
from .site import CheckedNode, Site

_VFIO_CDEV = (1, 9)
"""First KubeVirt that hands VFIO character devices on (v1.9.0, ``device-manager/common.go``)."""


def _needs_cluster(site: Site) -> str | None:
    return None if site.snapshot else "no cluster was named (qatvirt_kubeconfig)"


def _needs_vms(site: Site) -> str | None:
    return None if site.vm_nodes else "no node is for virtual machines"


def _needs_containers(site: Site) -> str | None:
    return None if site.container_nodes else "no node is for containers"


def _needs_kubevirt(site: Site) -> str | None:
    return None if site.cluster.kubevirt else "KubeVirt is not there"


def _needs_hyperconverged(site: Site) -> str | None:
    return None if site.cluster.hyperconverged else "no HyperConverged is there"


def _get(kind: str, item: Object) -> str:
    namespace = item["metadata"].get("namespace")
    return f"kubectl get {kind}{f' -n {namespace}' if namespace else ''} {name_of(item)} -o yaml"


def _rights(site: Site) -> Iterator[Finding]:
    for part, said in site.cluster.unread.items():
        yield Finding(
            f"{part} could not be read: {said}",
            "have a cluster administrator run playbooks/rbac.yml, and use the kubeconfig it writes",
            object=part,
            evidence=f"kubectl auth can-i list {part} --all-namespaces",
        )


def _absent_nodes(site: Site) -> Iterator[Finding]:
    known = ", ".join(sorted(name_of(item) for item in site.cluster.nodes)) or "none"
    for case in site.nodes:
        if case.name not in site.objects:
            yield Finding(
                f"the cluster has no node {case.name}; it has {known}",
                "check that qatvirt_kubeconfig leads to this node's cluster; where the node has another name there, "
                "say "
                "so by qatvirt_node_name",
                case.name,
                f"node {case.name}",
                "kubectl get nodes",
            )


def _known_nodes(site: Site) -> Iterator[tuple[CheckedNode, Object]]:
    return ((case, site.objects[case.name]) for case in site.nodes if case.name in site.objects)


def _not_ready(site: Site) -> Iterator[Finding]:
    for case, item in _known_nodes(site):
        for condition in item.get("status", {}).get("conditions") or ():
            if condition["type"] == "Ready" and condition["status"] != "True":
                yield Finding(
                    f"Kubernetes says Ready={condition['status']} of the node ({condition.get('reason')}: "
                    f"{condition.get('message', '')}), expected True",
                    "see the kubelet on the node: systemctl status kubelet; journalctl -u kubelet",
                    case.name,
                    f"node {name_of(item)}",
                    f"kubectl describe node {name_of(item)}",
                )


def _cordoned(site: Site) -> Iterator[Finding]:
    for case, item in _known_nodes(site):
        if item.get("spec", {}).get("unschedulable"):
            yield Finding(
                "the node is cordoned: nothing new is started on it, with or without VFs",
                f"kubectl uncordon {name_of(item)}, when whoever cordoned it agrees",
                case.name,
                f"node {name_of(item)}",
                f"kubectl get node {name_of(item)} -o jsonpath={{.spec}}",
            )


def _kubevirt(site: Site) -> Iterator[Finding]:
    item = site.cluster.kubevirt
    if item is None:
        known = site.cluster.kubevirts is not None
        yield Finding(
            "its operator is installed, but there is no KubeVirt CR" if known else "KubeVirt is not installed",
            "run site.yml with kubevirt_operator_manifest set, or install it by its own documentation",
            object="KubeVirt",
            evidence="kubectl get kubevirts --all-namespaces",
        )
    elif not is_available(item, None):
        yield Finding(
            f"{describe(item)}; expected Available, and the version its operator aims at",
            f"see kubectl get pods -n {item['metadata']['namespace']} for what does not run",
            object=f"KubeVirt {item['metadata']['namespace']}/{name_of(item)}",
            evidence=_get("kubevirt", item),
        )


def _version(site: Site) -> str:
    item = site.cluster.kubevirt or {}
    return str(item.get("status", {}).get("observedKubeVirtVersion") or "")


def _versions(site: Site) -> Iterator[Finding]:
    item = site.cluster.kubevirt
    for found in version_objections(_version(site), None, site.cluster.version) if item else ():
        yield Finding(
            found.text,
            "take releases that go together; KubeVirt's release notes have the matrix",
            object=f"KubeVirt {_version(site)}, Kubernetes {site.cluster.version}",
            evidence="kubectl version; kubectl get kubevirts -A",
        )


def _gate(site: Site) -> Iterator[Finding]:
    item = site.cluster.kubevirt
    if item is None or site.cluster.hyperconverged:
        return  # HyperConverged always opens it
    settings = look_up(item, kubevirt(item).gates or ()) or {}
    closed = GATE in (settings.get("disabledFeatureGates") or ())
    if closed or GATE not in (settings.get("featureGates") or ()):
        where = (
            f"is in disabledFeatureGates of {kubevirt(item)}"
            if closed
            else f"is not in featureGates of {kubevirt(item)}"
        )
        yield Finding(
            f"{GATE} {where}, so the API refuses every virtual machine with hostDevices",
            "run site.yml (role kubevirt_qat), which opens the gate; one that was disabled on purpose it leaves",
            object=str(kubevirt(item)),
            evidence=_get("kubevirt", item),
        )


def _entries(site: Site) -> list[Entry]:
    """The entries of QAT devices that KubeVirt goes by: those in its own CR, whoever wrote them there."""
    item = site.cluster.kubevirt
    return qat_entries(item, kubevirt(item)) if item else []


def _hyperconverged(site: Site) -> Iterator[Finding]:
    item, owner = site.cluster.hyperconverged, site.config_owner
    if item is None or owner is None:
        return
    kept = {entry.key for entry in qat_entries(item, owner)}
    for entry in _entries(site):
        if entry.key not in kept:
            yield Finding(
                f"{entry.selector} is permitted in the KubeVirt CR and not in {owner}, which owns that CR and takes it "
                "out again",
                f"run site.yml (role kubevirt_qat), which writes it into {owner}",
                object=str(owner),
                evidence=_get("hyperconverged", item),
            )


def _permitted(site: Site) -> Iterator[Finding]:
    owner = site.config_owner
    entries = _entries(site)
    known: dict[str, set[str]] = {}
    for entry in entries:
        known.setdefault(entry.key, set()).add(entry.resource_name)
        wrong = why_not_pf(entry)
        if wrong:
            yield _perm(site, wrong, "take it out of permittedHostDevices; the module kubevirt_host_devices does")
    for key, names in known.items():
        if len(names) > 1:
            message = (
                f"{key} is permitted as {' and as '.join(sorted(names))}; selectors are compared without regard to "
                "case, "
                "and KubeVirt takes the last entry without a word"
            )
            yield _perm(site, message, "decide for one name, and take the other entry out")
    for selector, resource in (site.resources or {}).items():
        names = known.get(selector, set())
        if not names:
            message = f"VFs {selector} are on nodes for virtual machines, and {owner} does not permit them"
            yield _perm(site, message, "run site.yml (role kubevirt_qat), which adds the entry")
        elif resource not in names:
            message = f"{selector} is permitted as {', '.join(sorted(names))}, expected {resource}"
            yield _perm(site, message, "set qatvirt_resource to that name, or have the entry changed")


def _perm(site: Site, message: str, fix: str) -> Finding:
    item = site.cluster.kubevirt
    return Finding(message, fix, object=str(site.config_owner), evidence=_get("kubevirt", item) if item else "")


def _external(site: Site) -> Iterator[Finding]:
    for entry in _entries(site):
        if entry.resource_name.startswith(PLUGIN_PREFIX):
            yield _perm(
                site,
                f"{entry.selector} is permitted as {entry.resource_name}, a resource of Intel's plugin, which does "
                "not tell "
                "virt-launcher which VF it gave: such a virtual machine stays Scheduled for ever",
                "permit the VFs under a name of their own (intel.com/qat) without externalResourceProvider, and have "
                "their "
                "node for virtual machines (qatvirt_workload: vm)",
            )
        elif entry.external:
            yield _perm(
                site,
                f"{entry.selector} ({entry.resource_name}) has externalResourceProvider, so KubeVirt does not offer "
                "the VFs "
                "itself, and nobody else does",
                "take externalResourceProvider out of that entry",
            )


def _counts(site: Site) -> Iterator[tuple[CheckedNode, NodeAllocatable]]:
    return ((case, site.counts[case.name]) for case in site.nodes if case.name in site.counts)


def _double(site: Site) -> Iterator[Finding]:
    for case, counted in _counts(site):
        if counted.of_other_plugin:
            yield _counted(
                case,
                counted,
                "keep the other one off this node: KubeVirt by the placement rule of the role qat_workload, Intel's "
                "plugin by "
                "its node selector (qatvirt.intel.com/workload: container); a DaemonSet of somebody else has to go",
            )


def _counted(case: CheckedNode, counted: NodeAllocatable, fix: str) -> Finding:
    return Finding(
        explain(counted),
        fix,
        case.name,
        f"node {counted.name}",
        f"kubectl get node {counted.name} -o jsonpath={{.status.allocatable}}",
    )


def _twice(site: Site) -> Iterator[Finding]:
    names = set((site.resources or {}).values())
    for case, item in _known_nodes(site):
        for address, who in owners_of(site, case).items():
            if len(who) > 1:
                yield Finding(
                    f"VF {address} has {len(who)} owners: {' and '.join(str(owner) for owner in who)}",
                    "end one of them; look for who handed it out beside Kubernetes, or for a second device plugin",
                    case.name,
                    f"VF {address}",
                    f"find /proc/[0-9]*/fd -lname '/dev/vfio/*'; {address}",
                )
        gave = given_to_pods(site.pods_on(case), names)
        if sum(gave.values()) > case.node.total:
            told = ", ".join(f"{name}: {number}" for name, number in sorted(gave.items()))
            yield Finding(
                f"pods of the node were given {sum(gave.values())} VFs ({told}), and it has {case.node.total}",
                "end the pods that do not get on; see the check DOUBLE for who advertises the VFs twice",
                case.name,
                f"node {name_of(item)}",
                f"kubectl describe node {name_of(item)}",
            )


def owners_of(site: Site, case: CheckedNode) -> VfOwners:
    """Who has each VF of a node, by its address."""
    item = site.objects.get(case.name)
    return vf_owners(case.node, case.pfs, item, site.pods_on(case), site.resources or {})


def _handler(site: Site) -> Iterator[Finding]:
    yield from _agent_missing(site, site.vm_nodes)


def _plugin(site: Site) -> Iterator[Finding]:
    yield from _agent_missing(site, site.container_nodes)


def _agent_missing(site: Site, cases: list[CheckedNode]) -> Iterator[Finding]:
    """Nodes on which the pod that advertises VFs is not there, or not ready."""
    for case in cases:
        counted = site.counts.get(case.name)
        if counted is None or not case.node.total:
            continue
        if counted.agent is None or pod_trouble(counted.agent):
            yield _counted(case, counted, "mend what is said there; site.yml deploys what is missing")


def _stale(site: Site) -> Iterator[Finding]:
    for case, counted in _counts(site):
        if case.node.workload != CONTAINER and counted.expected != counted.found:
            yield _counted(
                case,
                counted,
                "run site.yml, which restarts the node's virt-handler: it lists VFs only when it starts; running "
                "virtual "
                "machines go on",
            )


def _cut_off(site: Site, counted: NodeAllocatable) -> int | None:
    """The plugin's limit, where that is what cuts a node's VFs off."""
    limits = [limit for item in site.cluster.daemonsets if (limit := limit_of(item))]
    found = counted.found.get(PLUGIN_PREFIX, 0)
    return found if found in limits and found < counted.node.total else None


def _truncated(site: Site) -> Iterator[Finding]:
    for case, counted in _counts(site):
        limit = _cut_off(site, counted)
        if case.node.workload == CONTAINER and limit:
            yield Finding(
                f"Intel's plugin offers {limit} of the node's {case.node.total} VFs, its -max-num-devices",
                "run site.yml (role qat_plugin), which raises it to what the nodes have",
                case.name,
                f"node {counted.name}",
                "kubectl get daemonsets -A -o yaml | grep max-num-devices",
            )


def _uncounted(site: Site) -> Iterator[Finding]:
    for case, counted in _counts(site):
        if case.node.workload == CONTAINER and counted.expected != counted.found:
            yield _counted(case, counted, "see what the plugin's log says; it looks at the VFs every five seconds")


def _offered(site: Site) -> set[str]:
    """All QAT resources that some node of the cluster has."""
    return {
        name
        for item in site.cluster.nodes
        for name, count in (item.get("status", {}).get("allocatable") or {}).items()
        if count != "0"
    }


def _waiting(site: Site) -> Iterator[tuple[Object, str, str]]:
    """Pods that are not scheduled and ask for a QAT resource: the pod, the resource, what the scheduler says."""
    names = set((site.resources or {}).values())
    for pod in site.pods.get("", ()):
        said = unscheduled(pod)
        for name in devices_of(pod) if said else ():
            if name in names or is_named(name, PLUGIN_PREFIX):
                yield pod, name, str(said)


def _renamed(site: Site) -> Iterator[Finding]:
    offered = _offered(site)
    for pod, name, _said in _waiting(site):
        if name not in offered and name.startswith(PLUGIN_PREFIX):
            now = ", ".join(sorted(other for other in offered if other.startswith(PLUGIN_PREFIX))) or "none"
            yield _of_pod(
                pod,
                f"it asks for {name}, which no node offers; offered of Intel's plugin: {now}",
                "the name follows the services of the PFs and the order the kernel prints them in: ask for a name "
                "that is "
                "offered, or set the services that make it (qat_vf_policy)",
            )


def _exhausted(site: Site) -> Iterator[Finding]:
    offered = _offered(site)
    for pod, name, said in _waiting(site):
        if name in offered and f"Insufficient {name}" in said:
            yield _of_pod(
                pod,
                f"it waits for {devices_of(pod)[name]} of {name}, and no node has so many free: {said}",
                "end what uses VFs, ask for fewer, or add nodes; the report shows who has which VF",
            )


def _of_pod(pod: Object, message: str, fix: str) -> Finding:
    where = f"{pod['metadata']['namespace']}/{name_of(pod)}"
    kind = "pod of a virtual machine" if is_launcher(pod) else "pod"
    return Finding(
        message, fix, object=f"{kind} {where}", evidence=f"kubectl describe pod -n {where.replace('/', ' ')}"
    )


def _no_cdev(site: Site) -> Iterator[Finding]:
    try:
        passes_on = parse_version(_version(site))[:2] >= _VFIO_CDEV
    except InputError:
        return
    for case in site.vm_nodes if passes_on else ():
        missing = case.facts["vfio"]["cdevs_missing"]
        if missing:
            yield Finding(
                f"sysfs names {len(missing)} VFIO character devices ({missing[0]} ...) that the kernel does not make, "
                "and "
                f"KubeVirt {_version(site)} asks for them: virtual machines with VFs stay Scheduling",
                "take KubeVirt 1.8, or a kernel with CONFIG_VFIO_DEVICE_CDEV",
                case.name,
                f"node {case.name}",
                f"ls /sys/bus/pci/devices/*/vfio-dev/{missing[0]}/dev /dev/vfio/devices/",
            )


def _labels(site: Site) -> Iterator[Finding]:
    for case, item in _known_nodes(site):
        labels = labels_of(item)
        found, ready = labels.get(WORKLOAD_LABEL), labels.get(READY_LABEL)
        if found != case.node.workload or ready != "true":
            yield Finding(
                f"the node has {WORKLOAD_LABEL}={found} and {READY_LABEL}={ready}, expected {case.node.workload} and "
                "true" + (f"; {'; '.join(case.node.problems)}" if case.node.problems else ""),
                "run site.yml, which labels a node when its VFs are proved",
                case.name,
                f"node {name_of(item)}",
                f"kubectl get node {name_of(item)} --show-labels",
            )


def _qat_machines(site: Site) -> Iterator[Object]:
    """Virtual machines that ask for VFs."""
    names = {*(site.resources or {}).values(), *(entry.resource_name for entry in _entries(site))}
    for item in site.cluster.machines:
        if any(name in names or name.startswith(PLUGIN_PREFIX) for name in devices_of_machine(item)):
            yield item


def _eviction(site: Site) -> Iterator[Finding]:
    for item in _qat_machines(site):
        if look_up(item, ("spec", "evictionStrategy")) == "LiveMigrate":
            yield _of_machine(
                item,
                "it has a VF and evictionStrategy LiveMigrate; a machine with host devices cannot be migrated, so a "
                "drain of "
                "its node never ends",
                "set evictionStrategy to None, and shut it down before a drain",
            )


def _of_machine(item: Object, message: str, fix: str) -> Finding:
    namespace, name = item["metadata"]["namespace"], name_of(item)
    return Finding(
        message,
        fix,
        object=f"virtual machine {namespace}/{name}",
        evidence=f"kubectl describe vmi -n {namespace} {name}",
    )


def _machines(site: Site) -> Iterator[Finding]:
    waiting = {(pod["metadata"]["namespace"], machine_of(pod)) for pod, _name, _said in _waiting(site)}
    for item in _qat_machines(site):
        status = item.get("status", {})
        key = (item["metadata"]["namespace"], name_of(item))
        if status.get("phase") in ("Running", "Succeeded") or key in waiting:
            continue
        said = _complaint(item)
        if said:
            why = _why(item, said)
            yield replace(
                _of_machine(item, f"it is {status.get('phase', 'new')}: {why.message}", why.fix), evidence=why.evidence
            )


def _why(item: Object, said: str) -> Diagnosis:
    namespace, name = item["metadata"]["namespace"], name_of(item)
    command = f"kubectl describe vmi -n {namespace} {name}"
    return diagnose(
        Evidence(
            what=f"virtual machine {namespace}/{name}",
            namespace=namespace,
            command=command,
            is_machine=True,
            phase=item.get("status", {}).get("phase"),
            statements=(Statement(MACHINE, said, command),),
        )
    )


def _complaint(item: Object) -> str | None:
    """What KubeVirt says is wrong with a machine that does not run."""
    for condition in item.get("status", {}).get("conditions") or ():
        if (
            condition["type"] in ("Synchronized", "Ready")
            and condition["status"] == "False"
            and condition.get("message")
        ):
            return str(condition["message"])
    return None


EVERY_NODE_CHECK = tuple(check.id for check in NODE_CHECKS if check.severity == FAIL)
_NO_NODE = ("NODE", "NOTREADY")
_NO_KUBEVIRT = ("KUBEVIRT",)
_NO_OFFER = (*_NO_NODE, *_NO_KUBEVIRT, "HCO", "PERM", "EXT", "HANDLER")

_IN_CLUSTER = (_needs_cluster,)
_WITH_KUBEVIRT = (_needs_cluster, _needs_vms, _needs_kubevirt)

CLUSTER_CHECKS: tuple[Check, ...] = (
    Check(
        "RBAC", CLUSTER, FAIL,
        "May the account read what the checks look at?",
        "The kubeconfig's account has fewer rights than playbooks/rbac.yml grants.",
        "Have a cluster administrator run playbooks/rbac.yml.",
        _rights, needs=_IN_CLUSTER,
    ),
    Check(
        "NODE", CLUSTER, FAIL,
        "Does the cluster have each node of the inventory?",
        "The kubeconfig leads to another cluster, the node has another name there, or has not joined.",
        "Set qatvirt_node_name, or have the node join.",
        _absent_nodes, needs=_IN_CLUSTER, reads=("nodes",),
    ),
    Check(
        "NOTREADY", CLUSTER, FAIL,
        "Is each node Ready?",
        "Its kubelet, container runtime or network does not work.",
        "See the kubelet of the node.",
        _not_ready, needs=_IN_CLUSTER, reads=("nodes",),
    ),
    Check(
        "CORDON", CLUSTER, WARN,
        "May work be scheduled on each node?",
        "Somebody cordoned it, or a drain was never ended.",
        "Uncordon it when whoever did that agrees.",
        _cordoned, needs=_IN_CLUSTER, reads=("nodes",),
    ),
    Check(
        "KUBEVIRT", CLUSTER, FAIL,
        "Is KubeVirt there and available?",
        "It is not installed, on its way to another version, or one of its parts does not run.",
        "Run site.yml with kubevirt_operator_manifest, or see what its pods say.",
        _kubevirt, needs=(_needs_cluster, _needs_vms), reads=("kubevirts",),
    ),
    Check(
        "VERS", CLUSTER, WARN,
        "Do KubeVirt and Kubernetes go together?",
        "The pair is outside of KubeVirt's support matrix, or the release has a known fault with VFs (1.8.1, 1.8.2).",
        "Take releases that go together.",
        _versions, needs=_WITH_KUBEVIRT, reads=("kubevirts",),
    ),
    Check(
        "GATE", CLUSTER, FAIL,
        "Is the feature gate HostDevices open?",
        "HostDevices is an alpha feature in every release up to 1.9 and has to be listed in featureGates.",
        "Run site.yml (role kubevirt_qat).",
        _gate, needs=_WITH_KUBEVIRT, reads=("kubevirts", "hyperconvergeds"), explained_by=_NO_KUBEVIRT,
    ),
    Check(
        "HCO", CLUSTER, FAIL,
        "Is what KubeVirt permits also in HyperConverged, which owns it?",
        "Somebody wrote into the KubeVirt CR; HyperConverged replaces its lists by its own.",
        "Run site.yml (role kubevirt_qat), which edits HyperConverged.",
        _hyperconverged,
        needs=(*_WITH_KUBEVIRT, _needs_hyperconverged), reads=("kubevirts", "hyperconvergeds"),
    ),
    Check(
        "EXT", CLUSTER, FAIL,
        "Does KubeVirt itself offer the VFs that it permits?",
        "externalResourceProvider is set, as for other vendors' plugins; Intel's does not tell virt-launcher which VF "
        "it "
        "gave (no PCI_RESOURCE_* variable).",
        "Permit the VFs under a name of their own without externalResourceProvider.",
        _external, needs=_WITH_KUBEVIRT, reads=("kubevirts",),
    ),
    Check(
        "PERM", CLUSTER, FAIL,
        "Does KubeVirt permit the VFs of the nodes, under one name?",
        "The entry in permittedHostDevices is missing, has the id of the PF, is there twice, or has another name.",
        "Run site.yml (role kubevirt_qat).",
        _permitted, needs=_WITH_KUBEVIRT, reads=("kubevirts",), explained_by=("HCO", "EXT"),
    ),
    Check(
        "VFIOCDEV", CLUSTER, FAIL,
        "Does the kernel make the device files KubeVirt asks for?",
        "KubeVirt 1.9 hands on each entry of vfio-dev in sysfs; kernels without CONFIG_VFIO_DEVICE_CDEV (Debian 12 "
        "and 13) "
        "have the entry and not the file.",
        "Take KubeVirt 1.8, or another kernel.",
        _no_cdev, needs=_WITH_KUBEVIRT, reads=("kubevirts",),
    ),
    Check(
        "DOUBLE", CLUSTER, FAIL,
        "Is each VF advertised by one device plugin only?",
        "Intel's plugin and KubeVirt's own are both on the node; each counts every VF, and kubelet knows nothing of "
        "it.",
        "One VF, one owner: keep one of the two off the node.",
        _double, needs=_IN_CLUSTER, reads=("nodes",),
    ),
    Check(
        "TWICE", CLUSTER, FAIL,
        "Has each VF one owner at most?",
        "It was handed out by two device plugins, or by hand beside Kubernetes.",
        "End one of the two.",
        _twice, needs=_IN_CLUSTER, reads=("nodes", "pods"), explained_by=("INUSE",),
    ),
    Check(
        "HANDLER", CLUSTER, FAIL,
        "Is virt-handler ready on each node for virtual machines?",
        "It is kept off by a taint, a placement or a cordon, or does not start.",
        "Mend what the pod says.",
        _handler, needs=_WITH_KUBEVIRT, reads=("nodes", "pods"),
        explained_by=(*_NO_NODE, *_NO_KUBEVIRT),
    ),
    Check(
        "PLUGIN", CLUSTER, FAIL,
        "Is Intel's plugin ready on each node for containers?",
        "Its image cannot be pulled, a taint keeps it off, the node is not labelled, or it crashes.",
        "Mend what the pod says.",
        _plugin, needs=(_needs_cluster, _needs_containers), reads=("nodes", "pods"), explained_by=_NO_NODE,
    ),
    Check(
        "STALE", CLUSTER, FAIL,
        "Does each node for virtual machines offer the VFs it has?",
        "virt-handler lists VFs when it starts and when its configuration changes; VFs made later are not seen.",
        "Run site.yml, which restarts that node's virt-handler.",
        _stale, needs=_WITH_KUBEVIRT, reads=("nodes", "pods"), explained_by=_NO_OFFER,
    ),
    Check(
        "TRUNC", CLUSTER, FAIL,
        "Does Intel's plugin offer all VFs of a node?",
        "-max-num-devices is less than the node has (default 64; a two-socket node of Gen4 has 128).",
        "Run site.yml (role qat_plugin).",
        _truncated, needs=(_needs_cluster, _needs_containers), reads=("nodes", "daemonsets"), explained_by=_NO_NODE,
    ),
    Check(
        "COUNT", CLUSTER, FAIL,
        "Does each node for containers offer the VFs it has?",
        "The plugin does not know the device (-kernel-vf-drivers), or takes VFs for unhealthy.",
        "See its log.",
        _uncounted, needs=(_needs_cluster, _needs_containers), reads=("nodes", "pods"),
        explained_by=(*_NO_NODE, "PLUGIN", "TRUNC"),
    ),
    Check(
        "LABEL", CLUSTER, FAIL,
        "Do the node's labels say what it is?",
        "Somebody changed them, or the last run ended before the node was proved.",
        "Run site.yml.",
        _labels, needs=_IN_CLUSTER, reads=("nodes",),
        explained_by=(
            *EVERY_NODE_CHECK, *_NO_OFFER, "GATE", "VFIOCDEV", "DOUBLE", "PLUGIN", "STALE", "TRUNC", "COUNT",
        ),
    ),
    Check(
        "RENAME", CLUSTER, FAIL,
        "Is every resource that pods wait for offered by some node?",
        "The plugin's names follow the services, and their order changes between kernels (dc-sym, sym-dc).",
        "Ask for a name that is offered.",
        _renamed, needs=_IN_CLUSTER, reads=("nodes", "pods"), explained_by=("PLUGIN",),
    ),
    Check(
        "FULL", CLUSTER, WARN,
        "Are there VFs left for what waits for some?",
        "All VFs of the resource are given away.",
        "End what uses them, ask for fewer, or add nodes.",
        _exhausted, needs=_IN_CLUSTER, reads=("nodes", "pods"), explained_by=("STALE", "COUNT", "TRUNC"),
    ),
    Check(
        "VMI", CLUSTER, FAIL,
        "Does every virtual machine with a VF run?",
        "Its launcher could not make the machine; KubeVirt's condition says why.",
        "See the signatures of test machines below: the same texts have the same causes.",
        _machines, needs=_WITH_KUBEVIRT, reads=("machines", "pods"),
        explained_by=("GATE", "EXT", "PERM", "VFIOCDEV", "TWICE", "DOUBLE"),
    ),
    Check(
        "EVICT", CLUSTER, WARN,
        "Can nodes be drained under virtual machines with VFs?",
        "A machine with host devices cannot be migrated, and evictionStrategy LiveMigrate blocks its eviction.",
        "Set evictionStrategy to None.",
        _eviction, needs=_WITH_KUBEVIRT, reads=("machines",),
    ),
)  # fmt: skip
