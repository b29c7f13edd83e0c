"""Keep breaches: none is removed, and one that was found on does not change."""

import django.db.models.deletion
from django.db import migrations, models

from twokey.desk.audit.append_only import keep, once


class Migration(migrations.Migration):
    """The table and its triggers."""

    dependencies = [("cases", "0004_came_back")]

    operations = [
        migrations.CreateModel(
            name="Breach",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=16)),
                ("condition", models.CharField(max_length=80)),
                ("body", models.JSONField()),
                ("reported_by", models.CharField(max_length=150)),
                ("reported_at", models.DateTimeField(auto_now_add=True)),
                ("finding", models.TextField(blank=True)),
                ("found_by", models.CharField(blank=True, max_length=150)),
                ("found_at", models.DateTimeField(null=True)),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="breaches", to="cases.application"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("application", "code"), name="breach_once")],
            },
        ),
        *keep(["cases_breach"]),
        once("cases_breach", "found_at", "NULL"),
    ]
