from django.db import transaction
from django.http import HttpResponseBadRequest, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from parcels.models import Count, Parcel
from parcels.tasks import weigh


@csrf_exempt  # scales send parcels too, and have no session that could be ridden on
@require_http_methods(["GET", "HEAD", "POST"])
def parcels(request):
    """List the latest parcels; with POST and a `label`, take one in and have it weighed."""
    if request.method != "POST":
        latest = Parcel.objects.all()[:20]
        return render(request, "parcels/list.html", {"parcels": latest, "count": Count.objects.first()})
    label = request.POST.get("label", "").strip()
    if not label or len(label) > 80:
        return HttpResponseBadRequest("a label has 1 to 80 characters\n", content_type="text/plain")
    with transaction.atomic():
        parcel = Parcel.objects.create(label=label)
        transaction.on_commit(lambda: weigh.delay(parcel.pk))
    return JsonResponse({"id": parcel.pk}, status=201)


@require_safe
def parcel(request, pk):
    """Tell about one parcel."""
    found = get_object_or_404(Parcel, pk=pk)
    return JsonResponse({"id": found.pk, "label": found.label, "weighed_by": found.weighed_by})
