"""An app that answers with the request it got; /slow takes longer than the edge waits."""

import http.server
import json
import sys
import time


class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        received = len(self.rfile.read(length))
        if self.path == "/slow":
            time.sleep(3)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = json.dumps({"headers": headers, "received": received}).encode()
        self.send_response(200)
        self.send_header("X-Slipway-Release", "the app's own idea")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Echo).serve_forever()
