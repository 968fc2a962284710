"""Has Docker trust a registry that speaks plain http, and leaves what else stands in its settings as it is.

    daemon_json.py has|add|remove FILE REGISTRY

`has` ends with 0 when it is so. A file that is no JSON is never touched.
"""
import json
import os
import sys
import tempfile

KEY = "insecure-registries"


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError:
        return {}
    try:
        settings = json.loads(text) if text.strip() else {}
    except ValueError as error:
        sys.exit(f"{path} is no JSON, and stays as it is: {error}")
    if not isinstance(settings, dict) or not isinstance(settings.get(KEY, []), list):
        sys.exit(f"{path} holds something else than settings, and stays as it is")
    return settings


def write(path, settings):
    """Beside its place first, with the mode and owner of what was there."""
    if not settings:
        os.unlink(path)
        return
    folder = os.path.dirname(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=folder, prefix=".daemon-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(settings, file, indent=2)
        file.write("\n")
    try:
        there = os.stat(path)
        os.chmod(beside, there.st_mode & 0o7777)
        os.chown(beside, there.st_uid, there.st_gid)
    except FileNotFoundError:
        os.chmod(beside, 0o644)
    os.replace(beside, path)


def main(what, path, registry):
    settings = read(path)
    trusted = settings.get(KEY, [])
    if what == "has":
        sys.exit(0 if registry in trusted else 1)
    if what == "add" and registry not in trusted:
        settings[KEY] = [*trusted, registry]
        write(path, settings)
    if what == "remove" and registry in trusted:
        trusted.remove(registry)
        if not trusted:
            del settings[KEY]
        write(path, settings)


main(*sys.argv[1:])
