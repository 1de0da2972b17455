from django import forms

from ships.models import Ship


class ShipForm(forms.ModelForm):
    class Meta:
        model = Ship
        fields = ["name", "length_m", "berth", "photo"]
