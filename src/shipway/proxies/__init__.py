"""What takes public traffic on a host and switches releases: pure builders and parsers."""
