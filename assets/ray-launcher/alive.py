# Waits until the head leads so many nodes, and prints how many when it changes; the last line is what holds now. Runs in Ray's image.
#
#   python alive.py HEAD NODES SECONDS
import json
import sys
import time
import urllib.request

head, wanted, patience = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
url = "http://%s:8265/nodes?view=summary" % ("[%s]" % head if ":" in head else head)
# Nothing on the way to the hosts of a cluster is reached by a proxy.
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def alive():
    with opener.open(url, timeout=10) as answer:
        nodes = json.load(answer)["data"]["summary"]
    return sum(node["raylet"].get("state") == "ALIVE" for node in nodes)


until = time.monotonic() + patience
said = None
while True:
    try:
        count = alive()
        text = "%d of %d nodes are alive" % (count, wanted)
    except (OSError, ValueError, KeyError) as error:
        count, text = 0, "the head %s does not answer: %s" % (head, error)
    if text != said:
        print(text, flush=True)
        said = text
    if count >= wanted:
        sys.exit(0)
    if time.monotonic() >= until:
        sys.exit(1)
    time.sleep(2)
