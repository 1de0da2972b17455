"""What differs between what two releases recorded."""

import json

from shipway.django.difference import Change, compare
from shipway.django.manifest import Manifest, manifest_hash, read_manifest


def manifest(release: str, **more: object) -> Manifest:
    body: dict[str, object] = {
        "format": 1, "release": release, "python": "3.12.1", "django": "5.2", "settings_module": "shop.settings",
        "settings": {
            "DEBUG": False, "STATIC_ROOT": f"/srv/releases/{release}/static", "DATABASES": {"default": {"A": 1}},
        },
        "packages": {"Django": "5.2", "old": "1"},
        "databases": {"default": {"disk": [["shop", "0001"]]}},
        "tasks": {"celery": {"tasks": [{"name": "shop.send"}]}},
        **more,
    }  # fmt: skip
    return read_manifest(json.dumps(body | {"hash": manifest_hash(body)}), where="here")  # type: ignore[arg-type]


def test_two_releases_of_the_same_code_do_not_differ():
    found = compare(manifest("r1", environment={"web": ["A"]}), manifest("r2", environment={"web": ["A"]}))
    assert (found.versions, found.packages, found.migrations, found.tasks, found.settings) == ((), (), (), (), ())
    assert found.environment == ()


def test_every_kind_of_difference_is_named():
    after = manifest(
        "r2", django="5.3", packages={"Django": "5.3", "new": "2"},
        settings={"DEBUG": True, "DATABASES": {"default": {"A": 2}}},
        databases={"default": {"disk": [["shop", "0001"], ["shop", "0002"]]}, "log": {"disk": [["shop", "0001"]]}},
        tasks={"celery": {"tasks": [{"name": "shop.post"}]}}, environment={"web": ["A", "B"]},
    )  # fmt: skip
    found = compare(manifest("r1", environment={"web": ["B", "C"]}), after)
    assert found.versions == (Change("Django", "5.2", "5.3"),)
    assert found.packages == (Change("Django", "5.2", "5.3"), Change("new", "", "2"), Change("old", "1", ""))
    assert [one.name for one in found.migrations] == ["shop.0001 (log)", "shop.0002"]
    assert [(one.name, one.after) for one in found.tasks] == [("celery: shop.post", "there"), ("celery: shop.send", "")]
    assert [one.name for one in found.settings] == ["DATABASES.default", "DEBUG", "STATIC_ROOT"]
    assert found.environment == (Change("web: A", "", "set"), Change("web: C", "set", ""))


def test_names_that_were_not_recorded_are_no_difference():
    assert compare(manifest("r1"), manifest("r2", environment={"web": ["A"]})).environment is None
