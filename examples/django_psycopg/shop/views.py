"""Orders."""

import json
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.views.decorators.http import require_GET, require_http_methods

from .check import check
from .database import retries
from .models import Order
from .problems import Invalid


@require_http_methods(["GET", "POST"])
def orders(request: Any) -> HttpResponse:
    """The last ten orders, or a new one."""
    return _place(request) if request.method == "POST" else _list(request)


def _list(request: Any) -> HttpResponse:
    def work() -> list[dict[str, Any]]:
        return list(Order.objects.order_by("-id").values("id", "customer")[:10])

    return JsonResponse(retries.run(request.until, work, writes=False), safe=False)


def _place(request: Any) -> HttpResponse:
    try:
        sent = json.loads(request.body)
    except ValueError:
        raise Invalid(400, "The body is not JSON") from None
    customer = sent.get("customer") if isinstance(sent, dict) else None
    if not isinstance(customer, str) or len(customer) > 80:
        raise Invalid(422, "The request is invalid")
    key = request.headers.get("Idempotency-Key")

    def work() -> Any:
        known = Order.objects.filter(key=key).first() if key else None
        if known is None:
            return Order.objects.create(customer=customer, key=key)
        if known.customer != customer:
            raise Invalid(422, "The key belongs to another order")
        return known

    order = retries.run(request.until, work, writes=True)
    return JsonResponse({"id": order.pk, "customer": order.customer}, status=201)


@require_GET
def shipping(_: Any) -> HttpResponse:
    """The price of shipping, which needs no database."""
    return JsonResponse({"cents": 490})


@require_GET
def live(_: Any) -> HttpResponse:
    """The process is there, whatever the database does."""
    return JsonResponse({"status": "pass"})


@require_GET
def ready(_: Any) -> HttpResponse:
    """The database has answered within the last second."""
    if check.passes:
        return JsonResponse({"status": "pass"}, content_type="application/health+json")
    body = {"status": "fail", "checks": {"database": [{"status": "fail"}]}}
    return JsonResponse(body, status=503, content_type="application/health+json")
