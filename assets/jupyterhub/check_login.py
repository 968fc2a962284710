# Logs in to the hub as a browser does, and prints how that went. Runs in the hub's container, with nothing but Python.
#
# The first argument says how. `form` sends the login form: a wrong password must be refused, and the installer's own user be let in and out again, with cookies
# that are marked secure where `secure` follows. `refused` tries the wrong password alone, where nobody's right one is known. `button` looks where the button of the
# login page leads to: it must be the provider's address that follows, with the callback URL that comes last.
import http.cookiejar
import os
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

HUB = "http://localhost:8000/hub/"
USER = "installer-check"

# The hub's own variables: not all of them come to every program in its container.
with open("/proc/1/environ", encoding="utf-8") as file:
    os.environ.update(line.split("=", 1) for line in file.read().split("\0") if "=" in line)


class Stay(urllib.request.HTTPRedirectHandler):
    """Follows nothing: where a page leads to is what is looked at."""

    def redirect_request(self, *_):
        return None


class Browser:
    def __init__(self):
        # Cookies that are for https only are sent back all the same: what ends TLS is in front of this.
        policy = http.cookiejar.DefaultCookiePolicy(secure_protocols=("http", "https"))
        self.cookies = http.cookiejar.CookieJar(policy)
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.cookies), Stay()
        )

    def open(self, path, fields=None):
        """Returns status, headers and text of a page."""
        data = None if fields is None else urllib.parse.urlencode(fields).encode()
        try:
            answer = self.opener.open(urllib.request.Request(HUB + path, data), timeout=20)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.headers, answer.read().decode("utf-8", "replace")

    def login(self, name, password):
        """Sends the login form; returns whether it led inside, and the status."""
        _, _, page = self.open("login")
        token = re.search(r'name="_xsrf"\s+value="([^"]+)"', page)
        if not token:
            sys.exit("the login page has no form")
        status, _, _ = self.open("login", {"username": name, "password": password, "_xsrf": token.group(1)})
        return status == 302 and self.open("home")[0] == 200, status


def refused():
    let_in, status = Browser().login("nobody-at-all", "not the password, whatever it is")
    if let_in:
        sys.exit("whoever types any password is let in")
    if status not in (200, 401, 403):
        sys.exit(f"a login ends with status {status}: the hub's log says why")


def form(secure):
    browser = Browser()
    password = os.environ.get("SHARED_USER_PASSWORD") or os.environ["HUB_CHECK_TOKEN"][:64]
    let_in, status = browser.login(USER, password)
    if not let_in:
        sys.exit(f"the login form does not let {USER} in (status {status})")
    open_ones = [cookie.name for cookie in browser.cookies if not cookie.secure]
    if secure and open_ones:
        sys.exit("not marked secure: " + ", ".join(open_ones))
    browser.open("logout")
    if browser.open("home")[0] == 200:
        sys.exit("who logs out is still in")


def button(provider, callback):
    status, headers, _ = Browser().open("oauth_login")
    place = headers.get("Location") or ""
    asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(place).query))
    if status != 302 or not place.startswith(provider):
        sys.exit(f"the button leads to {place or status} instead of {provider}")
    if asked.get("redirect_uri") != callback:
        sys.exit(f"the provider would lead people back to {asked.get('redirect_uri')} instead of {callback}")


kind, *needed = sys.argv[1:]
if kind == "button":
    button(*needed)
else:
    refused()
    if kind == "form":
        form(secure="secure" in needed)
print({"button": "leads to the provider", "form": "lets in and out, and nobody else in", "refused": "lets nobody in"}[kind])
