"""The parts of the probe. `shipway.django.probe_source` joins them into one program; nothing here is run by Shipway.

They run inside the project's own interpreter: Python 3.9 or later, the standard library and the project's Django.
`supervisor` is the program that is sent; it holds the rest as text and starts it in a process of its own.
"""
