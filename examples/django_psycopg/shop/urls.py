"""The routes."""

from django.urls import path

from . import views

urlpatterns = [
    path("orders", views.orders),
    path("shipping", views.shipping),
    path("live", views.live),
    path("ready", views.ready),
]
