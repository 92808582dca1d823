"""account statements in the format of ISO 20022: camt.053, of any version"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from precoro_daemon.adapters.ledgers.statements import Booked, named
from precoro_daemon.adapters.spreadsheets.lines import UnreadableFile

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_STATEMENT = re.compile(r"urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.\d\d")
_DECIMAL = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_NOT_BOOKED = ("PDNG", "INFO", "FUTR")
_AMOUNTS = ("Amt", "AmtDtls/TxAmt/Amt")
_REFERENCES = ("RmtInf/Strd/RfrdDocInf/Nb", "RmtInf/Strd/CdtrRefInf/Ref", "RmtInf/Ustrd")


def read_camt(content: bytes) -> Iterator[Booked]:
    """Yields the entries in order. Raises UnreadableFile, possibly after some entries."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, iterparse

    number = 0
    try:
        for event, node in iterparse(io.BytesIO(content), events=("start", "end")):
            space, _, node.tag = node.tag.removeprefix("{").rpartition("}")
            if event == "start":
                if node.tag == "Document" and not _STATEMENT.fullmatch(space):
                    raise UnreadableFile(f"is no account statement (camt.053): its document is {space or 'unnamed'}")
            elif node.tag == "Ntry":
                number += 1
                yield from _entries(node, f"entry {number}")
                node.clear()
    except (ParseError, DefusedXmlException) as error:
        raise UnreadableFile(f"is no XML that can be read: {error}; nothing after it was read") from None
    except (LookupError, ValueError) as error:
        raise UnreadableFile(f"is XML in an encoding that cannot be read ({error}); have it sent in UTF-8") from None


@dataclass(frozen=True, slots=True)
class _Money:
    amount: Decimal
    currency: str


def _entries(entry: Element, place: str) -> Iterator[Booked]:
    status = (_text(entry, "Sts") or _text(entry, "Sts/Cd")).upper()
    if status in _NOT_BOOKED:
        yield Booked(place)
        return
    parts = entry.findall("NtryDtls/TxDtls")
    key = named(_text(entry, "AcctSvcrRef")) or (_key(parts[0]) if len(parts) == 1 else "")
    whole = _booked(entry, replace(Booked(place, key), references=_references(entry, parts[:1])))
    if status != "BOOK":
        yield replace(whole, wrong=f"the bank says that its status is {status or 'nothing'}, and not BOOK")
    elif whole.wrong or len(parts) < 2:
        yield whole
    else:
        yield from _parts(whole, parts)


def _booked(node: Element, booked: Booked) -> Booked:
    """Returns `booked` with the amount, the direction and the day of the entry, or with what is wrong."""
    money, direction = _money(node), _text(node, "CdtDbtInd")
    day = _day(node, "BookgDt") or _day(node, "ValDt")
    if money is None or direction not in ("DBIT", "CRDT") or day is None:
        return replace(booked, wrong="has no amount, direction (DBIT, CRDT) or day that can be read")
    return replace(
        booked,
        amount=money.amount,
        currency=money.currency,
        day=day,
        is_out=direction == "DBIT",
        is_reversal=_text(node, "RvslInd").lower() in ("true", "1"),
    )


def _parts(whole: Booked, parts: Sequence[Element]) -> Iterator[Booked]:
    """Yields the transactions of a batch if their amounts add up to the batch's amount."""
    found: list[Booked] = []
    keys = [_key(part) for part in parts]
    own = len(set(keys)) == len(keys) and all(keys)
    for number, part in enumerate(parts, start=1):
        money = next((money for path in _AMOUNTS if (money := _money(part, path))), None)
        if money is None or money.currency != whole.currency:
            break
        out = {"DBIT": True, "CRDT": False}.get(_text(part, "CdtDbtInd"), whole.is_out)
        key = keys[number - 1] if own else f"{whole.key}/{number}" if whole.key else ""
        references = _references(None, [part])
        place = f"{whole.place}.{number}"
        found.append(replace(whole, place=place, key=key, amount=money.amount, is_out=out, references=references))
    total = sum(one.amount if one.is_out is whole.is_out else -one.amount for one in found)
    if len(found) == len(parts) and total == whole.amount:
        yield from found
    else:
        yield replace(whole, wrong=f"its {len(parts)} transactions do not say how {whole.amount} is shared out")


def _references(entry: Element | None, parts: Sequence[Element]) -> Sequence[str]:
    found: list[str] = []
    for part in parts:
        for path in _REFERENCES:
            texts = dict.fromkeys(text for node in part.findall(path) if (text := named(node.text)))
            found += [" ".join(texts)] if texts else []
        found += [text for path in ("Refs/EndToEndId", "AddtlTxInf") if (text := named(_text(part, path)))]
    if entry is not None and (text := named(_text(entry, "AddtlNtryInf"))):
        found.append(text)
    return found


def _key(part: Element) -> str:
    return named(_text(part, "Refs/AcctSvcrRef"))


def _money(node: Element, path: str = "Amt") -> _Money | None:
    found = node.find(path)
    text = (found.text or "").strip() if found is not None else ""
    if found is None or not _DECIMAL.fullmatch(text):
        return None
    with suppress(InvalidOperation):
        return _Money(Decimal(text), found.get("Ccy", ""))
    return None


def _day(node: Element, path: str) -> date | None:
    text = _text(node, f"{path}/Dt") or _text(node, f"{path}/DtTm")
    with suppress(ValueError):
        return date.fromisoformat(text[:10])
    return None


def _text(node: Element, path: str) -> str:
    return (node.findtext(path) or "").strip()
