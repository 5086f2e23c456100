# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks over the snapshot of a cluster, beside the facts of its nodes. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ..cluster.allocatable import NodeAllocatable, explain
from ..cluster.host_devices import GATE, Entry, qat_entries, why_not_pf
from ..cluster.kubevirt import describe, is_available, parse_version, version_objections
from ..cluster.kubevirt_config import kubevirt
from ..cluster.nodes import CONTAINER, PLUGIN_PREFIX, READY_LABEL, WORKLOAD_LABEL, is_named
from ..cluster.objects import Object, labels_of, look_up, name_of
from ..cluster.pods import devices_of, devices_of_machine, is_launcher, machine_of, pod_trouble, unscheduled
from ..cluster.qat_plugin import limit_of
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
    return None if site.cluster.kubevirt else "there is no KubeVirt"


def _needs_hyperconverged(site: Site) -> str | None:
    return None if site.cluster.hyperconverged else "there is no HyperConverged"


def _get(kind: str, item: Object) -> str:
    """The command that shows an object."""
    namespace = item["metadata"].get("namespace")
    return f"kubectl get {kind}{f' -n {namespace}' if namespace else ''} {name_of(item)} -o yaml"


def _of_node(checked: CheckedNode, node_name: str, *, message: str, evidence: str, fix: str | None = None) -> Finding:
    """A finding about a node of the cluster. ``node_name``: of its Node object."""
    return Finding(message=message, fix=fix, node=checked.name, object=f"node {node_name}", evidence=evidence)


def _rights(site: Site) -> Iterator[Finding]:
    for part, error in site.cluster.unread.items():
        yield Finding(
            message=f"{part} could not be read: {error}",
            object=part,
            evidence=f"kubectl auth can-i list {part} --all-namespaces",
        )


def _absent_nodes(site: Site) -> Iterator[Finding]:
    known = ", ".join(sorted(name_of(item) for item in site.cluster.nodes)) or "none"
    for checked in site.nodes:
        if checked.name not in site.objects:
            message = f"the cluster has no node {checked.name}; it has {known}"
            yield _of_node(checked, checked.name, message=message, evidence="kubectl get nodes")


def _known_nodes(site: Site) -> Iterator[tuple[CheckedNode, Object]]:
    """The nodes that the cluster has, each with its Node object."""
    return ((checked, site.objects[checked.name]) for checked in site.nodes if checked.name in site.objects)


def _not_ready(site: Site) -> Iterator[Finding]:
    for checked, item in _known_nodes(site):
        for condition in item.get("status", {}).get("conditions") or ():
            if condition["type"] == "Ready" and condition["status"] != "True":
                yield _of_node(
                    checked,
                    name_of(item),
                    message=f"Kubernetes says Ready={condition['status']} of the node ({condition.get('reason')}: "
                    f"{condition.get('message', '')}), expected True",
                    evidence=f"kubectl describe node {name_of(item)}",
                )


def _cordoned(site: Site) -> Iterator[Finding]:
    for checked, item in _known_nodes(site):
        if item.get("spec", {}).get("unschedulable"):
            yield _of_node(
                checked,
                name_of(item),
                message="the node is cordoned: nothing new is started on it, with or without VFs",
                fix=f"kubectl uncordon {name_of(item)}, when whoever cordoned it agrees",
                evidence=f"kubectl get node {name_of(item)} -o jsonpath={{.spec}}",
            )


def _kubevirt(site: Site) -> Iterator[Finding]:
    item = site.cluster.kubevirt
    if item is None:
        has_operator = site.cluster.kubevirts is not None
        yield Finding(
            message="KubeVirt's operator is installed, but there is no KubeVirt CR"
            if has_operator
            else "KubeVirt is not installed",
            object="KubeVirt",
            evidence="kubectl get kubevirts --all-namespaces",
        )
    elif not is_available(item, None):
        yield Finding(
            message=f"{describe(item)}; expected Available, and the version its operator aims at",
            fix=f"see kubectl get pods -n {item['metadata']['namespace']} for what does not run",
            object=f"KubeVirt {item['metadata']['namespace']}/{name_of(item)}",
            evidence=_get("kubevirt", item),
        )


def _version(site: Site) -> str:
    """The version of KubeVirt that runs, empty where that is not known."""
    item = site.cluster.kubevirt or {}
    return str(item.get("status", {}).get("observedKubeVirtVersion") or "")


def _versions(site: Site) -> Iterator[Finding]:
    item = site.cluster.kubevirt
    for objection in version_objections(_version(site), None, site.cluster.version) if item else ():
        yield Finding(
            message=objection.text,
            object=f"KubeVirt {_version(site)}, Kubernetes {site.cluster.version}",
            evidence="kubectl version; kubectl get kubevirts -A",
        )


def _gate(site: Site) -> Iterator[Finding]:
    item = site.cluster.kubevirt
    if item is None or site.cluster.hyperconverged:
        return  # HyperConverged always opens it
    settings = look_up(item, kubevirt(item).gates or ()) or {}
    disabled = GATE in (settings.get("disabledFeatureGates") or ())
    if disabled or GATE not in (settings.get("featureGates") or ()):
        where = "is in disabledFeatureGates" if disabled else "is not in featureGates"
        yield Finding(
            message=f"{GATE} {where} of {kubevirt(item)}, so the API refuses every virtual machine with hostDevices",
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
                message=f"{entry.selector} is permitted in the KubeVirt CR and not in {owner}, which owns that CR and "
                "takes it out again",
                fix=f"run site.yml (role kubevirt_qat), which writes the entry into {owner}",
                object=str(owner),
                evidence=_get("hyperconverged", item),
            )


def _permitted(site: Site) -> Iterator[Finding]:
    entries = _entries(site)
    names: dict[str, set[str]] = {}
    for entry in entries:
        names.setdefault(entry.key, set()).add(entry.resource_name)
        wrong = why_not_pf(entry)
        if wrong:
            fix = "take the entry out of permittedHostDevices; the module kubevirt_host_devices does that"
            yield _of_config(site, message=wrong, fix=fix)
    yield from _ambiguous(site, names)
    yield from _not_permitted(site, names)


def _ambiguous(site: Site, names: dict[str, set[str]]) -> Iterator[Finding]:
    """Selectors with several resource names. ``names``: resource names by selector."""
    for selector, several in names.items():
        if len(several) > 1:
            yield _of_config(
                site,
                message=f"{selector} is permitted as {' and as '.join(sorted(several))}; selectors are compared "
                "without regard to case, and KubeVirt silently takes the last entry",
                fix="decide for one name, and take the other entry out",
            )


def _not_permitted(site: Site, names: dict[str, set[str]]) -> Iterator[Finding]:
    """VFs that KubeVirt does not permit under the name they are to have. ``names``: resource names by selector."""
    for selector, resource in (site.resources or {}).items():
        permitted = names.get(selector, set())
        if not permitted:
            message = f"VFs {selector} are on nodes for virtual machines, and {site.config_owner} does not permit them"
            yield _of_config(site, message=message)
        elif resource not in permitted:
            yield _of_config(
                site,
                message=f"{selector} is permitted as {', '.join(sorted(permitted))}, expected {resource}",
                fix="set qatvirt_resource to that name, or have the entry changed",
            )


def _of_config(site: Site, *, message: str, fix: str | None = None) -> Finding:
    """A finding about KubeVirt's configuration."""
    item = site.cluster.kubevirt
    evidence = _get("kubevirt", item) if item else ""
    return Finding(message=message, fix=fix, object=str(site.config_owner), evidence=evidence)


def _external(site: Site) -> Iterator[Finding]:
    for entry in _entries(site):
        if entry.resource_name.startswith(PLUGIN_PREFIX):
            yield _of_config(
                site,
                message=f"{entry.selector} is permitted as {entry.resource_name}, a resource of Intel's plugin, which "
                "does not tell virt-launcher which VF it gave: such a virtual machine stays Scheduled for ever",
                fix="permit the VFs under a name of their own (intel.com/qat) without externalResourceProvider, and "
                "set up their node for virtual machines (qatvirt_workload: vm)",
            )
        elif entry.external:
            yield _of_config(
                site,
                message=f"{entry.selector} ({entry.resource_name}) has externalResourceProvider, so KubeVirt does not "
                "advertise the VFs itself, and nothing else does",
                fix="take externalResourceProvider out of that entry",
            )


def _counts(site: Site) -> Iterator[tuple[CheckedNode, NodeAllocatable]]:
    """The nodes that the cluster has, each with what it should advertise and what it does."""
    return ((checked, site.counts[checked.name]) for checked in site.nodes if checked.name in site.counts)


def _of_counted(checked: CheckedNode, counted: NodeAllocatable, fix: str | None = None) -> Finding:
    """A finding about a node that does not advertise what it should."""
    return _of_node(
        checked,
        counted.name,
        message=explain(counted),
        fix=fix,
        evidence=f"kubectl get node {counted.name} -o jsonpath={{.status.allocatable}}",
    )


def _two_plugins(site: Site) -> Iterator[Finding]:
    return (_of_counted(checked, counted) for checked, counted in _counts(site) if counted.of_other_plugin)


def _two_owners(site: Site) -> Iterator[Finding]:
    for checked, item in _known_nodes(site):
        yield from _shared_vfs(site, checked)
        yield from _overcommitted(site, checked, name_of(item))


def _shared_vfs(site: Site, checked: CheckedNode) -> Iterator[Finding]:
    """VFs that several processes, pods or virtual machines have open."""
    for address, who in owners_of(site, checked).items():
        if len(who) > 1:
            yield Finding(
                message=f"VF {address} has {len(who)} owners: {' and '.join(str(owner) for owner in who)}",
                node=checked.name,
                object=f"VF {address}",
                evidence=f"find /proc/[0-9]*/fd -lname '/dev/vfio/*'; {address}",
            )


def _overcommitted(site: Site, checked: CheckedNode, node_name: str) -> Iterator[Finding]:
    """A node whose pods were given more VFs than it has, so that some VFs were given twice."""
    gave = given_to_pods(site.pods_on(checked), set((site.resources or {}).values()))
    if sum(gave.values()) > checked.node.total:
        by_name = ", ".join(f"{name}: {number}" for name, number in sorted(gave.items()))
        yield _of_node(
            checked,
            node_name,
            message=f"pods of the node were given {sum(gave.values())} VFs ({by_name}), and it has "
            f"{checked.node.total}",
            fix="end the pods that do not start; the check TWO-PLUGINS says who advertises the VFs twice",
            evidence=f"kubectl describe node {node_name}",
        )


def owners_of(site: Site, checked: CheckedNode) -> VfOwners:
    """Who has each VF of a node, by the VF's address."""
    item = site.objects.get(checked.name)
    return vf_owners(checked.node, checked.pfs, item, site.pods_on(checked), site.resources or {})


def _handler(site: Site) -> Iterator[Finding]:
    yield from _agent_missing(site, site.vm_nodes)


def _plugin(site: Site) -> Iterator[Finding]:
    yield from _agent_missing(site, site.container_nodes)


def _agent_missing(site: Site, nodes: list[CheckedNode]) -> Iterator[Finding]:
    """Nodes without a ready pod that advertises their VFs."""
    for checked in nodes:
        counted = site.counts.get(checked.name)
        if counted is None or not checked.node.total:
            continue
        if counted.agent is None or pod_trouble(counted.agent):
            yield _of_counted(checked, counted)


def _stale(site: Site) -> Iterator[Finding]:
    for checked, counted in _counts(site):
        if checked.node.workload != CONTAINER and counted.expected != counted.found:
            yield _of_counted(checked, counted)


def _cut_off(site: Site, counted: NodeAllocatable) -> int | None:
    """The plugin's limit, where it is what keeps some of a node's VFs from being advertised."""
    limits = [limit for item in site.cluster.daemonsets if (limit := limit_of(item))]
    found = counted.found.get(PLUGIN_PREFIX, 0)
    return found if found in limits and found < counted.node.total else None


def _truncated(site: Site) -> Iterator[Finding]:
    for checked, counted in _counts(site):
        limit = _cut_off(site, counted)
        if checked.node.workload == CONTAINER and limit:
            yield _of_node(
                checked,
                counted.name,
                message=f"Intel's plugin advertises {limit} of the node's {checked.node.total} VFs, its "
                "-max-num-devices",
                evidence="kubectl get daemonsets -A -o yaml | grep max-num-devices",
            )


def _uncounted(site: Site) -> Iterator[Finding]:
    for checked, counted in _counts(site):
        if checked.node.workload == CONTAINER and counted.expected != counted.found:
            yield _of_counted(checked, counted)


def _advertised(site: Site) -> set[str]:
    """All resources that some node of the cluster has allocatable."""
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
        reason = unscheduled(pod)
        for name in devices_of(pod) if reason else ():
            if name in names or is_named(name, PLUGIN_PREFIX):
                yield pod, name, str(reason)


def _renamed(site: Site) -> Iterator[Finding]:
    advertised = _advertised(site)
    for pod, name, _reason in _waiting(site):
        if name not in advertised and name.startswith(PLUGIN_PREFIX):
            now = ", ".join(sorted(other for other in advertised if other.startswith(PLUGIN_PREFIX))) or "none"
            yield _of_pod(
                pod,
                message=f"it asks for {name}, which no node offers; resources that Intel's plugin offers: {now}",
            )


def _exhausted(site: Site) -> Iterator[Finding]:
    advertised = _advertised(site)
    for pod, name, reason in _waiting(site):
        if name in advertised and f"Insufficient {name}" in reason:
            yield _of_pod(
                pod,
                message=f"it waits for {devices_of(pod)[name]} of {name}, and no node has so many free: {reason}",
            )


def _of_pod(pod: Object, *, message: str) -> Finding:
    namespace, name = pod["metadata"]["namespace"], name_of(pod)
    kind = "pod of a virtual machine" if is_launcher(pod) else "pod"
    evidence = f"kubectl describe pod -n {namespace} {name}"
    return Finding(message=message, object=f"{kind} {namespace}/{name}", evidence=evidence)


def _no_cdev(site: Site) -> Iterator[Finding]:
    try:
        hands_on = parse_version(_version(site))[:2] >= _VFIO_CDEV
    except InputError:
        return
    for checked in site.vm_nodes if hands_on else ():
        missing = checked.facts["vfio"]["cdevs_missing"]
        if missing:
            yield _of_node(
                checked,
                checked.name,
                message=f"sysfs names {len(missing)} VFIO character devices ({missing[0]} ...) that the kernel does "
                f"not make, and KubeVirt {_version(site)} asks for them: virtual machines with VFs stay Scheduling",
                evidence=f"ls /sys/bus/pci/devices/*/vfio-dev/{missing[0]}/dev /dev/vfio/devices/",
            )


def _labels(site: Site) -> Iterator[Finding]:
    for checked, item in _known_nodes(site):
        labels = labels_of(item)
        found, ready = labels.get(WORKLOAD_LABEL), labels.get(READY_LABEL)
        if found != checked.node.workload or ready != "true":
            problems = f"; {'; '.join(checked.node.problems)}" if checked.node.problems else ""
            yield _of_node(
                checked,
                name_of(item),
                message=f"the node has {WORKLOAD_LABEL}={found} and {READY_LABEL}={ready}, expected "
                f"{checked.node.workload} and true{problems}",
                evidence=f"kubectl get node {name_of(item)} --show-labels",
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
            yield Finding(
                message="it has a VF and evictionStrategy LiveMigrate; a virtual machine with host devices cannot be "
                "migrated, so a drain of its node never ends",
                object=_machine_text(item),
                evidence=_describe_machine(item),
            )


def _machine_text(item: Object) -> str:
    return f"virtual machine {item['metadata']['namespace']}/{name_of(item)}"


def _describe_machine(item: Object) -> str:
    """The command that shows a virtual machine."""
    return f"kubectl describe vmi -n {item['metadata']['namespace']} {name_of(item)}"


def _machines(site: Site) -> Iterator[Finding]:
    """Virtual machines with VFs that do not run; those whose pod waits for VFs are left to FULL and RENAME."""
    waiting = {(pod["metadata"]["namespace"], machine_of(pod)) for pod, _name, _reason in _waiting(site)}
    for item in _qat_machines(site):
        phase = item.get("status", {}).get("phase")
        if phase in ("Running", "Succeeded") or (item["metadata"]["namespace"], name_of(item)) in waiting:
            continue
        complaint = _complaint(item)
        if complaint:
            why = _diagnosis(item, complaint)
            yield Finding(
                message=f"it is {phase or 'new'}: {why.message}",
                fix=why.fix,
                object=_machine_text(item),
                evidence=why.evidence,
            )


def _diagnosis(item: Object, complaint: str) -> Diagnosis:
    """Why a virtual machine does not run. ``complaint``: KubeVirt's words."""
    command = _describe_machine(item)
    return diagnose(
        Evidence(
            what=_machine_text(item),
            namespace=item["metadata"]["namespace"],
            command=command,
            is_machine=True,
            phase=item.get("status", {}).get("phase"),
            statements=(Statement(MACHINE, complaint, command),),
        )
    )


def _complaint(item: Object) -> str | None:
    """What KubeVirt says is wrong with a virtual machine that does not run."""
    for condition in item.get("status", {}).get("conditions") or ():
        tells = condition["type"] in ("Synchronized", "Ready") and condition["status"] == "False"
        if tells and condition.get("message"):
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
        "have a cluster administrator run playbooks/rbac.yml, and use the kubeconfig it writes",
        validate=_rights, needs=_IN_CLUSTER,
    ),
    Check(
        "NODE", CLUSTER, FAIL,
        "Does the cluster have each node of the inventory?",
        "The kubeconfig leads to another cluster, the node has another name there, or it has not joined.",
        "check that qatvirt_kubeconfig leads to this node's cluster, and have the node join it; where the node has "
        "another name there, set qatvirt_node_name to that name",
        validate=_absent_nodes, needs=_IN_CLUSTER, reads=("nodes",),
    ),
    Check(
        "NOTREADY", CLUSTER, FAIL,
        "Is each node Ready?",
        "The node's kubelet, container runtime or network does not work.",
        "see the kubelet on the node: systemctl status kubelet; journalctl -u kubelet",
        validate=_not_ready, needs=_IN_CLUSTER, reads=("nodes",),
    ),
    Check(
        "CORDON", CLUSTER, WARN,
        "May pods be scheduled on each node?",
        "An administrator cordoned the node, or a drain was never ended.",
        "uncordon the node when whoever cordoned it agrees",
        validate=_cordoned, needs=_IN_CLUSTER, reads=("nodes",),
    ),
    Check(
        "KUBEVIRT", CLUSTER, FAIL,
        "Is KubeVirt installed and available?",
        "KubeVirt is not installed, is on its way to another version, or one of its parts does not run.",
        "run site.yml with kubevirt_operator_manifest set, or install KubeVirt by its own documentation",
        validate=_kubevirt, needs=(_needs_cluster, _needs_vms), reads=("kubevirts",),
    ),
    Check(
        "VERS", CLUSTER, WARN,
        "Do the releases of KubeVirt and Kubernetes go together?",
        "The pair is outside of KubeVirt's support matrix, or the release has a known fault with VFs (1.8.1, 1.8.2).",
        "take releases that go together; KubeVirt's release notes have the matrix",
        validate=_versions, needs=_WITH_KUBEVIRT, reads=("kubevirts",),
    ),
    Check(
        "GATE", CLUSTER, FAIL,
        "Is the feature gate HostDevices open?",
        "HostDevices is an alpha feature in every release up to 1.9 and has to be listed in featureGates.",
        "run site.yml (role kubevirt_qat), which opens the gate; where the gate is in disabledFeatureGates, take it "
        "out there first",
        validate=_gate, needs=_WITH_KUBEVIRT, reads=("kubevirts", "hyperconvergeds"), explained_by=_NO_KUBEVIRT,
    ),
    Check(
        "HCO", CLUSTER, FAIL,
        "Are the devices that the KubeVirt CR permits also in HyperConverged, which owns that CR?",
        "Someone wrote into the KubeVirt CR; HyperConverged replaces its lists by its own.",
        "run site.yml (role kubevirt_qat), which edits HyperConverged",
        validate=_hyperconverged,
        needs=(*_WITH_KUBEVIRT, _needs_hyperconverged), reads=("kubevirts", "hyperconvergeds"),
    ),
    Check(
        "EXT", CLUSTER, FAIL,
        "Does KubeVirt itself advertise the VFs that it permits?",
        "externalResourceProvider is set, as for other vendors' plugins; Intel's does not tell virt-launcher which VF "
        "it gave (no PCI_RESOURCE_* variable).",
        "permit the VFs under a name of their own without externalResourceProvider",
        validate=_external, needs=_WITH_KUBEVIRT, reads=("kubevirts",),
    ),
    Check(
        "PERM", CLUSTER, FAIL,
        "Does KubeVirt permit the VFs of the nodes, each kind under one name?",
        "The entry in permittedHostDevices is missing, has the id of the PF, is there twice, or has another name.",
        "run site.yml (role kubevirt_qat), which adds the entry",
        validate=_permitted, needs=_WITH_KUBEVIRT, reads=("kubevirts",), explained_by=("HCO", "EXT"),
    ),
    Check(
        "VFIOCDEV", CLUSTER, FAIL,
        "Does the kernel make the device files that KubeVirt asks for?",
        "KubeVirt 1.9 hands on each entry of vfio-dev in sysfs; kernels without CONFIG_VFIO_DEVICE_CDEV (Debian 12 and "
        "13) have the entry and not the file.",
        "take KubeVirt 1.8, or a kernel with CONFIG_VFIO_DEVICE_CDEV",
        validate=_no_cdev, needs=_WITH_KUBEVIRT, reads=("kubevirts",),
    ),
    Check(
        "TWO-PLUGINS", CLUSTER, FAIL,
        "Is each VF advertised by one device plugin only?",
        "Intel's plugin and KubeVirt's own are both on the node; each advertises every VF, and kubelet cannot know "
        "that the two mean the same VFs.",
        "keep the other plugin off this node: KubeVirt by the placement rule of the role qat_workload, Intel's plugin "
        "by its node selector (qatvirt.intel.com/workload: container); any other DaemonSet that runs it has to go",
        validate=_two_plugins, needs=_IN_CLUSTER, reads=("nodes",),
    ),
    Check(
        "TWO-OWNERS", CLUSTER, FAIL,
        "Is each VF in the hands of one pod, virtual machine or process at most?",
        "Two device plugins handed the VF out, or someone handed it out by hand beside Kubernetes.",
        "end one of the owners; look for who handed the VF out beside Kubernetes, or for a second device plugin",
        validate=_two_owners, needs=_IN_CLUSTER, reads=("nodes", "pods"), explained_by=("INUSE",),
    ),
    Check(
        "HANDLER", CLUSTER, FAIL,
        "Is virt-handler ready on each node for virtual machines?",
        "A taint, a placement rule or a cordon keeps virt-handler off the node, or it does not start.",
        "mend what is said about the pod of virt-handler; site.yml deploys what is missing",
        validate=_handler, needs=_WITH_KUBEVIRT, reads=("nodes", "pods"),
        explained_by=(*_NO_NODE, *_NO_KUBEVIRT),
    ),
    Check(
        "PLUGIN", CLUSTER, FAIL,
        "Is Intel's plugin ready on each node for containers?",
        "Its image cannot be pulled, a taint keeps it off, the node is not labelled, or it crashes.",
        "mend what is said about the pod of the plugin; site.yml deploys what is missing",
        validate=_plugin, needs=(_needs_cluster, _needs_containers), reads=("nodes", "pods"), explained_by=_NO_NODE,
    ),
    Check(
        "STALE", CLUSTER, FAIL,
        "Does each node for virtual machines advertise the VFs it has?",
        "virt-handler lists VFs when it starts and when its configuration changes; it does not see VFs made later.",
        "run site.yml, which restarts the node's virt-handler, so that it lists the VFs anew; running virtual machines "
        "go on",
        validate=_stale, needs=_WITH_KUBEVIRT, reads=("nodes", "pods"), explained_by=_NO_OFFER,
    ),
    Check(
        "TRUNC", CLUSTER, FAIL,
        "Does the limit of Intel's plugin allow all VFs of a node?",
        "-max-num-devices is less than the node has (default 64; a two-socket node of Gen4 has 128).",
        "run site.yml (role qat_plugin), which raises the limit to what the nodes have",
        validate=_truncated, needs=(_needs_cluster, _needs_containers), reads=("nodes", "daemonsets"),
        explained_by=_NO_NODE,
    ),
    Check(
        "COUNT", CLUSTER, FAIL,
        "Does each node for containers advertise the VFs it has?",
        "The plugin does not know the device (-kernel-vf-drivers), or takes VFs for unhealthy.",
        "see the log of the plugin; it looks at the VFs every five seconds",
        validate=_uncounted, needs=(_needs_cluster, _needs_containers), reads=("nodes", "pods"),
        explained_by=(*_NO_NODE, "PLUGIN", "TRUNC"),
    ),
    Check(
        "LABEL", CLUSTER, FAIL,
        "Do the node's labels say what the node is for, and that it is ready?",
        "Someone changed the labels, or the last run ended before the node was proved.",
        "run site.yml, which labels a node when its VFs are proved",
        validate=_labels, needs=_IN_CLUSTER, reads=("nodes",),
        explained_by=(
            *EVERY_NODE_CHECK, *_NO_OFFER, "GATE", "VFIOCDEV", "TWO-PLUGINS", "PLUGIN", "STALE", "TRUNC", "COUNT",
        ),
    ),
    Check(
        "RENAME", CLUSTER, FAIL,
        "Does some node offer every resource that pods wait for?",
        "The plugin's names follow the services of the PFs, and their order changes between kernels (dc-sym, sym-dc).",
        "ask for a name that is offered, or set the services that make the name (qat_vf_policy)",
        validate=_renamed, needs=_IN_CLUSTER, reads=("nodes", "pods"), explained_by=("PLUGIN",),
    ),
    Check(
        "FULL", CLUSTER, WARN,
        "Are there VFs left for the pods that wait for some?",
        "All VFs of the resource are given away.",
        "end what uses VFs, ask for fewer, or add nodes; the report shows who has which VF",
        validate=_exhausted, needs=_IN_CLUSTER, reads=("nodes", "pods"), explained_by=("STALE", "COUNT", "TRUNC"),
    ),
    Check(
        "VMI", CLUSTER, FAIL,
        "Does every virtual machine with a VF run?",
        "virt-launcher could not start the virtual machine; KubeVirt's condition says why.",
        "see the table of causes at the end of docs/checks.md",
        validate=_machines, needs=_WITH_KUBEVIRT, reads=("machines", "pods"),
        explained_by=("GATE", "EXT", "PERM", "VFIOCDEV", "TWO-OWNERS", "TWO-PLUGINS"),
    ),
    Check(
        "EVICT", CLUSTER, WARN,
        "Can nodes be drained under virtual machines with VFs?",
        "A virtual machine with host devices cannot be migrated, and evictionStrategy LiveMigrate blocks its eviction.",
        "set evictionStrategy to None, and shut the virtual machine down before a drain",
        validate=_eviction, needs=_WITH_KUBEVIRT, reads=("machines",),
    ),
)  # fmt: skip
