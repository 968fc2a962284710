# Names the people whose notebooks run on another image than the one that notebooks are started with now; the argument is what all their containers' names begin
# with. Runs in the hub's container, which has Docker's socket and, for its spawner, Docker's library. The last line printed is the finding.
import os
import sys

import docker

begin = sys.argv[1]
client = docker.from_env()
now = client.images.get(os.environ["DOCKER_NOTEBOOK_IMAGE"]).id
# Whose notebook runs on which image, by its id: the image of a container may have lost its name.
running = {c.name[len(begin) :]: c.attrs["Image"] for c in client.containers.list(ignore_removed=True) if c.name.startswith(begin)}
# That of the installer's own check comes and goes at the same time; the spawner writes the hyphen in its name in a way of its own.
running = {name: image for name, image in running.items() if not (name.startswith("installer") and name.endswith("check"))}
old = sorted(name for name, image in running.items() if image != now)
print(f"{len(old)} of {len(running)} on another: {', '.join(old)}" if old else "all of them")
