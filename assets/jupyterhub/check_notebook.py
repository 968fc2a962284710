# Starts a notebook as the hub does it for people, runs a program in it, and removes it again; prints what the program printed.
#
# The argument is the program, such as `ask_ray.py`. This one runs in the hub's container, with nothing but what JupyterHub brings. It goes by the token of the
# installer's own check, which opens the notebook of one user whom nobody else is. A notebook that still starts when the time is over is left to start: the
# next try goes on with it.
import asyncio
import json
import os
import sys
import time
import uuid

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

USER = "installer-check"
HUB = "http://localhost:8000/hub/api/users/" + USER
NOTEBOOK = "localhost:8000/user/" + USER + "/api/"

# The hub's own variables: not all of them come to every program in its container.
with open("/proc/1/environ", encoding="utf-8") as file:
    os.environ.update(line.split("=", 1) for line in file.read().split("\0") if "=" in line)

LOGIN = {"Authorization": "token " + os.environ["HUB_CHECK_TOKEN"]}
OVER = time.monotonic() + 50


class Lost(Exception):
    """What is wrong, in one line."""


async def call(method, url, body=None):
    request = HTTPRequest(url, method, headers=LOGIN, body=body, allow_nonstandard_methods=True, request_timeout=20)
    answer = await AsyncHTTPClient().fetch(request, raise_error=False)
    if answer.error and not isinstance(answer.error, HTTPClientError):
        raise answer.error
    return answer.code, (json.loads(answer.body) if answer.body.strip() else None)


async def server():
    """What the hub knows of the notebook; nothing when there is none."""
    code, user = await call("GET", HUB)
    if code == 404:
        return None
    if code != 200:
        raise Lost(f"the hub answers {code} when asked for {USER}")
    return user["servers"].get("")


async def start():
    if await server() is None:
        # 409 where the user is known already.
        await call("POST", HUB, "")
        code, said = await call("POST", HUB + "/server", "")
        if code not in (201, 202):
            raise Lost(f"the notebook does not start: {(said or {}).get('message', code)}")
    while True:
        found = await server()
        if found is None:
            raise Lost("the notebook ended while it started: the hub's log says why")
        if found["ready"]:
            return
        if time.monotonic() > OVER:
            sys.exit("the notebook is still starting")
        await asyncio.sleep(0.3)


async def ask():
    """Opens a notebook in the person's folder, runs the code in it and returns what it printed."""
    opened = {"path": "installer-check.ipynb", "name": "", "type": "notebook", "kernel": {"name": "python3"}}
    code, session = await call("POST", f"http://{NOTEBOOK}sessions", json.dumps(opened))
    if code != 201:
        raise Lost(f"the notebook answers {code} when asked for a kernel")
    channel = await websocket_connect(HTTPRequest(f"ws://{NOTEBOOK}kernels/{session['kernel']['id']}/channels", headers=LOGIN))
    asked = uuid.uuid4().hex
    header = {"msg_id": asked, "msg_type": "execute_request", "username": "", "session": uuid.uuid4().hex, "version": "5.3"}
    content = {"code": sys.argv[1], "silent": False, "store_history": False, "allow_stdin": False}
    await channel.write_message(
        json.dumps({"channel": "shell", "header": header, "parent_header": {}, "metadata": {}, "content": content})
    )
    printed = ""
    while True:
        text = await asyncio.wait_for(channel.read_message(), max(1, OVER - time.monotonic()))
        if text is None:
            raise Lost("the notebook hung up")
        message = json.loads(text)
        kind, content = message["header"]["msg_type"], message["content"]
        if message["parent_header"].get("msg_id") != asked:
            continue
        if kind == "stream" and content["name"] == "stdout":
            printed += content["text"]
        elif kind == "error":
            # Of what is printed only the last line is shown: a reason of several lines becomes one.
            raise Lost(" ".join(f"in the notebook: {content['ename']}: {content['evalue']}".split()))
        elif kind == "status" and content["execution_state"] == "idle":
            return printed.strip()


async def remove():
    await call("DELETE", HUB + "/server")
    for _ in range(60):
        if await server() is None:
            return
        await asyncio.sleep(0.3)
    raise Lost("the notebook is not removed")


async def main():
    await start()
    try:
        found = await ask()
    except asyncio.TimeoutError:
        raise Lost("the notebook does not answer in time") from None
    finally:
        await remove()
    print(found)


try:
    asyncio.run(main())
except (Lost, OSError, HTTPClientError) as error:
    sys.exit(str(error))
