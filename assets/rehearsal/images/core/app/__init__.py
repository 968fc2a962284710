"""The stand-in for Syntho's Core API."""
