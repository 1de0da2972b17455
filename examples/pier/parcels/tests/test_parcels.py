from django.test import Client, TestCase

from parcels.models import Count, Parcel
from parcels.tasks import count, weigh


class Parcels(TestCase):
    def test_a_parcel_is_taken_in_and_weighed_once(self):
        with self.captureOnCommitCallbacks(execute=True):
            answer = Client().post("/", {"label": "Rope"})
        self.assertEqual(answer.status_code, 201)
        parcel = Parcel.objects.get(pk=answer.json()["id"])
        self.assertEqual(parcel.weighed_by, "none")
        weigh(parcel.pk)
        again = Parcel.objects.get(pk=parcel.pk)
        self.assertEqual(again.weighed_at, parcel.weighed_at)
        self.assertContains(Client().get("/"), "Rope")

    def test_a_parcel_without_a_label_is_refused(self):
        self.assertEqual(Client().post("/", {"label": " "}).status_code, 400)
        self.assertEqual(Parcel.objects.count(), 0)

    def test_parcels_are_counted(self):
        Parcel.objects.create(label="Rope")
        count()
        self.assertEqual(Count.objects.get().parcels, 1)

    def test_every_answer_tells_its_release(self):
        self.assertEqual(Client().get("/up").headers["X-Release"], "none")
