# Reaches the Ray cluster as a notebook does; the argument is its address. The last line printed is the finding.
import platform
import sys
import time

import ray

OVER = time.monotonic() + 120
mine = f"Ray {ray.__version__} on Python {platform.python_version()}"
while True:
    try:
        ray.init(sys.argv[1], log_to_driver=False)
        break
    except Exception as error:
        # A busy head may take too long to start what serves one client; other versions stay other versions, and Ray says which meet.
        if isinstance(error, ConnectionError) and time.monotonic() < OVER:
            time.sleep(2)
            continue
        print(f"the notebook image ({mine}) cannot work on the cluster: {' '.join(str(error).split())}")
        sys.exit(1)
print(f"the notebook image works on the cluster: {mine}")
