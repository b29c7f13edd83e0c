"""`twokey verify`: check a release, any signed document, a PDF or a QR code, from its file alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twokey.cli.desk_door import show_reasons
from twokey.cli.errors import UserError

if TYPE_CHECKING:
    from twokey.desk.papers.checking import PaperProof
    from twokey.desk.proof import Proof
    from twokey.desk.signing.keyring import KeyRing

_LINES = ("type", "number", "order", "issued_at", "valid_until")


@click.command()
@click.argument("file")
@click.option("--keys", type=click.Path(path_type=Path), help="Public keys (`twokey keys export`).")
@click.option(
    "--extract",
    type=click.Path(path_type=Path),
    help="Write the first signed document of a PDF or a code to this file.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def verify(file: str, keys: Path | None, extract: Path | None, form: str) -> None:
    """Check a release, or any signed document, from its file alone: no database, no network (exit 1 where it fails).

    FILE is a signed document (JSON), a PDF that Twokey wrote, or a file with the text of a QR code; the text itself,
    beginning with TWOKEY1:, is taken as well.
    """
    from twokey.desk.papers.qr import DIGEST, WHOLE, BadCode, unpack
    from twokey.desk.proof import check

    name, content = _read(file)
    if content.startswith(b"%PDF"):
        _pdf(name, content, keys, extract, form)
        return
    ring = _ring(keys)
    start = content.lstrip()[:20]
    if start.startswith((WHOLE.encode(), DIGEST.encode())):
        try:
            document: object = unpack(content.decode("ascii", "replace").strip("\r\n"))
        except BadCode as error:
            raise UserError(f"{name}: {error.reason.en}") from None
    else:
        try:
            document = json.loads(content)
        except ValueError as error:
            raise UserError(
                f"{name}: not a PDF, not JSON, not the text of a code ({error}); "
                "`twokey release show --out FILE` and `twokey release paper --out FILE` write a release"
            ) from None
    _extract(document, extract)
    _one(name, check(document, ring), form)


def _read(file: str) -> tuple[str, bytes]:
    if file.startswith("TWOKEY"):
        return "the code", file.encode("utf-8", "replace")
    path = Path(file)
    try:
        return file, path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None


def _ring(keys: Path | None) -> KeyRing:
    from twokey.desk.signing.keyring import KeyRing

    if keys is None:
        raise UserError(
            "--keys KEYS.json is missing: signatures are checked against public keys (`twokey keys export`)"
        )
    return KeyRing.load(keys)


def _extract(document: object, to: Path | None) -> None:
    if to is not None:
        try:
            to.write_text(json.dumps(document, indent=1), encoding="utf-8")
        except OSError as error:
            raise UserError(f"{to}: cannot be written: {error.strerror}") from None


def _one(name: str, proof: Proof, form: str) -> None:
    if form == "json":
        click.echo(json.dumps(_plain(proof), ensure_ascii=False, indent=1))
    elif proof.holds:
        click.secho(f"{name}: genuine. / 真实有效。", fg="green")
        _body(proof)
    else:
        click.secho(f"{name}: NOT proven. / 未能证实。", fg="red")
        show_reasons(proof.reasons, good="")
    if not proof.holds:
        raise click.exceptions.Exit(1)


def _pdf(name: str, content: bytes, keys: Path | None, extract: Path | None, form: str) -> None:
    from twokey.desk.papers.checking import check_pdf
    from twokey.desk.signing.keyring import KeyRing

    paper = check_pdf(content, KeyRing.load(keys) if keys else KeyRing({}))
    if keys is None and paper.documents:
        _ring(keys)
    if extract is not None:
        if paper.record is None or not paper.record.documents:
            raise UserError(f"{name}: it holds no signed document to extract")
        _extract(dict(paper.record.documents[0]), extract)
    if form == "json":
        click.echo(json.dumps(_plain_paper(paper), ensure_ascii=False, indent=1))
    else:
        _say_paper(name, paper)
    if not paper.holds:
        raise click.exceptions.Exit(1)


def _say_paper(name: str, paper: PaperProof) -> None:
    unsigned = paper.record is not None and not paper.documents
    if paper.holds and unsigned:
        click.secho(f"{name}: unaltered; nobody signed it. / 未被改动；该文件无签名。", fg="green")
        click.echo("The pages are those of the figures inside, byte for byte. / 页面与内附数据逐字节一致。")
    elif paper.holds:
        click.secho(f"{name}: genuine. / 真实有效。", fg="green")
        click.echo("The pages are those of the signed documents, byte for byte. / 页面与已签名文件逐字节一致。")
    else:
        click.secho(f"{name}: NOT proven. / 未能证实。", fg="red")
        show_reasons(paper.reasons, good="") if paper.reasons else None
    for proof in paper.documents:
        if proof.holds:
            _body(proof)
        else:
            show_reasons(proof.reasons, good="")


def _body(proof: Proof) -> None:
    click.echo(f"signed by {' and '.join(proof.signed_by)}")
    for member in _LINES:
        if member in proof.body:
            click.echo(f"{member.replace('_', ' ')}: {proof.body[member]}")
    for line in proof.body.get("shipment", {}).get("lines", []):
        click.echo(f"{line.get('units')} × {line.get('item')}   under {line.get('export')} and {line.get('import')}")
    for note in proof.notes:
        click.secho(f"note: {note.en} / {note.zh}", fg="yellow")


def _plain(proof: Proof) -> dict[str, Any]:
    return {
        "holds": proof.holds,
        "signed_by": list(proof.signed_by),
        "reasons": [each.as_dict() for each in proof.reasons],
        "notes": [each.as_dict() for each in proof.notes],
        "body": dict(proof.body),
    }


def _plain_paper(paper: PaperProof) -> dict[str, Any]:
    return {
        "holds": paper.holds,
        "kind": paper.record.kind if paper.record else None,
        "lang": paper.record.lang if paper.record else None,
        "reasons": [each.as_dict() for each in paper.reasons],
        "documents": [_plain(each) for each in paper.documents],
        "statement": dict(paper.record.statement) if paper.record else {},
    }
