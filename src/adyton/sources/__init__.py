"""Providers: their definitions, request templates and extraction rules."""

from adyton.sources.credentials import Window
from adyton.sources.custom import Inline, complete, inline
from adyton.sources.definition import FieldDefinition, ProviderDefinition
from adyton.sources.extraction import extract
from adyton.sources.loader import load
from adyton.sources.template import Request, render

__all__ = [
    "FieldDefinition",
    "Inline",
    "ProviderDefinition",
    "Request",
    "Window",
    "complete",
    "extract",
    "inline",
    "load",
    "render",
]
