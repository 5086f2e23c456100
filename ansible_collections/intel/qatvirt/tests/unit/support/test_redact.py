# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets do not come out, whatever they stand in; everything else comes out as it was."""

from __future__ import annotations

import base64
import json
import re
import string
import time
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ansible_collections.intel.qatvirt.plugins.module_utils.support.redact import redact, redact_text

settings.register_profile("redact", deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("redact")


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


# What nobody would take for a word of the text around it.
words = st.text(string.ascii_letters + string.digits, min_size=12, max_size=20).map(lambda text: f"Zq7{text}")
awkward = st.tuples(words, st.sampled_from("!#%+,;.*^~)]}=/?-_@"), words).map("".join)
phrases = st.tuples(words, words).map(" ".join)
quotable = st.tuples(words, st.sampled_from(['"', "\\", '\\"', "'", "\n", "ü", "}"]), words).map("".join)
base64ish = st.text(string.ascii_letters + string.digits + "+/", min_size=30, max_size=64)

NAMES = """password token secret client-key-data client-certificate-data adminPassword DB_PASSWORD db_pass apiKey
    api_key accessToken authToken clientSecret privateKey credentials luks.passphrase psk aws_secret_access_key ssh_key
    bearerToken Authorization tls-private-key"""
VARIABLES = "DB_PASSWORD TOKEN MY_SECRET API_KEY KEY SSH_KEY_ID AWS_ACCESS_KEY_ID root_password"
names = st.sampled_from(NAMES.split())
variables = st.sampled_from(VARIABLES.split())
places = st.sampled_from(("userData", "userDataBase64", "networkData", "networkDataBase64"))


def pem(body: str) -> str:
    return f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----"


def jwt(*parts: str) -> str:
    return ".".join((encoded('{"alg":"RS256"}').rstrip("="), *parts))


#: Text with a secret in it, by that secret, whatever stands around it.
FORMS = {
    "pem": base64ish.map(lambda body: (body, pem(body))),
    "pem of openssh": base64ish.map(lambda body: (body, pem(body).replace("RSA", "OPENSSH"))),
    "pem in one line": base64ish.map(lambda body: (body, pem(body).replace("\n", "\\n"))),
    "pem in base64": base64ish.map(lambda body: (encoded(pem(body)), encoded(pem(body)))),
    "jwt": words.map(lambda word: (word, jwt(encoded(word).rstrip("="), word))),
    "jwt in base64": words.map(lambda word: (encoded(jwt(word, word)), encoded(jwt(word, word)))),
    "bearer": words.map(lambda word: (word, f"curl -H 'Authorization: Bearer {word}' https://10.0.0.1")),
    "bearer alone": words.map(lambda word: (word, f"sent bearer {word} and failed")),
    "basic": words.map(lambda word: (encoded(f"u:{word}"), f"Authorization: Basic {encoded(f'u:{word}')}")),
    "another scheme": words.map(lambda word: (word, f"request Authorization: Token {word} refused")),
    "cookie": words.map(lambda word: (word, f"got Set-Cookie: id=1; session={word}; path=/")),
    "url": awkward.filter(lambda word: not set(word) & set("/")).map(lambda word: (word, f"https://bob:{word}@host/x")),
    "query": words.map(lambda word: (word, f"GET /x?access_token={word}&y=1")),
    "signed url": words.map(lambda word: (word, f"GET /x?X-Amz-Signature={word}&y=1")),
    "openshift": words.map(lambda word: (word, f"sha256~{word}abcdefgh")),
    "vault": st.text("0123456789abcdef", min_size=40, max_size=80).map(
        lambda body: (body, f"$ANSIBLE_VAULT;1.1;AES256\n    {body}\n    {body[:7]}")
    ),
    "ssh": base64ish.map(lambda body: (body, f"ssh-ed25519 AAAA{body} me@desk")),
    "hash": words.map(lambda word: (word, f"root:$6$salt${word}:19000:")),
}
#: A name and its secret in a text.
SHAPES = {
    "=": (awkward, "starts {name}={secret}\nnext"),
    "= alone": (phrases, "one\n{name}={secret}\nnext"),
    "export": (awkward, "export {name}={secret}"),
    "=''": (phrases, "x {name}='{secret}' y"),
    "within": (phrases, 'msg="{name}={secret}" z=1'),
    ":": (words, "err: {name}: {secret} more"),
    "yaml": (phrases, "a:\n  - {name}: {secret}\nb: 1"),
    "yaml block": (phrases, "a:\n  {name}: |\n    {secret}\n\n    {secret}\nb: 1"),
    "yaml list": (words, "{name}: [{secret}, {secret}]"),
    "json": (phrases, 'x {{"a": 1, "{name}": "{secret}", "b": 2}} y'),
    "json in json": (phrases, 'x {{\\"{name}\\":\\"{secret}\\",\\"b\\":2}} y'),
    "python": (phrases, "{{'{name}': '{secret}', 'b': 2}} y"),
    "go": (words, "map[a:1 Password:{secret} b:2]"),
    "flag =": (awkward, "run --{name}={secret} --v=2"),
    "flag": (words, "run --{name} {secret} --v=2"),
}
VARIABLE_SHAPES = {
    "yaml": (phrases, "env:\n- name: {name}\n  value: {secret}\n- name: X"),
    "yaml in quotes": (phrases, '- name: "{name}"\n  value: "{secret}"\n- name: X'),
    "json": (phrases, 'x {{"name":"{name}","value":"{secret}"}},'),
    "json in json": (phrases, 'x {{\\"name\\": \\"{name}\\", \\"value\\": \\"{secret}\\"}},'),
    "go": (words, "EnvVar{{Name:{name},Value:{secret},ValueFrom:nil,}}"),
}

planted_texts = st.one_of(
    *FORMS.values(),
    *(
        st.tuples(of, secrets, st.just(text)).map(lambda it: (it[1], it[2].format(name=it[0], secret=it[1])))
        for of, shapes in ((names, SHAPES), (variables, VARIABLE_SHAPES))
        for secrets, text in shapes.values()
    ),
)
named_secrets = st.one_of(words, awkward, phrases, quotable)
planted_data = st.one_of(
    planted_texts,
    st.tuples(names, named_secrets).map(lambda it: (it[1], {it[0]: it[1]})),
    st.tuples(names, named_secrets).map(lambda it: (it[1], {it[0]: [it[1], [it[1]]]})),
    st.tuples(names, named_secrets).map(lambda it: (it[1], {"volumes": [{it[0]: {it[0]: it[1]}}]})),
    st.tuples(variables, named_secrets).map(lambda it: (it[1], {"name": it[0], "value": it[1]})),
    st.tuples(names, words).map(lambda it: (it[1], ["run", f"--{it[0]}", it[1], "-v"])),
    st.tuples(places, named_secrets).map(lambda it: (it[1], {"cloudInitNoCloud": {it[0]: f"#cloud-config\n{it[1]}"}})),
    named_secrets.map(lambda it: (it, {"kind": "Secret", "data": {"any": it}, "stringData": {"other": it}})),
    named_secrets.map(lambda it: (it, {"kind": "SecretList", "items": [{"data": {"any": it}}]})),
    named_secrets.map(lambda it: (it, {"managedFields": [{"manager": it}]})),
    named_secrets.map(
        lambda it: (it, {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": f"any {it}"}})
    ),
)

keys = st.sampled_from(("metadata", "spec", "items", "a", "b-c", "message", "pfs"))


@st.composite
def nested(draw: st.DrawFn, inner: st.SearchStrategy[tuple[str, Any]]) -> tuple[str, Any]:
    """A secret and data with it in it, deep in lists, mappings, JSON in strings and log lines."""
    secret, value = draw(inner)
    for wrap in draw(st.lists(st.sampled_from(("list", "dict", "json", "line", "lines")), max_size=5)):
        if wrap == "list":
            value = [1, value, None, "x"]
        elif wrap == "dict":
            value = {draw(keys): value, "other": "0000:6b:00.0"}
        elif wrap == "json":
            value = json.dumps(value)
        elif isinstance(value, str):
            # A line of a log has no line breaks but in quotes.
            text = json.dumps({"msg": value}) if "\n" in value else value
            value = f"2026-11-25T04:00:00Z pod/a: {text}" if wrap == "line" else f"first\n{text}\nlast 0000:6b:00.0"
    return secret, value


def written(value: Any) -> str:
    """All there is to read in a value, with and without what JSON does to quotes."""
    if isinstance(value, dict):
        return "\n".join(written(part) for pair in value.items() for part in pair)
    if isinstance(value, (list, tuple)):
        return "\n".join(written(part) for part in value)
    return str(value)


def leaks(secret: str, value: Any) -> bool:
    """Whether any part of a secret that is longer than a word of language can be read."""
    text = written(value)
    parts = [part for part in re.split(r"[^A-Za-z0-9+/=~.-]+", secret) if len(part) >= 12] or [secret]
    return any(form in text for part in parts for form in (part, encoded(part)))


@given(nested(planted_data))
def test_whatever_is_planted_does_not_come_out(planted: tuple[str, Any]) -> None:
    secret, value = planted
    clean = redact(value)
    assert not leaks(secret, clean), clean
    assert "<removed: " in written(clean)
    assert redact(clean) == clean


@given(planted_texts, planted_texts, st.sampled_from((" ", ",", "; ", "&", "\n", ", ")))
@example(
    ("Zq7000000000000", "got Set-Cookie: id=1; session=Zq7000000000000; path=/"),
    ("Zq7000000000001", "password: [Zq7000000000001, Zq7000000000001]"),
    "&",
)
def test_two_secrets_in_one_text_are_both_gone(one: tuple[str, str], other: tuple[str, str], between: str) -> None:
    clean = redact_text(f"{one[1]}{between}{other[1]}\n{one[1]}")
    assert not leaks(one[0], clean), clean
    assert not leaks(other[0], clean), clean
    assert redact_text(clean) == clean


TRIGGERS = re.compile(
    r"pass|pwd|pw|psk|secret|token|cred|key|auth|bearer|basic|cookie|data|eyj|zxlk|ls0t|begin|vault|ssh|ecdsa|sk-|sha256~|"
    r"\$|@|sig|managedfields|last-applied",
    re.IGNORECASE,
)
harmless_text = st.text(max_size=40).filter(lambda text: not TRIGGERS.search(text))
harmless = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), harmless_text),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(harmless_text, inner, max_size=4),
)


@given(harmless)
def test_harmless_data_comes_out_unchanged(value: Any) -> None:
    before = deepcopy(value)
    assert redact(value) == before
    assert value == before


@given(harmless)
@example([{"a": 1.0, "b": "ü"}])
def test_harmless_json_in_a_text_comes_out_byte_for_byte(value: Any) -> None:
    for text in (json.dumps(value), json.dumps(value, indent=2), f"10:00 {json.dumps(value)}"):
        assert redact_text(text) == text


#: What an engineer reads, with words of secrets in it.
NEEDED = [
    "[   12.3] 4xxx 0000:6b:00.0: qat_dev0 started 10 acceleration engines",
    "[    0.0] Kernel command line: BOOT_IMAGE=/boot/vmlinuz root=UUID=0c8f-11 ro intel_iommu=on iommu.passthrough=0",
    "pod uid 7f1d0ad6-2f7e-4f3b-8ac1-5f14d6ad4b2e image quay.io/kubevirt/virt-handler@sha256:" + "ab" * 32,
    'E1125 reflector.go:1] "Unhandled" err="failed to list *v1.Secret: secrets is forbidden: User x cannot list"',
    'I1125 "Syncing" key="kubevirt/kubevirt" serviceKey="default/kubernetes" podKey=default/vm',
    'MountVolume.SetUp failed for volume "creds" : secret "regcred" not found',
    'Unable to authenticate the request err="invalid bearer token"',
    'FLAG: --authentication-token-webhook="true"',
    "FLAG: --service-account-private-key-file=/var/lib/x.key --authorization-mode=Node,RBAC --token-ttl=2m",
    "couldn't find key password in Secret default/db",
    "Volume{Name:v,VolumeSource:VolumeSource{Secret:nil,ConfigMap:&ConfigMapVolumeSource{Name:x}}}",
    "Secret:&SecretVolumeSource{SecretName:foo,Items:[]KeyToPath{}}",
    "registry.example/org/secrets-store:v1.2 pulled",
    'x "imagePullSecrets": [{"name": "regcred"}], "automountServiceAccountToken": false',
    "Loaded X.509 cert 'Debian Secure Boot CA: 6ccece7e4c6c0d1f6149f3dd27dfcc5cbb419ea1'",
    "Key type .fscrypt registered",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "http://10.0.0.1:8080/path quay.io:443/x@y basic education tokens: 5 keyboard: us",
    "password:\n  secretRef:\n    name: db\n    key: password",
]


@pytest.mark.parametrize("text", NEEDED)
def test_what_an_engineer_needs_stays(text: str) -> None:
    assert redact_text(text) == text


def test_objects_keep_what_speaks_about_secrets_without_being_one() -> None:
    pod = {
        "metadata": {"uid": "7f1d0ad6", "annotations": {"kubernetes.io/service-account.name": "x"}},
        "spec": {
            "automountServiceAccountToken": False,
            "imagePullSecrets": [{"name": "regcred"}],
            "tolerations": [{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}],
            "affinity": {"topologyKey": "kubernetes.io/hostname", "matchLabelKeys": ["pod-template-hash"]},
            "volumes": [
                {"name": "s", "secret": {"secretName": "db", "defaultMode": 420}},
                {"projected": {"sources": [{"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}}]}},
                {"cloudInitNoCloud": {"userDataSecretRef": {"name": "init"}, "secretRef": {"name": "init"}}},
            ],
            "containers": [
                {
                    "image": "r/i@sha256:" + "ab" * 32,
                    "env": [
                        {"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}},
                        {"name": "PCI_RESOURCE_INTEL_COM_QAT", "value": "0000:6b:00.1"},
                        {"name": "TOKEN_FILE", "value": "/run/token"},
                    ],
                    "command": ["virt-handler", "--token-file", "/run/token", "--port", "8443"],
                }
            ],
        },
    }
    assert redact(pod) == pod
    report = {"summary": {"pass": 30, "warn": 0}, "checks": [{"verdict": "pass", "id": "KEY"}]}
    assert redact(report) == report


def test_what_was_removed_is_named() -> None:
    item = {
        "kind": "Secret",
        "metadata": {
            "name": "db",
            "managedFields": [{"manager": "kubectl"}],
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "note": "x"},
        },
        "data": {"password": "aHVudGVyMg=="},
    }
    assert redact(item) == {
        "kind": "Secret",
        "metadata": {
            "name": "db",
            "managedFields": "<removed: managedFields>",
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": "<removed: last-applied-configuration>",
                "note": "x",
            },
        },
        "data": {"password": "<removed: Secret data>"},
    }
    assert redact_text("--token abc --port 1") == "--token <removed: token> --port 1"
    assert redact_text('x password="a b" y') == 'x password="<removed: password>" y'
    assert redact({"password": 1234, "tokens": 3, "pin": None}) == {
        "password": "<removed: password>",
        "tokens": 3,
        "pin": None,
    }


@pytest.mark.parametrize("cut", ["head", "tail"])
def test_a_key_that_a_log_was_cut_in_is_gone(cut: str) -> None:
    """A log's end is kept, so it may begin, and end, within a key."""
    body = [f"Zq7{number}{'A' * 50}" for number in range(4)]
    begin, end = pem("x").split("\nx\n")
    lines = [*body, end, "after 0000:6b:00.0"] if cut == "head" else ["before 0000:6b:00.0", begin, *body]
    clean = redact_text("\n".join(f"Nov 25 10:00 node x[1]: {line}" for line in lines))
    assert "Zq7" not in clean
    assert "0000:6b:00.0" in clean


def test_a_kubeconfig_keeps_where_it_leads() -> None:
    text = (
        "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0\n"
        "    server: https://10.0.0.1:6443\n  name: lab\nusers:\n- name: me\n  user:\n"
        "    client-certificate-data: LS0tLS1CRUdJTiBDRVJU\n    client-key-data: LS0tLS1CRUdJTiBSU0Eg\n"
        "    token: abc.def\n    password: correct horse\n"
    )
    clean = redact_text(text)
    for gone in ("LS0tLS1CRUdJTiBDRVJU\n", "LS0tLS1CRUdJTiBSU0Eg", "abc.def", "horse"):
        assert gone not in clean
    for kept in (
        "https://10.0.0.1:6443",
        "certificate-authority-data: LS0t",
        "client-key-data: <removed: key>",
        "name: me",
    ):
        assert kept in clean


@pytest.mark.parametrize(
    "text", ["pwKey" * 60_000, "Ab3" * 100_000, "password: " * 30_000, '{"a":' * 50_000, "\\" * 100_000]
)
def test_long_texts_take_no_long_time(text: str) -> None:
    """The time goes with the length and not with its square, which would be minutes here."""
    start = time.process_time()
    redact_text(text)
    assert time.process_time() - start < 20
