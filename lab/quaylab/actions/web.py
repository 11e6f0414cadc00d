"""Browses an HMI's or server's web page: plain, with Basic login, with a login form, or over TLS."""

import argparse
import http.client
import ssl
import time
import urllib.parse
from base64 import b64encode


def _connection(args: argparse.Namespace) -> http.client.HTTPConnection:
    if not args.tls:
        return http.client.HTTPConnection(args.server, 80, timeout=5)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if args.tls == "old":
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
    return http.client.HTTPSConnection(args.server, 443, timeout=5, context=context)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("--tls", choices=("new", "old"))
    parser.add_argument("--basic")
    parser.add_argument("--form")
    parser.add_argument("--agent", default="Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
    args = parser.parse_args()
    page = _connection(args)
    headers = {"User-Agent": args.agent}
    if args.basic:
        headers["Authorization"] = "Basic " + b64encode(args.basic.encode()).decode()
    page.request("GET", "/", headers=headers)
    page.getresponse().read()
    if args.form:
        name, secret = args.form.split(":", 1)
        body = urllib.parse.urlencode({"username": name, "password": secret})
        page.request("POST", "/login", body, headers | {"Content-Type": "application/x-www-form-urlencoded"})
        answer = page.getresponse()
        answer.read()
        headers["Cookie"] = (answer.getheader("Set-Cookie") or "").split(";")[0]
    time.sleep(1)
    page.request("GET", "/status", headers=headers)
    page.getresponse().read()
    page.close()


if __name__ == "__main__":
    main()
