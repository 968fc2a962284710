
# One container for each person, in the network of the notebooks, where the database is not.
c.JupyterHub.spawner_class = "docker"
c.DockerSpawner.pull_policy = "never"
c.DockerSpawner.remove = True
c.DockerSpawner.mounts = [
    {"type": "volume", "source": {{ project ~ '-user-{username}' }}, "target": folder, "labels": labels},
]

# ray.init() in a notebook follows RAY_ADDRESS.
c.Spawner.environment = {
    "LICENSE_KEY_SIGNED": os.environ["LICENSE_KEY"],
    "RAY_ADDRESS": os.environ["RAY_ADDRESS"],
}
