
# One service of the swarm for each person, on a node for notebooks, in the network of the notebooks, where the database is not. A notebook that ends by itself
# stays ended; one whose node is drained or lost starts anew on another.
from docker.types import Mount, RestartPolicy  # noqa: E402

c.JupyterHub.spawner_class = "docker-swarm"
c.SwarmSpawner.extra_placement_spec = {"constraints": [{{ 'node.labels.io.syntho.installer.' ~ deployment ~ ' == yes' }}]}
c.SwarmSpawner.extra_task_spec = {"restart_policy": RestartPolicy(condition="on-failure")}
# Names lead to containers and not to virtual addresses, which a kernel without IP_VS does not have.
c.SwarmSpawner.extra_endpoint_spec = {"mode": "dnsrr"}
# By these the containers are found on each node; the last two say where their logs belong.
labels_of_notebooks = {
    **labels,
    "com.docker.compose.project": {{ project_of_notebooks }},
    "com.docker.compose.service": "notebook",
}
{% if storage == 'shared-folder' %}

# Each person's folder in the storage that all nodes share, here mounted at /srv/people. It belongs to the notebook image's user.
OWNER = ({{ notebook_uid }}, {{ notebook_gid }})


def storage(spawner, name):
    own = os.path.join("/srv/people", name)
    if not os.path.isdir(own):
        os.mkdir(own, 0o700)
    found = os.stat(own)
    if (found.st_uid, found.st_gid) != OWNER:
        os.chown(own, *OWNER)
    return Mount(folder, os.path.join({{ storage_folder }}, name), type="bind")
{% else %}

# A volume of the node where the notebook runs: on another node the same person finds an empty folder.
def storage(spawner, name):
    return Mount(folder, {{ project ~ '-user-' }} + name, type="volume", labels=labels)
{% endif %}


def prepare(spawner):
    name = spawner.template_namespace()["username"]
    spawner.extra_container_spec = {"mounts": [storage(spawner, name)], "labels": labels_of_notebooks}


c.Spawner.pre_spawn_hook = prepare
