"""Services of a few lines: `tiny.py WHAT [WORD…]`. Each says in its output when it is up."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import time


def say(*words: object) -> None:
    print(*words, flush=True)


def serve(port: str, status: str = "200", host: str = "127.0.0.1") -> None:
    """Answer every request with this status."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, int(port)), family=family, backlog=64) as server:
        say("up", os.getpid(), server.getsockname()[1])
        while True:
            connection, _ = server.accept()
            with connection:
                reply(connection, status)


def reply(connection: socket.socket, status: str = "200") -> None:
    """Answer one request."""
    connection.recv(65536)
    head = f"HTTP/1.1 {status} x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    connection.sendall(head.encode())


def beside_metrics(port: str, *status: str) -> None:
    """Listen on another port, too; without a status, answer nothing on this one."""
    with socket.create_server(("127.0.0.1", 0)):
        if status:
            serve(port, *status)
        with socket.create_server(("127.0.0.1", int(port))):
            time.sleep(600)


def serve_tls(port: str, certificate: str) -> None:
    """Answer every request by HTTPS, with the certificate and key in this file."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", int(port)), backlog=64) as server:
        say("up", os.getpid())
        while True:
            connection, _ = server.accept()
            try:
                with context.wrap_socket(connection, server_side=True) as secured:
                    reply(secured)
            except OSError as refused:
                say("no request:", refused)


def end(code: str, *words: str) -> None:
    """Say something on standard error, and end."""
    sys.stderr.write("\n".join(words) + "\n")
    sys.exit(int(code))


def sleep() -> None:
    """Be there, and nothing else."""
    say("up", os.getpid())
    time.sleep(600)


def stubborn(port: str) -> None:
    """Serve from a child; neither ends by SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say("parent", os.getpid())
    subprocess.run([sys.executable, "-S", __file__, "serve", port], check=False)


def wrapper(port: str) -> None:
    """Serve from a child that says good-bye slowly, and be gone at once oneself."""
    subprocess.Popen([sys.executable, "-S", __file__, "slow_to_leave", port])
    time.sleep(600)


def slow_to_leave(port: str) -> None:
    """Take a while to end after SIGTERM."""

    def leave(*_: object) -> None:
        time.sleep(0.3)
        say("left in peace")
        sys.exit(0)

    signal.signal(signal.SIGTERM, leave)
    serve(port)


def like_nginx(port: str) -> None:
    """Finish what is under way at SIGQUIT; SIGTERM ends it at once."""

    def finish(*_: object) -> None:
        say("finished")
        sys.exit(0)

    signal.signal(signal.SIGQUIT, finish)
    serve(port)


def launcher() -> None:
    """Leave a child behind, and end well."""
    child = subprocess.Popen([sys.executable, "-S", __file__, "sleep"])
    say("left behind", child.pid)


def note(file: str, *words: str) -> None:
    """Write words down, a line for each call."""
    with open(file, "a", encoding="utf-8") as notes:  # noqa: PTH123 - starts in no time
        notes.write(" ".join(words) + "\n")


def show(port: str, *names: str) -> None:
    """Say what these environment variables hold, then serve."""
    for name in names:
        say(f"{name}={os.environ.get(name)}")
    serve(port)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
