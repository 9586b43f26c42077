"""The web process: serves the app on $PORT."""

import os
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, make_server

from greeter import application


class Server(ThreadingMixIn, WSGIServer):
    """A thread a request."""

    daemon_threads = True


if __name__ == "__main__":
    with make_server("0.0.0.0", int(os.environ["PORT"]), application, server_class=Server) as server:
        print(f"listening on {os.environ['PORT']}", flush=True)
        server.serve_forever()
