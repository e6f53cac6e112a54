"""kjpstate: a WhatsApp bot's machine as one document, planned and applied by drift only."""

__version__ = "0.1.0"
