"""What all stand-ins for tools share: arguments checked strictly, state that hosts have in common, a journal of calls, and faults.

State lies in /var/shims, a folder that the hosts share: `state.json`, `journal` (a JSON line for each call) and `faults/` (a file there switches a fault on).
"""
import fcntl
import json
import os
import re
import socket
import sys

FOLDER = "/var/shims"
HOST = socket.gethostname()
EMPTY = {"snaps": {}, "addons": [], "nodes": {}, "tokens": {}, "objects": {}, "joined": {}, "releases": {}, "looks": 0}


def refuse(text):
    """What the real tool would not take either; the test sees the status."""
    print(f"shim: {text}: {sys.argv}", file=sys.stderr)
    note({"refused": text})
    sys.exit(97)


def fail(text, code=1):
    print(text, file=sys.stderr)
    sys.exit(code)


def fault(name):
    return os.path.exists(f"{FOLDER}/faults/{name}")


def note(entry):
    with open(f"{FOLDER}/journal", "a", encoding="utf-8") as file:
        file.write(json.dumps({"host": HOST, **entry}) + "\n")


class State:
    """The state, alone for as long as it is used."""

    def __enter__(self):
        self.lock = open(f"{FOLDER}/lock", "a", encoding="utf-8")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        try:
            with open(f"{FOLDER}/state.json", encoding="utf-8") as file:
                self.all = json.load(file)
        except FileNotFoundError:
            self.all = json.loads(json.dumps(EMPTY))
        return self.all

    def __exit__(self, kind, *_):
        # An end by `sys.exit` keeps what was changed until then, as the real tools do.
        with open(f"{FOLDER}/state.json", "w", encoding="utf-8") as file:
            json.dump(self.all, file)
        self.lock.close()


def parse(words, valued=(), plain=()):
    """Splits words into what stands by itself and options; an option that is not named ends it all. `--` ends options."""
    alone, options = [], {}
    words = list(words)
    while words:
        word = words.pop(0)
        if word == "--":
            options["--"] = words
            break
        name, has_value, value = word.partition("=")
        if not word.startswith("-") or word == "-":
            alone.append(word)
        elif name in plain and not has_value:
            options[name] = True
        elif name in valued and (has_value or words):
            options[name] = value if has_value else words.pop(0)
        else:
            refuse(f"unknown option {word}")
    return alone, options


def jsonpath(template, document):
    """Renders kubectl's JSONPath as far as the scripts use it: fields, lists, filters by equality, `range`, texts."""
    pieces = re.findall(r'\{range [^}]*\}|\{end\}|\{"[^"]*"\}|\{[^}]*\}|[^{]+', template)
    if "".join(pieces) != template:
        refuse(f"not a template: {template}")

    def walk(path, value):
        values = [value]
        steps = re.findall(r'\.((?:\\.|[^.\[\\])+)|\[\?\(@\.(\w+)==("[^"]*"|true|false)\)\]|\[(\d+|\*)\]', path)
        for field, key, wanted, index in steps:
            found = []
            for value in values:
                if field:
                    name = field.replace("\\.", ".")
                    found += [value[name]] if isinstance(value, dict) and name in value else []
                elif key:
                    found += [item for item in value or [] if item.get(key) == json.loads(wanted)]
                elif index == "*":
                    found += list(value or [])
                elif int(index) < len(value):
                    found.append(value[int(index)])
                else:
                    fail(f"error: error executing jsonpath: array index out of bounds: index {index}, length {len(value)}")
            values = found
        return values

    def text(value):
        return value if isinstance(value, str) else json.dumps(value)

    def render(pieces, value):
        out, at = "", 0
        while at < len(pieces):
            piece = pieces[at]
            if piece.startswith("{range "):
                depth, end = 1, at
                while depth:
                    end += 1
                    depth += pieces[end].startswith("{range ") - (pieces[end] == "{end}")
                for item in walk(piece[len("{range "):-1], value):
                    out += render(pieces[at + 1:end], item)
                at = end
            elif piece.startswith('{"'):
                out += json.loads(piece[1:-1])
            elif piece.startswith("{"):
                out += " ".join(text(found) for found in walk(piece[1:-1], value))
            else:
                out += piece
            at += 1
        return out

    return render(pieces, document)
