"""Paths and URLs, and the objects of other libraries that stand for them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Union
from urllib.parse import urlsplit

from .errors import UsageError

#: A path, a URL, or an object that knows one: ``pathlib``, ``upath``, ``fsspec`` (open files and mappers), ``obstore`` and
#: ``zarr`` stores.
PathLike = Union[str, "os.PathLike[str]", Any]

#: Settings of an object store's client, by the names of ``--store-option``, which are those of obstore.
StoreOptions = Mapping[str, Any]

#: What fsspec calls a scheme that is called otherwise here.
_SCHEMES = {"gcs": "gs", "local": "file", "adl": "abfss", "s3n": "s3"}

#: What fsspec's file systems call a setting that is called otherwise here.
_SETTINGS = {
    "anon": "anonymous",
    "key": "aws_access_key_id",
    "secret": "aws_secret_access_key",
    "token": "aws_session_token",
    "endpoint_url": "aws_endpoint",
    "account_name": "azure_storage_account_name",
    "account_key": "azure_storage_account_key",
    "sas_token": "azure_storage_sas_key",
}


def resolve(place: PathLike, options: StoreOptions | None = None) -> tuple[str, dict[str, str]]:
    """The path or URL that an object stands for, and the settings that it brings along.

    Raises:
        UsageError: The object stands for no place that this process and others can open.
    """
    url, brought = _resolve(place)
    given = {key: _text(value) for key, value in (options or {}).items()}
    return _url(url), {**brought, **given}


def _resolve(place: PathLike) -> tuple[str, dict[str, str]]:
    if isinstance(place, str):
        return place, {}
    kind = f"{type(place).__module__}.{type(place).__qualname__}"
    if kind.startswith("obstore."):
        return _of_obstore(place)
    if kind.startswith("zarr."):
        return _of_zarr(place)
    fs = getattr(place, "fs", None)
    if fs is not None and hasattr(fs, "unstrip_protocol"):
        inside = getattr(place, "root", None) or getattr(place, "path", None)
        if isinstance(inside, str):
            return _of_fsspec(fs, inside)
    if isinstance(place, os.PathLike):
        # A upath says its URL as text, and its path alone by the protocol of paths.
        text = str(place)
        return (text, {}) if "://" in text else (os.fspath(place), {})
    raise UsageError(f"{place!r} is neither a path nor a URL, nor a store of fsspec, obstore or zarr", 2)


def _of_fsspec(fs: Any, inside: str) -> tuple[str, dict[str, str]]:
    url: str = fs.unstrip_protocol(inside)
    settings = {**getattr(fs, "storage_options", {}), **(getattr(fs, "client_kwargs", None) or {})}
    found = {name: _text(settings[key]) for key, name in _SETTINGS.items() if settings.get(key)}
    return url, found


def _of_obstore(store: Any) -> tuple[str, dict[str, str]]:
    kind = type(store).__name__
    prefix = str(getattr(store, "prefix", None) or "")
    if kind == "LocalStore":
        return prefix, {}
    if kind == "HTTPStore":
        return str(store.url), {}
    if kind == "MemoryStore":
        raise UsageError("a MemoryStore of obstore is known to obstore alone", 2)
    config = {str(key): _text(value) for key, value in dict(store.config).items()}
    scheme, bucket = {
        "S3Store": ("s3", "bucket"),
        "GCSStore": ("gs", "bucket"),
        "AzureStore": ("az", "container_name"),
    }[kind]
    for name in (bucket, f"aws_{bucket}", f"google_{bucket}", f"azure_{bucket}"):
        if name in config:
            return f"{scheme}://{config.pop(name)}/{prefix.strip('/')}".rstrip("/"), config
    raise UsageError(f"{store!r} names no bucket", 2)


def _of_zarr(store: Any) -> tuple[str, dict[str, str]]:
    inner = getattr(store, "store_path", None)
    if inner is not None:  # A group or an array.
        url, options = _of_zarr(inner.store)
        return "/".join(part for part in (url.rstrip("/"), inner.path) if part), options
    root = getattr(store, "root", None)
    if root is not None:
        return str(root), {}
    if getattr(store, "fs", None) is not None:
        return _of_fsspec(store.fs, store.path)
    if type(getattr(store, "store", None)).__module__.startswith("obstore"):
        return _of_obstore(store.store)
    raise UsageError(f"{store!r} is known to this process alone", 2)


def _url(url: str) -> str:
    """The same place in the words of the program."""
    if "::" in url.split("://", 1)[0]:
        raise UsageError(f"{url}: a chain of file systems cannot be opened; name the place itself", 2)
    scheme, mark, rest = url.partition("://")
    return f"{_SCHEMES.get(scheme, scheme)}{mark}{rest}" if mark else url


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def local_path(url: str) -> str | None:
    """The path of a place of this machine; ``None`` for all others."""
    if "://" not in url:
        return None if url.startswith("memory:") else url
    from urllib.request import url2pathname

    parts = urlsplit(url)
    return url2pathname(parts.path) if parts.scheme == "file" else None
