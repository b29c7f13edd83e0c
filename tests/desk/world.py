"""A small desk for tests: who sits where, and shortcuts to any stage of a case through the real services."""

from __future__ import annotations

import itertools
import json
import tempfile
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from django.utils import timezone

from twokey.desk.actors import Actor, Role
from twokey.desk.cases import deciding, drafting, papers, reviewing
from twokey.desk.cases.assessing import CERTIFICATIONS
from twokey.desk.cases.deciding import ConditionTerm, LineTerm, Terms
from twokey.desk.cases.drafting import LineDraft, OrderDraft
from twokey.desk.cases.models import Application, Document, Order
from twokey.desk.ledger import releasing, shipments
from twokey.desk.ledger.models import Authorisation, Release, Shipment
from twokey.desk.parties import screening, services
from twokey.desk.parties.lists import read_list
from twokey.desk.parties.models import Authority, Organisation

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
USE = "Training of research models; the domestic chips on the market do not hold the model in memory."
_counter = itertools.count(1)


def today() -> date:
    """Return the day on which the tests run."""
    return timezone.now().date()


@dataclass
class World:
    """Two authorities, an exporter, two importers, and a person in every seat."""

    export: Authority
    import_: Authority
    exporter: Organisation
    importer: Organisation
    rival: Organisation
    people: dict[str, Actor] = field(default_factory=dict)

    @classmethod
    def make(cls) -> World:
        """Set the desk up."""
        export = services.add_authority("BIS", "export", "Bureau", "工业与安全局", "US", "America/New_York", 1000)
        import_ = services.add_authority("MIIT", "import", "Ministry", "工业和信息化部", "CN", "Asia/Shanghai")
        operator = services.actor_of(services.add_person("op", Role.OPERATOR), "cli")

        def firm(name: str, latin: str, country: str, kind: str = "private") -> Organisation:
            return services.add_party(
                operator, name=name, name_latin=latin, kind=kind, country=country, hq_country=country
            )

        exporter = firm("Quillmark Compute Inc.", "Quillmark Compute Inc.", "US")
        importer = firm("云岭智算有限公司", "Yunling Zhisuan Ltd.", "CN", "cloud_provider")
        rival = firm("海棠数据有限公司", "Haitang Data Ltd.", "CN")
        made = cls(export, import_, exporter, importer, rival, {"operator": operator})
        for login, role, place in (
            ("seller", Role.APPLICANT, exporter),
            ("buyer", Role.APPLICANT, importer),
            ("rival", Role.APPLICANT, rival),
            ("bis1", Role.OFFICER, export),
            ("bis2", Role.OFFICER, export),
            ("bis3", Role.OFFICER, export),
            ("bisadv", Role.ADVISER, export),
            ("miit1", Role.OFFICER, import_),
            ("miit2", Role.OFFICER, import_),
            ("miitadv", Role.ADVISER, import_),
            ("customs", Role.CUSTOMS, None),
            ("auditor", Role.AUDITOR, None),
        ):
            at = {"authority": place} if isinstance(place, Authority) else {"organisation": place} if place else {}
            made.people[login] = services.actor_of(services.add_person(login, role, **at), "api")  # type: ignore[arg-type]
        made.import_list([{"id": "1", "name": "Nobody At All Trading", "alt_names": [], "addresses": []}])
        return made

    def __getitem__(self, login: str) -> Actor:
        return self.people[login]

    def import_list(self, results: list[dict[str, object]], code: str = "us-csl") -> None:
        """Import a screening list of the given entries."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "list.json"
            path.write_text(json.dumps({"results": results}))
            screening.import_list(self["operator"], read_list(path), code)

    def order(
        self,
        units: int = 100,
        value_minor: int = 270_000_000,
        importer: Organisation | None = None,
        lines: int = 1,
        number: str = "",
    ) -> Order:
        """Enter an order for H200s."""
        buyer = importer or self.importer
        return drafting.create_order(
            self["seller"],
            OrderDraft(
                number=number or f"PO-{next(_counter)}",
                exporter_id=self.exporter.pk,
                importer_id=buyer.pk,
                currency="USD",
                destination="CN",
                place="mainland",
                lines=[LineDraft("H200 SXM", units, value_minor, 15_832) for _ in range(lines)],
                parties=[(buyer.pk, "purchaser"), (buyer.pk, "ultimate_consignee"), (buyer.pk, "end_user")],
            ),
        )

    def paper(self, application: Application, kind: str, actor: Actor) -> Document:
        """Add one document."""
        return papers.add_document(actor, application.pk, kind, f"{kind}.pdf", PDF + kind.encode())

    def draft(self, order: Order, side: str) -> Application:
        """Open a complete draft on one side."""
        actor = self["seller"] if side == "export" else self.buyer_of(order)
        authority = self.export if side == "export" else self.import_
        application = drafting.draft_application(actor, order.pk, authority.code, USE)
        kinds = (
            ("contract", "end_user_statement", "certification")
            if side == "export"
            else (
                "use_statement",
                "substitution_statement",
            )
        )
        documents = {kind: self.paper(application, kind, actor) for kind in kinds}
        if side == "export":
            for name in CERTIFICATIONS:
                papers.add_evidence(
                    actor,
                    order.pk,
                    name,
                    documents["certification"].pk,
                    issuer="Quillmark",
                    issued_on=today(),
                    expires_on=today() + timedelta(days=300),
                )
        return application

    def buyer_of(self, order: Order) -> Actor:
        """Return who sits at the order's importer."""
        return self["buyer"] if order.importer_id == self.importer.pk else self["rival"]

    def under_review(self, order: Order, side: str) -> Application:
        """Submit and take a case."""
        application = self.draft(order, side)
        actor = self["seller"] if side == "export" else self.buyer_of(order)
        drafting.submit(actor, application.pk)
        return reviewing.take(self[self.officers(side)[0]], application.pk)

    def officers(self, side: str) -> tuple[str, str]:
        """Return the logins of the two officers of a side."""
        return ("bis1", "bis2") if side == "export" else ("miit1", "miit2")

    def terms(self, order: Order, **changes: object) -> Terms:
        """Return terms that grant the whole order for a year, with one condition precedent and one lasting."""
        settings: dict[str, object] = {
            "valid_from": today() - timedelta(days=2),
            "valid_until": today() + timedelta(days=300),
            "places": ("mainland",),
            "currency": "USD",
            **changes,
        }
        conditions = settings.pop(
            "conditions", (ConditionTerm("security_procedures", "precedent", "Secure.", "安全。"),)
        )
        return Terms(
            tuple(
                LineTerm(
                    **{  # type: ignore[arg-type]
                        "position": line.position,
                        "units": line.units,
                        "value_minor": line.value_minor,
                        **settings,
                    }
                )
                for line in order.lines.order_by("position")
            ),
            conditions,  # type: ignore[arg-type]
        )

    def decided(self, order: Order, side: str, *, batch_id: int | None = None, **changes: object) -> Application:
        """Bring a case to its decision, approved, not countersigned."""
        application = self.under_review(order, side)
        officer = self[self.officers(side)[0]]
        if side == "import":
            criteria = dict.fromkeys(reviewing.NECESSITY_CRITERIA, "found")
            reviewing.judge_necessity(officer, application.pk, True, criteria)
        deciding.decide(
            officer, application.pk, "approve", "It meets the rule.", self.terms(order, **changes), batch_id=batch_id
        )
        return application

    def approved(self, order: Order, side: str, *, batch_id: int | None = None, **changes: object) -> Authorisation:
        """Bring a case to an authorisation in force; returns that of the first line."""
        application = self.decided(order, side, batch_id=batch_id, **changes)
        deciding.countersign(self[self.officers(side)[1]], application.pk)
        found = Authorisation.objects.filter(decision__application=application).order_by("pk").first()
        assert found is not None
        return found

    def both(self, order: Order, **changes: object) -> tuple[Authorisation, Authorisation]:
        """Turn both keys."""
        return self.approved(order, "export", **changes), self.approved(order, "import", **changes)

    def shipment(self, order: Order, units: int = 10, value_minor: int | None = None) -> Shipment:
        """Plan a shipment of some units of every line."""
        return shipments.plan(
            self["seller"],
            order.pk,
            f"SH-{next(_counter)}",
            "mainland",
            [
                shipments.Part(
                    line.position,
                    units,
                    line.value_minor * units // line.units if value_minor is None else value_minor,
                    "USD",
                )
                for line in order.lines.order_by("position")
            ],
        )

    def certify(self, shipment: Shipment) -> None:
        """Give a shipment its own laboratory certificate."""
        application = shipment.order.applications.filter(authority__side="export").order_by("pk").first()
        assert application is not None
        document = self.paper(application, "laboratory_certificate", self["seller"])
        papers.add_evidence(
            self["seller"],
            shipment.order_id,
            "laboratory_certificate",
            document.pk,
            issuer="Testhaus Laboratory",
            issued_on=today(),
            expires_on=None,
            shipment_id=shipment.pk,
        )

    def ready(self, units: int = 10) -> Shipment:
        """Bring a shipment to where only the release is missing."""
        order = self.order()
        self.both(order)
        shipment = self.shipment(order, units)
        shipments.reserve(self["seller"], shipment.pk, "1")
        self.certify(shipment)
        shipment.refresh_from_db()
        return shipment

    def released(self, units: int = 10) -> Release:
        """Walk one shipment to its signed release."""
        return releasing.release(self["seller"], self.ready(units).pk)
