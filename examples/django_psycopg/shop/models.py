"""The shop's tables."""

from django.db import models


class Order(models.Model):
    """An order; with a key it is placed once, however often it is sent."""

    customer = models.CharField(max_length=80)
    key = models.CharField(max_length=80, null=True, unique=True)
