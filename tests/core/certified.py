"""Certificates for services on loopback, made for one run of the tests."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

__all__ = ["Authority", "self_signed", "server_context"]


@dataclass(frozen=True, slots=True)
class Authority:
    """An authority that no machine trusts; its files are in `folder`."""

    folder: Path
    made: trustme.CA

    @classmethod
    def in_folder(cls, folder: Path) -> "Authority":
        """A new one. Its certificate is in `certificate`."""
        folder.mkdir(exist_ok=True)
        one = cls(folder, trustme.CA())
        one.made.cert_pem.write_to_path(str(one.certificate))
        return one

    @property
    def certificate(self) -> Path:
        """The file with its own certificate."""
        return self.folder / "ca.pem"

    def issued(self, *names: str, until: datetime | None = None) -> Path:
        """A file with a certificate for these hosts (127.0.0.1) and its key."""
        names = names or ("127.0.0.1",)
        path = self.folder / f"{'_'.join(names)}.pem"
        made = self.made.issue_cert(*names, not_after=until)
        made.private_key_and_cert_chain_pem.write_to_path(str(path))
        return path

    def expired(self) -> Path:
        """A certificate for 127.0.0.1 whose time is over, and its key."""
        return self.issued(until=datetime(2020, 1, 1, tzinfo=UTC))


def self_signed(folder: Path) -> Path:
    """A file with a certificate for 127.0.0.1 that no authority has issued, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shop")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    path = folder / "self_signed.pem"
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, form, plain)
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


def server_context(certificate: Path) -> ssl.SSLContext:
    """What a server needs that has this certificate and key."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context
