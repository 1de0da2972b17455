from django.contrib import admin

from ships.models import Berth, PeriodicTask, Report, Ship


@admin.register(Berth)
class BerthAdmin(admin.ModelAdmin):
    list_display = ["name", "length_m"]


@admin.register(Ship)
class ShipAdmin(admin.ModelAdmin):
    list_display = ["name", "length_m", "berth", "arrived_at", "inspected_at"]
    list_filter = ["berth"]
    list_select_related = ["berth"]
    search_fields = ["name"]
    readonly_fields = ["inspected_at"]


@admin.register(Report)
class ReportAdmin(admin.ModelAdmin):
    list_display = ["written_at", "ships", "inspected"]


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(admin.ModelAdmin):
    list_display = ["name", "enqueued_at"]
