from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0003_page_indexes"),
        ("cases", "0003_page_indexes"),
        ("ledger", "0003_faster_movements"),
        ("parties", "0002_append_only"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="arrival",
            index=models.Index(fields=["recorded_at"], name="arrival_recorded"),
        ),
        migrations.AddIndex(
            model_name="authorisation",
            index=models.Index(fields=["valid_until"], name="authorisation_ends"),
        ),
        migrations.AddIndex(
            model_name="authorisation",
            index=models.Index(fields=["created_at"], name="authorisation_made"),
        ),
        migrations.AddIndex(
            model_name="release",
            index=models.Index(fields=["at"], name="release_made"),
        ),
    ]
