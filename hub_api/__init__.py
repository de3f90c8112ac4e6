"""The real-time layer of the hub: webhooks in, messages out, conversations between."""

__version__ = "0.1.0"
