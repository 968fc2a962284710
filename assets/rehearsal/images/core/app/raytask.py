"""Runs real Ray work over the Ray client, in a process of its own: a session that hangs or a head that restarts ends with it.

`python -m app.raytask ADDRESS nodes` lists the nodes that are alive; `… spread` runs a task on each of them. Both print JSON.
"""

import json
import os
import subprocess
import sys
import time

TIME_LIMIT = 90


def in_process(address, what):
    """Returns what the child process found, or raises with its last line."""
    child = subprocess.run(
        [sys.executable, "-m", "app.raytask", address, what],
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT,
        check=False,
    )
    if child.returncode != 0:
        raise RuntimeError((child.stderr.strip().splitlines() or ["no reason given"])[-1])
    return json.loads(child.stdout.splitlines()[-1])


def main(address, what):
    # The container's RAY_ADDRESS is a bare host, which Ray itself would take for a cluster's address.
    os.environ.pop("RAY_ADDRESS", None)
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    started = time.monotonic()
    ray.init(f"ray://{address}:10001", log_to_driver=False)
    alive = {node["NodeID"]: node["NodeManagerAddress"] for node in ray.nodes() if node["Alive"]}
    result = {"ray_version": ray.__version__, "nodes": sorted(alive.values())}
    if what == "spread":

        @ray.remote(num_cpus=0)
        def where():
            import os
            import platform

            return {"hostname": platform.node(), "python": platform.python_version(), "pid": os.getpid()}

        tasks = {
            node: where.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node_id=node, soft=False)).remote()
            for node in alive
        }
        result["ran_on"] = [{"address": alive[node], **ray.get(task, timeout=60)} for node, task in tasks.items()]
    result["seconds"] = round(time.monotonic() - started, 1)
    ray.shutdown()
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
