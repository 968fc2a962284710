# JupyterHub of deployment {{ deployment }}. Written by syntho-installer; who may log in stands in authenticator.py beside it.
#
# Secrets are not here: they come from the `.env` beside it, through the environment.
import os
import sys

c = get_config()  # noqa: F821, JupyterHub defines it

# The hub in its container. Its proxy listens on 8000; notebooks reach the hub by its service's name.
c.JupyterHub.bind_url = "http://:8000"
c.JupyterHub.hub_ip = "0.0.0.0"
c.JupyterHub.hub_connect_ip = "hub"
c.JupyterHub.public_url = {{ public_url }}
c.ConfigurableHTTPProxy.pid_file = "/run/jupyterhub/proxy.pid"
{% if protocol == 'https' %}
# Browsers come by https, although the hub itself is behind whatever ends TLS.
c.JupyterHub.tornado_settings = {"cookie_options": {"secure": True}}
{% endif %}

# What must survive: accounts and running servers in the database, the key of the login cookies in a volume. The password comes by PGPASSWORD.
c.JupyterHub.db_url = "postgresql://jupyterhub@hub-db:5432/jupyterhub"
# A database of an older JupyterHub is brought up to date when the hub starts. There is no way back but a copy: `upgrade` saves one before anything changes.
c.JupyterHub.upgrade_db = True
c.JupyterHub.cookie_secret_file = "/data/jupyterhub_cookie_secret"

# A hub that starts anew finds the notebooks that run and goes on with them.
c.JupyterHub.cleanup_servers = False

# By these labels containers, services and volumes are known to belong to this deployment.
labels = {
    "io.syntho.installer.deployment": {{ deployment }},
    "io.syntho.installer.stack": {{ stack }},
}
folder = os.environ["DOCKER_NOTEBOOK_DIR"]
c.DockerSpawner.image = os.environ["DOCKER_NOTEBOOK_IMAGE"]
c.DockerSpawner.cmd = os.environ["DOCKER_SPAWN_CMD"]
c.DockerSpawner.network_name = os.environ["DOCKER_NETWORK_NAME"]
c.DockerSpawner.use_internal_ip = True
c.DockerSpawner.prefix = {{ project ~ '-jupyter' }}
c.DockerSpawner.mem_limit = int(os.environ["NOTEBOOK_MEMORY"])
c.DockerSpawner.cpu_limit = float(os.environ["NOTEBOOK_CPUS"])
c.DockerSpawner.start_timeout = 600
c.DockerSpawner.http_timeout = 120
c.DockerSpawner.notebook_dir = folder
c.DockerSpawner.extra_create_kwargs = {"labels": labels}
{% include spawner %}

c.JupyterHub.services = []
c.JupyterHub.load_roles = []

# The installer's own check: it may start and remove the notebook of one user whom nobody else is, and do nothing else.
CHECKED = "installer-check"
c.JupyterHub.services.append({"name": "installer", "api_token": os.environ["HUB_CHECK_TOKEN"]})
c.JupyterHub.load_roles.append(
    {
        "name": "installer",
        "services": ["installer"],
        "scopes": [f"{scope}!user={CHECKED}" for scope in ("admin:users", "admin:servers", "access:servers")],
    }
)
{% if idle_minutes > 0 %}

# Notebooks that nobody uses give their memory back.
c.JupyterHub.services.append(
    {
        "name": "idle-culler",
        "command": [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout={{ idle_minutes * 60 }}"],
    }
)
c.JupyterHub.load_roles.append(
    {
        "name": "idle-culler",
        "services": ["idle-culler"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    }
)
{% endif %}

load_subconfig("/srv/jupyterhub/authenticator.py")  # noqa: F821, JupyterHub defines it
