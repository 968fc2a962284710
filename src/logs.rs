//! Collecting and redacting logs.
