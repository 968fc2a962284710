# Runs in a notebook: the person's folder can be written to, and is where files are to be kept.
import os, tempfile
tempfile.TemporaryFile(dir=os.getcwd()).close()
print("keeps files" if os.path.ismount(os.getcwd()) else os.getcwd() + " is in the container, and goes with it")
