# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes secrets from data and logs, so that a stranger may read them. Pure.

A secret is recognized by its name (``password``, ``API_KEY``), by its place (user data of a virtual machine, data of a
Secret) or by its form (private keys, tokens, vaults). In doubt a value is removed, even if it is harmless. Where a
value was, there is ``<removed: what>``. Addresses, uids, versions and hashes stay. Redacting redacted data changes
nothing.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_MARK = re.compile(r"<removed: [\w .-]+>")

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_ABOUT = re.compile(
    "algo|algorithms?|audience|class|count|dir|directory|enabled|endpoint|expiration|expired|expires|expiry|files?|format|"
    "host|kind|length|limit|mode|names?|namespace|paths?|policy|port|provider|reason|refs?|required|seconds|selector|size|"
    "source|state|status|time|timeout|timestamp|ttl|types?|uri|url|usage|version|webhook"
)
"""Last words of names whose value is about a secret, but is none: secretName, tokenExpirationSeconds, passwordFile."""
_KEY_OF = (
    "access|account|aes|api|auth|client|crypt|decrypt|decryption|deploy|dsa|ecdsa|ed|encrypt|encryption|hmac|kms|"
    "license|luks|master|priv|private|rsa|secret|server|session|shared|sign|signing|ssl|storage|tls|vault|wg|wireguard"
)
"""Words before "key" that make it a secret one; the values of topologyKey, serviceKey or "key" alone are no secrets."""
_NAMES = tuple(
    (what, re.compile(pattern))
    for what, pattern in (
        ("cloud-init data", r"(?:^|-)(?:user|network)-?data(?:-base(?:-64)?)?$"),
        ("password", r"passw|passphrase|passcode|(?:^|-)(?:pwd|pass|pw|psk)(?:$|-)|(?<!by)(?<!com)pass$|rootpw"),
        ("credential", r"credential|(?:^|-)creds?(?:$|-)|authorization|(?:^|-)cookies?(?:$|-)|certificate-data$"),
        ("token", r"tokens?(?:$|-)|bearer"),
        ("secret", r"secret"),
        (
            "key",
            rf"(?:{_KEY_OF})-?(?:\d+-)?keys?(?:-(?:data|id|value|pem|base|material|64))*$|(?:api|private|ssh)keys?|"
            r"(?:^|-)ssh-(?:\w+-)*keys?(?:$|-)",
        ),
    )
)
"""Kinds of secrets, with the pattern of their names (the words joined with "-"). The first that fits counts."""
_ANY_KEY = re.compile(r"(?:^|-)keys?(?:$|-)")
_COUNTED = ("pass", "tokens", "secrets", "keys", "credentials", "cookies")
"""Last words of names with which a number is a count, and no secret."""
_COPIES = {
    "managedFields": "managedFields",
    "kubectl.kubernetes.io/last-applied-configuration": "last-applied-configuration",
}
"""Keys whose whole value is removed, because it is a copy of the rest of the object."""
_NOTHING = frozenset(("", "true", "false", "null", "nil", "<nil>", "none", "~", "yes", "no"))
"""Values that are no secrets whatever their name is."""


def redact(value: Any) -> Any:
    """A copy of plain data without its secrets."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, Mapping):
        return _mapping(value)
    if isinstance(value, (list, tuple)):
        return _sequence(value)
    return value


def redact_text(text: str) -> str:
    """A log, a file or any other text without its secrets. JSON (the whole text, or within a line) is taken as data."""
    if _JSON_START.match(text.lstrip()):
        text = _clean_json(text)
    text = "\n".join(_clean_json(line) for line in text.split("\n"))
    for pattern, replacement in _FORMS:
        text = pattern.sub(replacement, text)
    for pattern in (_VARIABLE, _PAIR, _FLAG):
        text = "".join(_without_values(text, pattern))
    return text


@lru_cache(maxsize=1000)
def secret_name(name: str) -> str | None:
    """The kind of secret that a value of this name is, None for none."""
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words or _ABOUT.fullmatch(words[-1]):
        return None
    joined = "-".join(words)
    for what, pattern in _NAMES:
        if pattern.search(joined):
            return what
    # A name in capitals is that of an environment variable.
    return "key" if name.isupper() and _ANY_KEY.search(joined) else None


def _mark(what: str) -> str:
    return f"<removed: {what}>"


# -- data --------------------------------------------------------------------------------------------------------------


def _mapping(value: Mapping[Any, Any]) -> dict[Any, Any]:
    kind, name = value.get("kind"), value.get("name")
    variable = secret_name(name) if isinstance(name, str) else None
    found: dict[Any, Any] = {}
    for key, item in value.items():
        if key in _COPIES:
            found[key] = _mark(_COPIES[key])
        elif kind == "Secret" and key in ("data", "stringData"):
            found[key] = _emptied(item)
        elif kind == "SecretList" and key == "items" and isinstance(item, (list, tuple)):
            found[key] = [_listed_secret(secret) for secret in item]
        elif key == "value" and variable:
            found[key] = _hidden(item, variable, str(name))
        else:
            what = secret_name(key) if isinstance(key, str) else None
            found[redact(key)] = _hidden(item, what, key) if what else redact(item)
    return found


def _emptied(data: Any) -> Any:
    """The data of a Secret with its keys only."""
    return {redact(key): _mark("Secret data") for key in data} if isinstance(data, Mapping) else _mark("Secret data")


def _listed_secret(secret: Any) -> Any:
    """A Secret of a SecretList; the items of a list do not have a kind of their own."""
    if not isinstance(secret, Mapping):
        return redact(secret)
    return {key: item for key, item in _mapping({**secret, "kind": "Secret"}).items() if key != "kind"}


def _hidden(value: Any, what: str, name: str) -> Any:
    """A secret value as a mark. A mapping or list keeps its form, because ``secret`` is also a kind of volume."""
    if isinstance(value, Mapping):
        return _mapping(value)
    if isinstance(value, (list, tuple)):
        return [_hidden(item, what, name) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value if value.lower() in _NOTHING or _MARK.fullmatch(value) else _mark(what)
    return value if _last_word(name) in _COUNTED else _mark(what)


def _sequence(value: list[Any] | tuple[Any, ...]) -> list[Any]:
    """A list. In a list of arguments, the item after --password is a password."""
    found: list[Any] = []
    flag = None
    for item in value:
        if flag and isinstance(item, str) and not item.startswith("-"):
            found.append(_hidden(item, flag, ""))
        else:
            found.append(redact(item))
        flag = secret_name(item) if isinstance(item, str) and re.fullmatch(r"--?[\w.-]+", item) else None
    return found


def _last_word(name: str) -> str:
    words = _WORDS.findall(name)
    return words[-1].lower() if words else ""


# -- secrets in text by their form -------------------------------------------------------------------------------------


def _clean_json(text: str) -> str:
    """A text with redacted JSON in it: objects, lists, and strings that have quotes or line breaks in them."""
    pieces: list[str] = []
    done = at = failures = 0
    while failures < _JSON_FAILURES and (start := _JSON_START.search(text, at)):
        try:
            data, end = _DECODER.raw_decode(text, start.start())
        except (ValueError, RecursionError):
            failures += 1
            at = start.end()
            continue
        at = end
        # A string without escapes is redacted with the text around it.
        clean = data if isinstance(data, str) and "\\" not in text[start.start() : end] else redact(data)
        if clean != data:
            pieces += [text[done : start.start()], json.dumps(clean, ensure_ascii=False)]
            done = end
    return "".join([*pieces, text[done:]])


def _after_head(what: str) -> Callable[[re.Match[str]], str]:
    """A replacement that keeps the first group of a match and puts a mark after it."""
    return lambda match: match.group(1) + _mark(what)


def _cookie(match: re.Match[str]) -> str:
    """A cookie header without its values. The name of a secret right behind them stays: by it that secret is found."""
    following = _NEXT_NAME.search(match.group(2))
    named = following and secret_name(following.group().strip(",;&|({[\\\"':="))
    return match.group(1) + _mark("credential") + (following.group() if following and named else "")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _encoded_pem(match: re.Match[str]) -> str:
    """A PEM in base64, as in a kubeconfig: a private key as a mark; a certificate stays."""
    return _mark("private key") if b"PRIVATE KEY" in _decoded(match.group()[:80]) else match.group()


def _basic(match: re.Match[str]) -> str:
    """HTTP's user:password in base64 as a mark; other words after "basic" stay ("basic education")."""
    return match.group(1) + _mark("password") if b":" in _decoded(match.group(2)) else match.group()


_QUOTE = r"\\*[\"']"
_DECODER = json.JSONDecoder(strict=False)
_JSON_START = re.compile(r'[{\["]')
_JSON_FAILURES = 100
"""Times that a text may look like JSON and be none. Each may take time in proportion to the whole text."""

_BEGIN, _END = (rf"-----{word} (?:[A-Z0-9]+ )*PRIVATE KEY-----" for word in ("BEGIN", "END"))
_BASE64 = r"[A-Za-z0-9+/_-]"
_NO_PAIR = r"(?![\w./-]+[:=][^\s=])"
"""Not followed by a name with a value of its own."""
_SAID_OF_BEARER = r"tokens?|auth\w*|credentials?|scheme|realm\b\S*|is|was|not|and|or|for|in"

_FORMS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    # Long logs are cut: a key may lack its end or its beginning.
    (re.compile(rf"{_BEGIN}.*?(?:{_END}|\Z)", re.DOTALL), _mark("private key")),
    (re.compile(rf"\A(?:(?!{_BEGIN}).)*?{_END}", re.DOTALL), _mark("private key")),
    (re.compile(r"LS0tLS1CRUdJTi[A-Za-z0-9+/]*=*"), _encoded_pem),
    (re.compile(r"\$ANSIBLE_VAULT;[^\s\\\"']+(?:(?:\s|\\[nrt])+[0-9a-f]{2,}(?![^\s\\\"']))*"), _mark("vault")),
    # A JWT, and a JWT in base64, as in the data of a Secret
    (re.compile(r"(?<![\w-])eyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)*"), _mark("JWT")),
    (re.compile(rf"(?<![\w+/-])ZXlK{_BASE64}{{20,}}=*"), _mark("JWT")),
    # A token of OpenShift
    (re.compile(r"(?<![\w~])sha256~[\w-]{16,}"), _mark("token")),
    (
        re.compile(
            r"(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-nistp\d+|sk-[a-z0-9@.-]+)[ \t]+AAAA[\w+/=]+"
            rf"(?:[ \t]+{_NO_PAIR}[\w.@-]+)?"
        ),
        _mark("ssh key"),
    ),
    (re.compile(r"\$(?:[156y7]|2[abxy]|gy|argon2\w+)\$[./\w=$,+-]{12,}"), _mark("password hash")),
    (re.compile(r"(://[^\s/:@\"<>\\]*:)[^\s/\"<>\\]+(?=@)"), _after_head("password")),
    (re.compile(r"([?&](?:X-Amz-)?Sig(?:nature)?=)[^&,;\s\"'<>\\]+", re.IGNORECASE), _after_head("signature")),
    (
        re.compile(
            rf"(\bauthorization(?:{_QUOTE})?[ \t]*[:=][ \t]*(?:{_QUOTE}|\[)*)[A-Za-z]+[ \t]+{_NO_PAIR}[\w.~+/-]+=*",
            re.IGNORECASE,
        ),
        _after_head("credential"),
    ),
    (
        re.compile(
            r"(\bcookie:[ \t]*)([^\s;,=:\"'<]+=[^\s;]*(?:;[ \t]*[\w-]+(?:=[^\s;,\"'\[]+)?(?=[;\s]|$))*;?)",
            re.IGNORECASE,
        ),
        _cookie,
    ),
    (re.compile(r"(\bbasic[ \t]+)([A-Za-z0-9+/]{4,}={0,2})(?![\w+/])", re.IGNORECASE), _basic),
    (
        re.compile(rf"(\bbearer[ \t]+)(?!(?:{_SAID_OF_BEARER})\b){_NO_PAIR}[\w.~+/-]+=*", re.IGNORECASE),
        _after_head("bearer token"),
    ),
)

# -- secrets in text by their name -------------------------------------------------------------------------------------

_HINT = (
    "(?:pass|pwd|pw|psk|secret|token|cred|key|cookie|authorization|bearer|certificate-data|"
    r"user[-_]?data|network[-_]?data)[\w./-]{0,80}"
)
"""The part of a name that makes it worth a look, and the rest of the name.

The rest is bounded, and the beginning of the name is not part of the pattern, so that a long text without spaces does
not take time in proportion to the square of its length."""
_PAIR = re.compile(rf"{_HINT}(?P<close>{_QUOTE})?(?P<between>[ \t]*(?::=|=>|[:=])[ \t]*)", re.IGNORECASE)
"""A name, and what is between the name and its value."""
_VARIABLE = re.compile(
    rf"{_HINT}(?P<close>{_QUOTE})?(?P<between>[ \t]*,?\s*(?:{_QUOTE})?\bvalue(?:{_QUOTE})?[ \t]*[:=][ \t]*)",
    re.IGNORECASE,
)
"""An environment variable in a manifest, or as Go prints it: the value is that of the key ``value`` behind the name."""
_FLAG = re.compile(rf"{_HINT}(?P<between>[ \t]+|{_QUOTE},\s*)(?![-=:<\s])", re.IGNORECASE)
"""A flag of a command line, with its value behind a space or as the next item of a list."""

_NAME_BEFORE = re.compile(rf"(?P<open>{_QUOTE})?(?P<head>[\w./-]*)\Z")
_VARIABLE_BEFORE = re.compile(rf"\bname(?:{_QUOTE})?[ \t]*[:=][ \t]*(?:{_QUOTE})?\Z", re.IGNORECASE)
_LONGEST_NAME = 200

_MARKS = re.compile(r"""(?:<removed: [\w .-]+>|[,;&)\]}"'\\])+""")
_BLOCK = re.compile(r"[|>][0-9+-]*[ \t]*(?:#.*)?\n")
_SCALARS = re.compile(r"\[[^\[\]{}\n]*\]")
_STRUCTURE = re.compile(rf"&?[\w.*]*\{{\s*(?:\}}|(?:{_QUOTE})?[\w./-]+(?:{_QUOTE})?\s*[:=])|\{{?\s*$|\[\s*[\[{{]|\[$")
"""The beginning of a value that is a structure; the names in the structure are looked at next."""
_SENTENCE = re.compile(
    r"(?:a|an|can|cannot|context|could|dial|error|failed|failure|get|invalid|is|key|missing|no|not|open|post|read|request|"
    r"rpc|secrets?|the|tokens?|unable|unexpected|unknown|user|was|write)[:,]? ",
    re.IGNORECASE,
)
"""The beginning of a sentence that is no value, as errors go on behind "fetch token: "."""
_WORD = re.compile(r"""(?:<removed: [\w .-]+>|[=:]\\*(["'])(?:(?!\1)[^\n])*\1?|\S)*""")
"""A word up to a space that is not within a mark, nor within the value of a next pair: token=a,password="b c"."""
_NEXT_NAME = re.compile(r"(?:[,;&|({\[]|\\*[\"'])+[\w./-]+\\*[\"']?[:=]+\Z")
"""At the end of such a word, a name whose value stands behind the space."""
_LINE_START = re.compile(r"[ \t]*(?:(?:-|\+|export|set|env)[ \t]+)*")


@dataclass(frozen=True)
class _Named:
    """The name of a secret in a text.

    ``what``: the kind of secret. ``begin``: where the name begins, ``start``: where its value begins; ``between``: the
    text between name and value. ``within``: the quote that stands before the name and not behind it, so that name and
    value are within quotes. ``close``: whether a quote stands behind the name. ``flag``: whether the name is a flag of
    a command line.
    """

    name: str
    what: str
    begin: int
    start: int
    within: str
    close: bool
    between: str
    flag: bool


def _find(text: str, match: re.Match[str], pattern: re.Pattern[str]) -> _Named | None:
    """The secret whose name ends with ``match``; None where the name is none of a secret."""
    before = text[max(0, match.start() - _LONGEST_NAME) : match.start()]
    found = _NAME_BEFORE.search(before)
    if found is None:
        return None
    name = found["head"] + match.group()[: match.start("between") - match.start()].rstrip("\\\"'")
    what = secret_name(name)
    flag, variable = pattern is _FLAG, pattern is _VARIABLE
    if what is None or (flag and not name.startswith("-")):
        return None
    if variable and not _VARIABLE_BEFORE.search(before[: found.start("head")]):
        return None
    between, close = match["between"], None if flag else match["close"]
    if between == ":" and not close and what != "password" and not re.fullmatch(r"\w+", name):
        return None  # the name and the tag of an image
    begin = match.start() - len(found["head"])
    return _Named(name, what, begin, match.end(), "" if close else found["open"] or "", bool(close), between, flag)


def _without_values(text: str, pattern: re.Pattern[str]) -> Iterator[str]:
    """The pieces of the text, with marks in the place of the values of secrets."""
    done = at = 0
    while match := pattern.search(text, at):
        at = match.end()
        secret = _find(text, match, pattern)
        if secret is None:
            continue
        end = _value_end(text, secret)
        if _is_value(text[at:end], secret.name):
            quote = _opening(text, at)
            yield text[done:at]
            yield quote + _mark(secret.what) + quote
            done = at = end
    yield text[done:]


def _opening(text: str, at: int) -> str:
    """The quote at a place, with the backslashes before it; empty where there is none."""
    found = re.compile(_QUOTE).match(text, at)
    return found.group() if found else ""


def _is_value(value: str, name: str) -> bool:
    quote = _opening(value, 0)
    bare = value[len(quote) :]
    bare = (bare[: -len(quote)] if quote and bare.endswith(quote) else bare).strip()
    rest = bare.rstrip(",;)]}&\"'\\")
    if _MARKS.fullmatch(bare) or rest.lower() in _NOTHING or re.match(r"(?:nil|<nil>)[,;)\]}]", bare):
        return False
    return not (_last_word(name) in _COUNTED and re.fullmatch(r"[\d.]+", rest))


def _value_end(text: str, secret: _Named) -> int:
    """Where the value of a secret ends; where it begins, if there is no value. In doubt the end is too late."""
    start = secret.start
    line_end = _line_end(text, start)
    if mark := _MARK.match(text, start):
        return _word_end(text, mark.end())
    if _opening(text, start):
        return _quoted_end(text, start)
    if secret.within:  # "name=some words"
        closing = re.compile(rf"(?<!\\){re.escape(secret.within)}").search(text, start, line_end)
        return closing.start() if closing else line_end
    if block := _BLOCK.match(text, start):
        return _block_end(text, secret.begin, block.end())
    if scalars := _SCALARS.match(text, start):
        return _word_end(text, scalars.end())
    if _STRUCTURE.match(text[start:line_end]) or (secret.between.endswith(": ") and _SENTENCE.match(text, start)):
        return start
    before = text[text.rfind("\n", 0, secret.begin) + 1 : secret.begin]
    # A value may have spaces where name and value fill a line, or where it is a password. Elsewhere, what stands behind
    # a space is the rest of a sentence.
    alone = "\n" in secret.between or (not secret.flag and _LINE_START.fullmatch(before))
    return line_end if alone or (secret.what == "password" and secret.between == ": ") else _word_end(text, start)


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end


def _word_end(text: str, start: int) -> int:
    found = _WORD.match(text, start)
    end = found.end() if found else start
    next_name = _NEXT_NAME.search(text, start, end)
    return next_name.start() if next_name else end


def _quoted_end(text: str, start: int) -> int:
    """The end of a value in quotes; the end of the line where the quotes are not closed."""
    quote = _opening(text, start)
    # Quotes within the value have more backslashes than the quotes around it.
    inside = r"(?:\\.|[^\\])*?" if len(quote) == 1 else r".*?(?<!\\)"
    closed = re.compile(inside + re.escape(quote), re.DOTALL).match(text, start + len(quote))
    return closed.end() if closed else _line_end(text, start)


def _block_end(text: str, name: int, start: int) -> int:
    """The end of a block of YAML: of the lines that are indented deeper than its name."""
    line = text[text.rfind("\n", 0, name) + 1 :]
    depth = len(line) - len(line.lstrip(" "))
    deeper = re.compile(rf"(?: {{{depth + 1},}}[^\n]*(?:\n|\Z)|[ \t]*\n)*").match(text, start)
    end = deeper.end() if deeper else start
    return end - 1 if end > start and text[end - 1] == "\n" else end
