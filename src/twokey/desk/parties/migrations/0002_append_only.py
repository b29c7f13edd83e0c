"""Keep parties and what screening found of them."""

from django.db import migrations

from twokey.desk.audit.append_only import append_only, keep


class Migration(migrations.Migration):
    """Triggers on the party tables."""

    dependencies = [("parties", "0001_initial"), ("audit", "0002_append_only")]
    operations = [
        *append_only(
            [
                "parties_listversion",
                "parties_listentry",
                "parties_screening",
                "parties_screeningdecision",
                "parties_ownership",
            ]
        ),
        *keep(["parties_organisation", "parties_authority", "parties_screeninglist"]),
    ]
