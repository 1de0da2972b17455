import csv

from django.db import transaction
from django.http import HttpResponse
from django.views.decorators.http import require_safe
from django.views.generic import CreateView, DetailView, ListView

from ships.forms import ShipForm
from ships.models import Report, Ship
from ships.tasks import inspect_ship


class ShipList(ListView):
    queryset = Ship.objects.select_related("berth")
    paginate_by = 20

    def get_context_data(self, **kwargs):
        return super().get_context_data(report=Report.objects.first(), **kwargs)


class ShipDetail(DetailView):
    queryset = Ship.objects.select_related("berth")


class ShipCreate(CreateView):
    model = Ship
    form_class = ShipForm

    def form_valid(self, form):
        # In one transaction: a ship without its inspection, or the other way round, is never seen.
        with transaction.atomic():
            response = super().form_valid(form)
            inspect_ship.enqueue(self.object.pk)
        return response


@require_safe
def export(request):
    """Answer the register as CSV; `name` keeps the ships whose names begin with it."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    rows = csv.writer(response)
    rows.writerow(["name", "length_m", "berth", "inspected", "photo"])
    ships = Ship.objects.filter(name__startswith=request.GET.get("name", "")).select_related("berth")
    for ship in ships.order_by("pk").iterator():
        photo = ship.photo.url if ship.photo else ""
        rows.writerow([ship.name, ship.length_m, ship.berth or "", "yes" if ship.inspected_at else "no", photo])
    return response
