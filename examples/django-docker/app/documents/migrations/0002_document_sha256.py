from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("documents", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="document",
            name="sha256",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=64),
        ),
    ]
