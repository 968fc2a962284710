//! Image archives and how they reach a host.
