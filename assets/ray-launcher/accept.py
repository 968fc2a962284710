# Lets Ray itself judge cluster.yaml as `ray up` does before it does anything, and says which key it would add by itself. Runs in Ray's image.
import contextlib
import io
import logging
import sys

import yaml

logging.disable(logging.CRITICAL)
path = sys.argv[1]
with open(path, encoding="utf-8") as text:
    ours = yaml.safe_load(text)

heard = io.StringIO()
try:
    # What is wrong is told by exceptions; what is said beside it only gets in the way.
    with contextlib.redirect_stdout(heard), contextlib.redirect_stderr(heard):
        from ray.autoscaler._private.providers import _get_default_config
        from ray.autoscaler._private.util import prepare_config, validate_config

        validate_config(prepare_config(ours))
        defaults = _get_default_config(ours["provider"])
except BaseException as error:
    reason = str(getattr(error, "message", error)).strip() or heard.getvalue().strip() or type(error).__name__
    sys.exit("Ray does not accept cluster.yaml: " + reason.splitlines()[0])

# For own hosts Ray makes the only type of node itself.
own = {"available_node_types", "head_node_type"} if ours["provider"]["type"] == "local" else set()
added = sorted(set(defaults) - set(ours) - own)
if added:
    sys.exit("cluster.yaml leaves to Ray's defaults: " + ", ".join(added))
print("Ray accepts cluster.yaml")
