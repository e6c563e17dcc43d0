"""Creates the table of orders."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """As `manage.py makemigrations` makes it."""

    initial = True
    operations: ClassVar = [
        migrations.CreateModel(
            name="Order",
            fields=[
                ("id", models.AutoField(primary_key=True)),
                ("customer", models.CharField(max_length=80)),
                ("key", models.CharField(max_length=80, null=True, unique=True)),
            ],
        ),
    ]
