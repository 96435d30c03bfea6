"""Providers: their definitions, request templates and extraction rules."""

from adyton.sources.credentials import Window
from adyton.sources.definition import ProviderDefinition
from adyton.sources.extraction import extract
from adyton.sources.loader import load
from adyton.sources.template import Request, render

__all__ = ["ProviderDefinition", "Request", "Window", "extract", "load", "render"]
