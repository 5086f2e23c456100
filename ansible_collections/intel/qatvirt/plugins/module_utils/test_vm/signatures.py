# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Known causes why a virtual machine or a pod does not run, each with what to do.

Pure, tables. A cause is known by the text of a program that is not ours (:class:`Signature`), or because this
collection itself has seen it in an object (:class:`OwnCause`). The texts are those of KubeVirt 1.8 and 1.9, Kubernetes
1.35, containerd 1.7 and QEMU 10.
"""

from __future__ import annotations

from dataclasses import dataclass

API, NODE, POD, MACHINE, EVENT, LOG, CONSOLE = "api", "node", "pod", "machine", "event", "log", "console"
"""Where a statement comes from."""


@dataclass(frozen=True)
class OwnCause:
    """A cause that this collection has seen itself; the statement names it (``Statement.cause``).

    ``cause``, ``fix`` and ``command`` may have the placeholders {what}, {namespace}, {node} and {resource}. ``final``:
    whether waiting longer is of no use. ``command``: shows more than the statement's own command.
    """

    id: str
    cause: str
    fix: str
    final: bool = True
    command: str = ""


@dataclass(frozen=True)
class Signature:
    """A text of another program, and the cause that it tells.

    ``regex``: fits the text. ``cause``, ``fix``, ``final`` and ``command`` are as those of :class:`OwnCause`; groups of
    ``regex`` are placeholders, too. ``sources``: who has to say the text, empty for anybody. ``unpinned``: whether the
    text counts only where the node is left to the scheduler; it is about all nodes, and what keeps a known node from
    running something is seen on its Node object.
    """

    id: str
    regex: str
    cause: str
    fix: str
    final: bool = True
    sources: tuple[str, ...] = ()
    unpinned: bool = False
    command: str = ""


_KUBEVIRT = "kubectl get kubevirts -A -o yaml"
_NODE = "kubectl describe node {node}"
_SCHEDULER = (POD, MACHINE, EVENT)
ALLOCATABLE = "kubectl get node {node} -o jsonpath={{.status.allocatable}}"

DELETED = OwnCause(
    "GONE",
    "{what} was deleted during its test",
    "run the test again, and see who deletes objects in its namespace",
)
CORDONED = OwnCause(
    "CORDON",
    "node {node} is cordoned",
    "kubectl uncordon {node}, where the node is to have workloads again",
)
NOT_FIT = OwnCause(
    "TAINT",
    "Kubernetes itself has tainted node {node}, because the node is not fit for work now",
    "see the node's conditions: kubelet, network, disk and memory pressure",
    final=False,
)
TAINTED = OwnCause(
    "TAINT",
    "node {node} has a taint that is not tolerated",
    "tolerate the taint (the test: qat_test_vm_tolerations), or remove it from the node",
)
NO_HANDLER = OwnCause(
    "HANDLER",
    "node {node} has no virt-handler that is well, so no virtual machine can run there",
    "see the pod of virt-handler: image, taints, log, and the placement of KubeVirt's workloads (the node's "
    "qatvirt_workload must be vm)",
    final=False,
    command="kubectl get pods -A -o wide -l kubevirt.io=virt-handler",
)

SILENT_WEBHOOK = Signature(
    "WEBHOOK",
    r"failed calling webhook",
    "an admission webhook does not answer",
    "see whether the pods behind the service of that webhook run",
    final=False,
    command="kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations",
)
"""Told by the text of an event, or by the error WebhookDown."""

CAUSES: tuple[OwnCause | Signature, ...] = (
    Signature(
        "GATE",
        r"Host ?Devices feature gate is not enabled",
        "KubeVirt's feature gate HostDevices is closed",
        "run site.yml (module kubevirt_host_devices), or add HostDevices to featureGates in developerConfiguration",
        command=_KUBEVIRT,
    ),
    Signature(
        "PERM",
        r"(?:HostDevice|GPU) (?P<device>\S+) is not permitted in permittedHostDevices",
        "KubeVirt does not permit {device} as a host device",
        "run site.yml (module kubevirt_host_devices), or add the VFs' vendor and device under that name to "
        "permittedHostDevices, in HyperConverged where that owns KubeVirt's configuration",
        command=_KUBEVIRT,
    ),
    Signature(
        "EXT",
        r"do not match the number of devices",
        "virt-launcher was not told which VF it has: {resource} is advertised by a device plugin that sets no "
        "PCI_RESOURCE_ variable, as Intel's does not",
        "let KubeVirt's own plugin advertise the VFs: a resource name other than qat.intel.com/*, and "
        "permittedHostDevices without externalResourceProvider",
        command=_KUBEVIRT,
    ),
    Signature(
        "QUOTA",
        r"exceeded quota",
        "a ResourceQuota of the namespace does not allow {what}",
        "raise the quota, or take another namespace (the test: qat_test_vm_namespace)",
        command="kubectl get resourcequotas -A",
    ),
    Signature(
        "PSA",
        r"violates PodSecurity",
        "the namespace's Pod Security level does not allow {what}",
        "label the namespace pod-security.kubernetes.io/enforce=privileged; the play rbac.yml does that",
        command="kubectl get namespaces -L pod-security.kubernetes.io/enforce",
    ),
    SILENT_WEBHOOK,
    Signature(
        "MEMORY",
        r"memory '[^']*'.* must be equal to or less than the memory limit|is greater than .*memory limit"
        r"|m(?:ax|in)imum memory usage per|must be less than or equal to memory limit",
        "the memory that {what} asks for is outside of what the namespace or its own limit allows",
        "ask for memory that fits (the test: qat_test_vm_memory), or change the namespace's LimitRange",
        sources=(API, MACHINE, EVENT),
        command="kubectl get limitranges -A -o yaml",
    ),
    Signature(
        "RBAC",
        r"User \"[^\"]*\" cannot|[Ff]orbidden: User|cannot \w+ resource \"",
        "the account lacks the rights for {what}",
        "have a cluster administrator run playbooks/rbac.yml, and use the kubeconfig it writes",
        command="kubectl auth can-i --list -n {namespace}",
    ),
    Signature(
        "NOKUBEVIRT",
        r"could not find the requested resource|404 page not found|no matches for kind",
        "the API does not know virtual machines",
        "install KubeVirt, for example with the role kubevirt",
        sources=(API,),
        command="kubectl api-resources --api-group=kubevirt.io",
    ),
    DELETED,
    CORDONED,
    NOT_FIT,
    TAINTED,
    Signature(
        "NOKVM",
        r"Insufficient devices\.kubevirt\.io/(?P<device>[\w-]+)",
        "node {node} offers no /dev/{device} to virtual machines",
        "switch virtualization on in the node's BIOS and load kvm_intel; then restart the node's virt-handler",
        final=False,
        sources=_SCHEDULER,
        command=ALLOCATABLE,
    ),
    Signature(
        "MEMORY",
        r"Insufficient (?:memory|hugepages)",
        "node {node} has not enough free memory for {what}",
        "free memory there, or ask for less (the test: qat_test_vm_memory); a virtual machine with VFs takes about "
        "1 GiB more than its guest",
        final=False,
        sources=_SCHEDULER,
        command=_NODE,
    ),
    Signature(
        "CPU",
        r"Insufficient cpu",
        "node {node} has not enough free CPU for {what}",
        "free CPU there",
        final=False,
        sources=_SCHEDULER,
        command=_NODE,
    ),
    Signature(
        "FULL",
        r"Insufficient [\w.-]+/[\w.-]+|devices unavailable for [\w.-]+/[\w.-]+",
        "node {node} has not enough free VFs of {resource}",
        "stop something that has a VF; the report's node table shows who has each",
        final=False,
        command=_NODE,
    ),
    Signature(
        "CORDON",
        r"node\(s\) were unschedulable",
        "nodes that could run {what} are cordoned",
        "kubectl uncordon a node that is to run it",
        sources=_SCHEDULER,
        unpinned=True,
        command="kubectl get nodes",
    ),
    Signature(
        "TAINT",
        r"had untolerated taint",
        "nodes that could run {what} have taints that it does not tolerate",
        "add a toleration, or remove the taint",
        sources=_SCHEDULER,
        unpinned=True,
        command="kubectl get nodes -o custom-columns=NAME:.metadata.name,TAINTS:.spec.taints",
    ),
    NO_HANDLER,
    Signature(
        "AFFINITY",
        r"didn't match (?:Pod's )?node (?:affinity|selector)",
        "no node fits the node selector and the affinity of {what}; the one it is for: {node}",
        "compare the pod's nodeSelector and affinity with the node's labels",
        final=False,
        sources=_SCHEDULER,
        command="kubectl get node {node} --show-labels",
    ),
    Signature(
        "IMAGE",
        r"InvalidImageName|ErrImageNeverPull|(?:ErrImagePull|ImagePullBackOff|Failed to pull image).*"
        r"(?:not found|manifest unknown|unauthorized|denied|forbidden)",
        "an image cannot be pulled, and trying again will not help",
        "correct the image (of the test: qat_test_vm_container_disk, qat_test_vm_kernel_boot, qat_test_vm_pod_image), "
        "or give the node the right to pull it",
    ),
    Signature(
        "IMAGE",
        r"ErrImagePull|ImagePullBackOff|Failed to pull image|RegistryUnavailable",
        "an image cannot be pulled",
        "check that the node reaches the registry, or name an image of a mirror (of the test: "
        "qat_test_vm_container_disk, qat_test_vm_kernel_boot, qat_test_vm_pod_image)",
        final=False,
    ),
    Signature(
        "VFIOCDEV",
        r"/dev/vfio/devices/vfio\d+\"?: no such file|lstat /dev/vfio/devices",
        "KubeVirt 1.9 hands out a VFIO character device that the kernel of the node does not make",
        "take KubeVirt 1.8, or a kernel with CONFIG_VFIO_DEVICE_CDEV",
        command="kubectl get node {node} -o wide",
    ),
    Signature(
        "VFIOBUSY",
        r"vfio.*Device or resource busy|/dev/vfio/\d+.*(?:EBUSY|busy)",
        "another process has the VF open already",
        "stop that process (the report's node table names it), and let only one device plugin advertise the node's VFs",
        command=ALLOCATABLE,
    ),
    Signature(
        "GROUP",
        r"group \d+ is not viable",
        "the VF shares its IOMMU group with a device that has another driver",
        "see the IOMMU groups on the node: the PCIe port needs ACS, or the other device has to be on vfio-pci, too",
        command=_NODE,
    ),
    Signature(
        "MEMLOCK",
        r"cannot limit locked memory|VFIO_MAP_DMA|vfio.*Cannot allocate memory",
        "the guest's memory cannot be locked, which VFIO needs",
        "request as much memory as the guest has; KubeVirt 1.8.1 and 1.8.2 limit it too low with several VFs, so take "
        "1.8.3",
        command=_KUBEVIRT,
    ),
    Signature(
        "MEMORY",
        r"OOMKilled",
        "the node's kernel killed {what} because it used more memory than it may",
        "give it more memory (the test: qat_test_vm_memory)",
        sources=(POD,),
    ),
    Signature(
        "MEMORY",
        r"Out of memory: Killed|System is deadlocked on memory|Initramfs unpacking failed: write error",
        "the guest has too little memory",
        "give it more memory (the test: qat_test_vm_memory)",
        sources=(CONSOLE,),
    ),
    Signature(
        "GUEST",
        r"Kernel panic - not syncing",
        "the guest's kernel panicked",
        "take another image, or other kernel arguments",
        sources=(CONSOLE,),
    ),
)
"""All known causes. The first that fits counts: it causes those below it, or is more certain than they are."""
