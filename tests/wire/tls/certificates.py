"""Certificates that are made for one run of the tests."""

from dataclasses import dataclass
from pathlib import Path

import trustme

__all__ = ["Certificates", "made_in"]


@dataclass(frozen=True)
class Certificates:
    """An authority, whom nobody else trusts, and what it has signed for the name `localhost`.

    `stranger` is an authority that has signed nothing. Each of `engine` and `server` is the path of
    a certificate, with its key beside it (`key_of`).
    """

    ca: Path
    stranger: Path
    engine: Path
    server: Path

    @staticmethod
    def key_of(certificate: Path) -> Path:
        return certificate.with_suffix(".key")

    def front(self, certificate: Path | None = None) -> dict[str, str]:
        """Fields of `tls` that end it at the engine."""
        chosen = certificate or self.engine
        return {"certificate": str(chosen), "key": str(self.key_of(chosen))}

    def behind(self, ca: Path | None = None) -> dict[str, str]:
        """Fields of `tls` that verify the server."""
        return {"upstream": "verify-full", "ca": str(ca or self.ca)}


def made_in(folder: Path) -> Certificates:
    authority, stranger = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    stranger.cert_pem.write_to_path(folder / "stranger.pem")
    for name in ("engine", "server"):
        issued = authority.issue_cert("localhost")
        issued.cert_chain_pems[0].write_to_path(folder / f"{name}.crt")
        issued.private_key_pem.write_to_path(folder / f"{name}.key")
        (folder / f"{name}.key").chmod(0o600)
    return Certificates(
        folder / "ca.pem", folder / "stranger.pem", folder / "engine.crt", folder / "server.crt"
    )
