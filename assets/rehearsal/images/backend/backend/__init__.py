"""The stand-in for Syntho's backend."""
