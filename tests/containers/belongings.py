"""What a run has in Docker at this moment."""

from collections.abc import Mapping

import docker

__all__ = ["Belongings"]


class Belongings:
    """Everything that carries a run's labels, and the volumes of its containers."""

    def __init__(self, client: docker.DockerClient, labels: Mapping[str, str]) -> None:
        self._client = client
        self._filters = {"label": [f"{name}={value}" for name, value in labels.items()]}

    def __repr__(self) -> str:
        return f"Belongings(containers={self.containers()!r}, networks={self.networks()!r})"

    def containers(self) -> list[str]:
        """Names of containers, ended ones too."""
        found = self._client.containers.list(all=True, filters=self._filters, sparse=True)
        return sorted(name for container in found for name in container.attrs["Names"])

    def networks(self) -> list[str]:
        """Names of networks."""
        return sorted(network.name for network in self._client.networks.list(filters=self._filters))

    def volumes(self) -> set[str]:
        """Names of the containers' volumes, which carry no label themselves."""
        found = self._client.containers.list(all=True, filters=self._filters)
        mounts = [mount for container in found for mount in container.attrs["Mounts"]]
        return {mount["Name"] for mount in mounts if mount["Type"] == "volume"}

    def are_gone(self) -> bool:
        """Whether there is no container and no network."""
        return not self.containers() and not self.networks()
