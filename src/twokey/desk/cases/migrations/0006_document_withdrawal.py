import django.db.models.deletion
from django.db import migrations, models

from twokey.desk.audit.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("cases", "0005_breach"), ("audit", "0002_append_only")]

    operations = [
        migrations.CreateModel(
            name="DocumentWithdrawal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("why", models.TextField(blank=True)),
                ("by", models.CharField(max_length=150)),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "document",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="withdrawal", to="cases.document"
                    ),
                ),
            ],
        ),
        *append_only(["cases_documentwithdrawal"]),
    ]
