# Prints the status code with which the Core API answers.
import os
import urllib.request
url = "http://localhost:" + os.environ["PORT"] + "/api/v1/status"
print(urllib.request.urlopen(url, timeout=10).status)
