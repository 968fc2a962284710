# An OpenID Connect provider that is also found under GitHub Enterprise's addresses. Clients register themselves by POST to /oauth2/clients.
import json

import uvicorn
from oidc_provider_mock import app
from oidc_provider_mock._storage import User

# Who is there, and in which groups or organisations.
PEOPLE = {"alice": [], "bob": ["data-science"], "carol": []}

# What GitHub calls the same.
GITHUB = {
    "/login/oauth/authorize": "/oauth2/authorize",
    "/login/oauth/access_token": "/oauth2/token",
    "/api/v3/user": "/userinfo",
}
MEMBERS = "/api/v3/orgs/acme/members/"

people = [
    User(sub=name, claims={"preferred_username": name, "login": name, "email": f"{name}@acme.example", "groups": groups})
    for name, groups in PEOPLE.items()
]
provider = app(require_client_registration=True, user_claims=people)


def with_githubs_addresses(environ, start_response):
    path = environ["PATH_INFO"]
    if path.startswith(MEMBERS):
        member = PEOPLE.get(path.removeprefix(MEMBERS))
        start_response("204 No Content" if member else "404 Not Found", [("Content-Length", "0")])
        return [b""]
    if path == "/api/v3/meta":
        start_response("200 OK", [("Content-Length", "2"), ("Content-Type", "application/json")])
        return [b"{}"]
    environ["PATH_INFO"] = GITHUB.get(path, path)
    if path != "/api/v3/user":
        return provider(environ, start_response)
    # GitHub tells of an address always, if only that it is private.
    begun = []
    answer = b"".join(provider(environ, lambda *head: begun.append(head)))
    answer = json.dumps({"email": None, **json.loads(answer)}).encode()
    start_response(begun[0][0], [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
    return [answer]


uvicorn.run(
    with_githubs_addresses,
    interface="wsgi",
    host="0.0.0.0",
    port=443,
    ssl_keyfile="/certs/server.key",
    ssl_certfile="/certs/server.crt",
)
