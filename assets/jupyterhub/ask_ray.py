# Runs in a notebook: the person's folder can be written to, and so many nodes of Ray are alive.
import os, tempfile, ray
tempfile.TemporaryFile(dir=os.getcwd()).close()
ray.init(log_to_driver=False)
print(sum(node["Alive"] for node in ray.nodes()))
ray.shutdown()
