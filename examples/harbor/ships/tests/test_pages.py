import tempfile

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, TestCase, override_settings

from ships.models import Berth, Ship

PNG = b"\x89PNG\r\n\x1a\n" + bytes(24)


# The names of collected files are known only after `collectstatic`; tests do without.
@override_settings(
    SECURE_SSL_REDIRECT=False,
    STORAGES={
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    },
)
class PagesTest(TestCase):
    def test_list_shows_ships_and_is_bounded(self):
        Ship.objects.bulk_create(Ship(name=f"Ship {n}", length_m=20) for n in range(25))
        response = self.client.get("/")
        self.assertContains(response, "Ship 24")
        self.assertNotContains(response, "Ship 0<")
        self.assertContains(response, "page 1 of 2")

    def test_form_registers_a_ship(self):
        berth = Berth.objects.get(name="Old Pier")
        response = self.client.post("/ships/new/", {"name": "Aurora", "length_m": 90, "berth": berth.pk})
        ship = Ship.objects.get()
        self.assertRedirects(response, f"/ships/{ship.pk}/")
        self.assertEqual((ship.name, ship.berth), ("Aurora", berth))

    def test_form_needs_a_csrf_token(self):
        client = Client(enforce_csrf_checks=True)
        data = {"name": "Aurora", "length_m": 90}
        with self.assertLogs("django.security.csrf", "WARNING"):
            self.assertEqual(client.post("/ships/new/", data).status_code, 403)
        token = client.get("/ships/new/").context["csrf_token"]
        answer = client.post("/ships/new/", data | {"csrfmiddlewaretoken": str(token)})
        self.assertEqual(answer.status_code, 302)

    def test_photo_is_shown(self):
        with tempfile.TemporaryDirectory() as media, override_settings(MEDIA_ROOT=media):
            photo = SimpleUploadedFile("aurora.png", PNG, "image/png")
            self.client.post("/ships/new/", {"name": "Aurora", "length_m": 90, "photo": photo})
            ship = Ship.objects.get()
            self.assertContains(self.client.get(ship.get_absolute_url()), ship.photo.url)

    def test_what_is_no_photo_is_refused(self):
        for name, content in {"a.png": b"<script>", "a.svg": PNG, "a.html": b"<html>"}.items():
            with self.subTest(name):
                upload = SimpleUploadedFile(name, content, "image/png")
                response = self.client.post("/ships/new/", {"name": "Aurora", "length_m": 90, "photo": upload})
                self.assertEqual(response.status_code, 200)
                self.assertIn("photo", response.context["form"].errors)
        self.assertFalse(Ship.objects.exists())

    def test_export_filters_by_name(self):
        Ship.objects.create(name="Aurora", length_m=90)
        Ship.objects.create(name="Borealis", length_m=30)
        lines = self.client.get("/ships.csv", {"name": "Bor"}).content.decode().splitlines()
        self.assertEqual(lines, ["name,length_m,berth,inspected,photo", "Borealis,30,,no,"])
