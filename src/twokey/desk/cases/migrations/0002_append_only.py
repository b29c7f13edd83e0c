"""Keep orders and applications, and make what was said of them append-only."""

from django.db import migrations

from twokey.desk.audit.append_only import append_only, keep, once


class Migration(migrations.Migration):
    """Triggers on the case tables."""

    dependencies = [("cases", "0001_initial"), ("audit", "0002_append_only")]
    operations = [
        *append_only(
            [
                "cases_orderline",
                "cases_milestone",
                "cases_document",
                "cases_storedassessment",
                "cases_advice",
                "cases_advicerequest",
                "cases_note",
                "cases_necessity",
                "cases_decision",
                "cases_countersignature",
                "cases_reconfirmation",
            ]
        ),
        *keep(
            [
                "cases_order",
                "cases_application",
                "cases_evidence",
                "cases_informationrequest",
                "cases_appeal",
                "cases_batch",
                "cases_batchshare",
                "cases_batchtopup",
            ]
        ),
        once("cases_evidence", "withdrawn_at", "NULL"),
        once("cases_informationrequest", "answered_at", "NULL"),
        once("cases_appeal", "heard_at", "NULL"),
        once("cases_batchtopup", "countersigned_by", "''"),
    ]
