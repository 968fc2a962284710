# Who may log in to the hub of deployment {{ deployment }}. Written by syntho-installer and loaded by jupyterhub_config.py.
#
# Secrets are not here: they come from the `.env` beside docker-compose.yaml, through the environment.
import ipaddress
import os

c = get_config()  # noqa: F821, JupyterHub defines it


def given(name):
    """Returns a variable of the environment, and ends the hub with its name when it is missing."""
    value = os.environ.get(name, "")
    if not value:
        raise RuntimeError(f"the variable {name} is missing: it belongs in the .env beside docker-compose.yaml")
    return value


{% set oauth = authenticator in ['azuread', 'github', 'generic-oauth'] %}
{% set checked = ['installer-check'] if authenticator == 'shared-password' else [] %}
{% set people = (allowed_users or []) + (admin_users or []) + checked %}
c.Authenticator.admin_users = set({{ admin_users }})
{% if authenticator == 'native' %}
# Whoever has an account that was let in; see below.
c.Authenticator.allow_all = True
{% elif allow_all %}
c.Authenticator.allow_all = True
{% else %}
c.Authenticator.allow_all = False
c.Authenticator.allowed_users = set({{ people }})
{% endif %}
{% if allowed_groups %}
c.Authenticator.manage_groups = True
c.OAuthenticator.allowed_groups = set({{ allowed_groups }})
{% endif %}
# What is said here holds, also for people whom the hub remembers from an earlier configuration.
c.Authenticator.allow_existing_users = False


# The user of the installer's own check, whom the hub lets in from its own container only.
CHECKED = "installer-check"


def comes_from_here(handler):
    """Whether a request came from this container: the hub's proxy writes last whom it was asked by, whatever stands before it."""
    passed = handler.request.headers.get_list("X-Forwarded-For")
    last = ipaddress.ip_address(",".join(passed).rsplit(",", 1)[-1].strip())
    return (getattr(last, "ipv4_mapped", None) or last).is_loopback


def after_login(authenticator, handler, auth_model):
    """Takes an administrator's rights away once the name is gone from the list above, and lets nobody in as the installer's check."""
    if auth_model["name"] == CHECKED and not comes_from_here(handler):
        return None
    auth_model["admin"] = auth_model["name"] in authenticator.admin_users
    return auth_model


c.Authenticator.post_auth_hook = after_login
{% if oauth %}

for variable in ("OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET", "OAUTH_CALLBACK_URL"):
    given(variable)  # read by the authenticator itself
{% if identity_ca %}
c.OAuthenticator.http_request_kwargs = {"ca_certs": os.path.join(os.path.dirname(__file__), "identity-ca.crt")}
{% endif %}
{% endif %}
{% if authenticator == 'azuread' %}

import jwt

if not hasattr(jwt, "decode"):
    raise RuntimeError("the hub's image has the distribution `jwt` in the place of PyJWT: it cannot read Entra's tokens")

c.JupyterHub.authenticator_class = "azuread"
tenant = given("AAD_TENANT_ID")
# The second version of Microsoft's end points: its tokens name people by `preferred_username`, the first one's by display name.
c.AzureAdOAuthenticator.tenant_id = tenant
c.AzureAdOAuthenticator.authorize_url = {{ aad_login_url }} + f"/{tenant}/oauth2/v2.0/authorize"
c.AzureAdOAuthenticator.token_url = {{ aad_login_url }} + f"/{tenant}/oauth2/v2.0/token"
c.AzureAdOAuthenticator.scope = ["openid", "profile", "email"]
c.AzureAdOAuthenticator.username_claim = {{ aad_username_claim }}
{% elif authenticator == 'github' %}

c.JupyterHub.authenticator_class = "github"
c.GitHubOAuthenticator.github_url = {{ github_url }}
{% if github_organizations %}
c.GitHubOAuthenticator.allowed_organizations = set({{ github_organizations }})
# Without it only those who show their membership to everybody would get in.
c.GitHubOAuthenticator.scope = ["read:org"]
{% endif %}
{% elif authenticator == 'generic-oauth' %}

c.JupyterHub.authenticator_class = "generic-oauth"
c.GenericOAuthenticator.login_service = "single sign-on"
c.GenericOAuthenticator.authorize_url = {{ oauth_authorize_url }}
c.GenericOAuthenticator.token_url = {{ oauth_token_url }}
c.GenericOAuthenticator.userdata_url = {{ oauth_userdata_url }}
c.GenericOAuthenticator.scope = {{ oauth_scopes }}
c.GenericOAuthenticator.username_claim = {{ oauth_username_claim }}
{% if allowed_groups %}
c.GenericOAuthenticator.auth_state_groups_key = {{ 'oauth_user.' ~ oauth_groups_claim }}
{% endif %}
{% elif authenticator == 'ldap' %}

import ssl

c.JupyterHub.authenticator_class = "ldap"
c.LDAPAuthenticator.server_address = {{ ldap_server }}
c.LDAPAuthenticator.server_port = {{ ldap_port }}
c.LDAPAuthenticator.tls_strategy = {{ {'start-tls': 'before_bind', 'tls': 'on_connect', 'none': 'insecure'}[ldap_tls] }}
{% if ldap_tls != 'none' %}
# Left alone, the library would take any certificate.
c.LDAPAuthenticator.tls_kwargs = {
    "validate": ssl.CERT_REQUIRED,
{% if identity_ca %}
    "ca_certs_file": os.path.join(os.path.dirname(__file__), "identity-ca.crt"),
{% endif %}
}
{% endif %}
c.LDAPAuthenticator.valid_username_regex = "^[A-Za-z0-9][A-Za-z0-9._@+-]*$"
{% if ldap_bind == 'template' %}
c.LDAPAuthenticator.bind_dn_template = [{{ ldap_bind_template }}]
{% else %}
c.LDAPAuthenticator.lookup_dn = True
c.LDAPAuthenticator.user_search_base = {{ ldap_search_base }}
c.LDAPAuthenticator.user_attribute = {{ ldap_user_attribute }}
# The name in the hub is what people type, and not their display name.
c.LDAPAuthenticator.lookup_dn_user_dn_attribute = {{ ldap_user_attribute }}
{% if ldap_search_user %}
c.LDAPAuthenticator.lookup_dn_search_user = {{ ldap_search_user }}
c.LDAPAuthenticator.lookup_dn_search_password = given("LDAP_BIND_PASSWORD")
{% endif %}
{% endif %}
{% if ldap_group %}
c.LDAPAuthenticator.allowed_groups = [{{ ldap_group }}]
{% endif %}
{% elif authenticator == 'native' %}

import importlib.metadata

import jupyterhub
from nativeauthenticator import NativeAuthenticator

if jupyterhub.version_info < (5, 5):
    raise RuntimeError(f"the hub's image has JupyterHub {jupyterhub.__version__}: accounts of its own need 5.5 or later")
native = importlib.metadata.version("jupyterhub-nativeauthenticator")
if jupyterhub.version_info >= (6,) and native.startswith(("0.", "1.0.", "1.1.", "1.2.", "1.3.")):
    # Its login page asks for what JupyterHub 6 has no more: every login would end with an error.
    raise RuntimeError(f"the hub's image has JupyterHub {jupyterhub.__version__}, with which accounts of its own do not work by NativeAuthenticator {native}")


class ReservedNames(NativeAuthenticator):
    """Gives the administrators and the installer's check their accounts at once, so that nobody else can sign up under their names."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # Of a password, 72 bytes count.
        token = given("HUB_CHECK_TOKEN")[:64]
        account = self.get_user(CHECKED)
        if account is None:
            self.create_user(CHECKED, token, is_authorized=True)
        elif not account.is_valid_password(token):
            self.change_password(CHECKED, token)
        for name in sorted(self.admin_users):
            if not self.user_exists(name) and not self.create_user(name, given("NATIVE_ADMIN_PASSWORD")):
                raise RuntimeError(f"the account of administrator {name} cannot be made: is NATIVE_ADMIN_PASSWORD a common one?")


c.JupyterHub.authenticator_class = ReservedNames
c.NativeAuthenticator.enable_signup = True
c.NativeAuthenticator.open_signup = {{ native_signup == 'open' }}
c.NativeAuthenticator.minimum_password_length = {{ native_password_length }}
c.NativeAuthenticator.check_common_password = True
c.NativeAuthenticator.allowed_failed_logins = 10
c.NativeAuthenticator.seconds_before_next_try = 600
{% elif authenticator == 'shared-password' %}

c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = given("SHARED_USER_PASSWORD")
c.SharedPasswordAuthenticator.admin_password = given("SHARED_ADMIN_PASSWORD")
{% endif %}
