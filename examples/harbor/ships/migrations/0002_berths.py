from django.db import migrations

BERTHS = {"North Quay": 60, "Old Pier": 120, "Roadstead": 400, "South Quay": 200}


def add_berths(apps, schema_editor):
    Berth = apps.get_model("ships", "Berth")
    for name, length_m in BERTHS.items():
        Berth.objects.get_or_create(name=name, defaults={"length_m": length_m})


class Migration(migrations.Migration):
    dependencies = [("ships", "0001_initial")]

    # Going back leaves the berths: by then people have edited them.
    operations = [migrations.RunPython(add_berths, migrations.RunPython.noop)]
