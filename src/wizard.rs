//! Which question comes next, back, skip, validate; no terminal.
