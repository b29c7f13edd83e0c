from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0003_page_indexes"),
        ("parties", "0002_append_only"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="application",
            index=models.Index(
                condition=models.Q(("attention", ""), _negated=True),
                fields=["authority", "submitted_at", "id"],
                name="case_came_back",
            ),
        ),
    ]
