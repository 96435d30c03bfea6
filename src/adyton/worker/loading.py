"""What worker and template both read at start: the definitions, and the roots for data sources."""

from collections.abc import Mapping

from adyton.adapters.installation import Installation
from adyton.adapters.library import load_providers
from adyton.sources import ProviderDefinition
from adyton.worker.settings import WorkerSettings

__all__ = ["added_roots", "provider_definitions"]


def provider_definitions(
    settings: WorkerSettings, installation: Installation
) -> Mapping[str, ProviderDefinition]:
    """Return the built-in definitions, and those of the operator's folder."""
    folders = [installation.providers]
    if settings.providers is not None:
        folders.append(settings.providers)
    return load_providers(folders)


def added_roots(settings: WorkerSettings) -> list[str]:
    """Return the certificates (PEM) that are trusted beside Mozilla's roots."""
    if settings.added_roots is None:
        return []
    text = settings.added_roots.read_text("ascii")
    end = "-----END CERTIFICATE-----\n"
    return [part + end for part in text.split(end) if part.strip()]
