"""Starts the backend: `serve` (the API) or `subscriber` (works off what the API queued)."""

import sys

import standin


def main(arguments):
    command = arguments[0] if arguments else "serve"
    if command == "serve":
        from backend import api

        api.main()
    elif command == "subscriber":
        from backend import subscriber

        subscriber.main()
    else:
        standin.refuse(f"unknown command {command}")


if __name__ == "__main__":
    main(sys.argv[1:])
