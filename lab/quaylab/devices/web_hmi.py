"""The web page of an HMI: HTTP with Basic login or a login form, HTTPS with a chosen range of versions."""

import argparse
import base64
import http.server
import ssl
import threading
import urllib.parse

from quaylab.scenario_clock import now


class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    product = "Crane HMI"
    login = "none"
    account = ("", "")

    def version_string(self) -> str:
        return self.product

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(now() if timestamp is None else timestamp)

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, status: int, body: str, *headers: tuple[str, str]) -> None:
        text = f"<html><head><title>{self.product}</title></head><body>{body}</body></html>".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(text)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def admitted(self) -> bool:
        expected = base64.b64encode(":".join(self.account).encode()).decode()
        return self.headers.get("Authorization") == f"Basic {expected}"

    def do_GET(self) -> None:
        if self.login == "basic" and not self.admitted():
            return self.answer(401, "login", ("WWW-Authenticate", f'Basic realm="{self.product}"'))
        if self.login == "form" and "session=" not in self.headers.get("Cookie", ""):
            return self.answer(200, '<form method="post" action="/login"><input name="username">'
                                    '<input type="password" name="password"></form>')
        return self.answer(200, "hoist 12.4 m, trolley 31.0 m, wind 7 m/s")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        form = dict(urllib.parse.parse_qsl(body))
        if (form.get("username"), form.get("password")) == self.account:
            return self.answer(302, "", ("Location", "/"), ("Set-Cookie", "session=5f1c; HttpOnly"))
        return self.answer(401, "wrong name or password")


def _tls(args: argparse.Namespace) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if args.tls == "1.0":
        # What this panel's firmware offers; today's library has to be talked into it.
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1
    else:
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.maximum_version = ssl.TLSVersion.TLSv1_3 if args.tls == "1.3" else ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(args.certificate)
    return context


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--product", required=True)
    parser.add_argument("--http", action="store_true")
    parser.add_argument("--login", choices=("none", "basic", "form"), default="none")
    parser.add_argument("--account", default=":")
    parser.add_argument("--tls", choices=("1.0", "1.2", "1.3"))
    parser.add_argument("--certificate")
    args = parser.parse_args()
    Page.product, Page.login = args.product, args.login
    Page.account = tuple(args.account.split(":", 1))
    servers = []
    if args.http:
        servers.append(http.server.ThreadingHTTPServer(("0.0.0.0", 80), Page))
    if args.tls:
        secure = http.server.ThreadingHTTPServer(("0.0.0.0", 443), Page)
        secure.socket = _tls(args).wrap_socket(secure.socket, server_side=True)
        servers.append(secure)
    threads = [threading.Thread(target=s.serve_forever) for s in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
