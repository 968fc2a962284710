# Prints how many Ray nodes are alive and, unless `count` is asked for alone, their addresses in order. Runs in the head's container.
import logging
import sys

import ray

ray.init(address="auto", log_to_driver=False, logging_level=logging.ERROR)
# A node that came back stands in the list twice: only the living count.
alive = [node["NodeManagerAddress"] for node in ray.nodes() if node["Alive"]]
ray.shutdown()
words = [str(len(alive))]
if sys.argv[1:] != ["count"]:
    words += sorted(alive)
print(" ".join(words))
