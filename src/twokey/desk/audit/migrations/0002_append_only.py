"""Make the audit tables append-only."""

from django.db import migrations

from twokey.desk.audit.append_only import append_only, function, keep


class Migration(migrations.Migration):
    """Triggers on the audit tables."""

    dependencies = [("audit", "0001_initial")]
    operations = [
        function(),
        *append_only(
            ["audit_event", "audit_signeddocument", "audit_seal", "audit_leaf", "audit_witness", "audit_received"]
        ),
        *keep(["audit_outboxmessage"]),
    ]
