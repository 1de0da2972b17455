from unittest import mock

from django.db import OperationalError
from django.test import TestCase, override_settings


@override_settings(RELEASE="r7", VERSION="0123456789", SECURE_SSL_REDIRECT=False)
class SiteTest(TestCase):
    def test_up_names_the_release(self):
        response = self.client.get("/up")
        self.assertEqual(response.json(), {"status": "ok", "release": "r7", "version": "0123456789"})
        self.assertEqual(response["X-Release"], "r7")

    def test_up_fails_without_a_database(self):
        with (
            mock.patch("harbor.views.connection.cursor", side_effect=OperationalError),
            self.assertLogs("django.request", "ERROR"),
        ):
            response = self.client.get("/up")
        self.assertEqual(response.status_code, 503)

    def test_slow_is_bounded(self):
        self.assertEqual(self.client.get("/slow", {"s": "0"}).status_code, 200)
        for value in ("11", "-1", "nan", "x"):
            with self.subTest(value), self.assertLogs("django.request", "WARNING"):
                self.assertEqual(self.client.get("/slow", {"s": value}).status_code, 400)
