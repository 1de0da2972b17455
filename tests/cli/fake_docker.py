"""A stand-in for the docker client: containers are JSON files in $FAKE, which also has `asked`, a line per call."""

import json
import os
import sys
from pathlib import Path

PLACE = Path(os.environ["FAKE"])


def file_of(name: str) -> Path:
    return PLACE / f"{name}.container"


def document(name: str) -> dict[str, object]:
    found = json.loads(file_of(name).read_text())
    status = "running" if found["running"] else "exited"
    return {
        "name": f"/{name}",
        "status": status,
        "image": found["image"],
        "labels": {"shipway.config": found["config"]},
        "networks": {"kamal": {}},
        "restart": {"Name": "unless-stopped"},
        "State": {"Status": status},
    }


def inspect(words: list[str]) -> int:
    form = words.pop(words.index("--format") + 1) if "--format" in words else ""
    names = [word for word in words if not word.startswith("--")]
    for name in names:
        if not file_of(name).exists():
            sys.stderr.write(f"Error: No such container: {name}\n")
            continue
        body = document(name)
        is_up = str(body["status"] == "running").lower()
        if form.startswith('{"name"'):
            print(json.dumps(body))
        elif "Labels" in form:
            print(is_up, body["labels"]["shipway.config"])
        elif "Health" in form:
            print(f"{body['status']}//0")
        else:
            print(is_up if form else json.dumps([body]))
    return 0 if all(file_of(name).exists() for name in names) else 1


def run(words: list[str]) -> int:
    config = next(word.rpartition("=")[2] for word in words if word.startswith("--label=shipway.config="))
    image = next(word for word in words if word.startswith(("postgres:", "redis:")))
    name = words[words.index("--name") + 1]
    file_of(name).write_text(json.dumps({"image": image, "config": config, "running": True}))
    return 0


def change(name: str, **over: object) -> int:
    file_of(name).write_text(json.dumps({**json.loads(file_of(name).read_text()), **over}))
    return 0


def main(words: list[str]) -> int:
    with (PLACE / "asked").open("a") as asked:
        asked.write(" ".join(words) + "\n")
    match words:
        case ["version", *_]:
            print("20.10")
        case ["container", "inspect", *rest]:
            return inspect([word for word in rest if word != "--"])
        case ["run", *rest]:
            return run(rest)
        case ["start", *_, name]:
            return change(name, running=True)
        case ["stop", *_, name]:
            return change(name, running=False)
        case ["rename", "--", old, new]:
            file_of(old).rename(file_of(new))
        case ["rm", *_, name]:
            file_of(name).unlink()
        case ["logs", *_]:
            print("one line of a log")
        case ["image", "inspect", *_]:
            print('[{"Config": {}}]')
    return 0


sys.exit(main(sys.argv[1:]))
