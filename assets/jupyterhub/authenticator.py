# Who may log in to the hub of deployment {{ deployment }}. Written by syntho-installer and loaded by jupyterhub_config.py.
#
# Secrets are not here: they come from the `.env` beside docker-compose.yaml, through the environment.
import os

c = get_config()  # noqa: F821, JupyterHub defines it

{% if allow_all %}
c.Authenticator.allow_all = True
{% else %}
c.Authenticator.allow_all = False
c.Authenticator.allowed_users = set({{ (allowed_users or []) + admin_users }})
{% endif %}
c.Authenticator.admin_users = set({{ admin_users }})
c.Authenticator.allow_existing_users = False
{% if authenticator == 'native' %}

c.JupyterHub.authenticator_class = "native"
c.NativeAuthenticator.open_signup = False
{% else %}

c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = os.environ["SHARED_USER_PASSWORD"]
c.SharedPasswordAuthenticator.admin_password = os.environ["SHARED_ADMIN_PASSWORD"]
{% endif %}
