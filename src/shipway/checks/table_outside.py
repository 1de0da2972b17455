"""The checks of what stands around the servers: names, certificates, registry, databases, mail."""

from __future__ import annotations

from shipway.checks.check import Check

OUTSIDE_CHECKS = (
    Check(
        "outside.dns_missing",
        "error",
        "a name of the proxy has no address",
        "nobody finds the site, and no certificate can be made for the name.",
        "add an A or AAAA record with the address of the server",
    ),
    Check(
        "outside.dns_elsewhere",
        "warning",
        "a name of the proxy leads to another machine",
        "visitors reach that one; certificates cannot be made, unless it is a load balancer or CDN in front.",
        "change the record, or leave it where something of yours stands in front",
    ),
    Check(
        "outside.port_closed",
        "error",
        "a port of the proxy cannot be reached from here",
        "visitors cannot either, and the certificate authority cannot check the name over port 80.",
        "open it in the firewall of the server and of the provider",
    ),
    Check(
        "outside.certificate",
        "error",
        "the certificate is not valid",
        "browsers refuse the site.",
        "shipway proxy logs",
    ),
    Check(
        "outside.certificate_expires",
        "warning",
        "the certificate ends soon",
        "it is renewed a third of its time before its end: something keeps it from that.",
        "shipway proxy logs",
    ),
    Check(
        "outside.registry_login",
        "error",
        "the registry does not take the login",
        "images can be neither pushed nor pulled.",
        "shipway registry login",
    ),
    Check(
        "outside.registry_unknown",
        "info",
        "whether the registry takes the login could not be told",
        "there is no docker client here, or a secret is missing.",
        "shipway registry login",
    ),
    Check(
        "outside.service_unreachable",
        "error",
        "a server cannot reach a database or broker",
        "the application answers 500, or does not start.",
        "is it running, is the port open for the server, is the name right?",
    ),
    Check(
        "outside.service_unknown",
        "info",
        "whether a server reaches a service could not be told",
        "the server has no Python 3 to ask with, or the value of the variable is no address.",
        "shipway setup",
    ),
    Check(
        "outside.smtp",
        "warning",
        "a server cannot reach the mail server",
        "mails fail; providers often close port 25, and 587 or 465 work.",
        "use port 587, or ask the provider to open it",
    ),
)
