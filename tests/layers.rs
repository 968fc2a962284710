//! Keeps the layers apart, the files small, and products out of the code.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read the sources must fail"
)]

use std::path::{Path, PathBuf};

/// Words that must not appear in the code of a folder (and of the file of the same name beside it).
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "src/model",
        &[
            "crate::ui",
            "crate::engine",
            "crate::transport",
            "crate::presets",
            "crate::settings",
            "crate::wizard",
            "crate::images",
            "crate::logs",
            "crate::commands",
            "crate::report",
            "crate::cli",
            "ratatui",
            "ssh2",
            "bollard",
            "inquire",
            "indicatif",
            "fs_err",
            "std::fs",
            "std::net::Tcp",
            "println!",
        ],
    ),
    (
        "src/wizard",
        &[
            "crate::ui",
            "crate::engine",
            "crate::transport",
            "ratatui",
            "inquire",
        ],
    ),
    (
        "src/engine",
        &[
            "crate::ui",
            "crate::cli",
            "crate::commands",
            "crate::report",
            "crate::wizard",
            "ratatui",
            "inquire",
            "indicatif",
            "ssh2::",
            "bollard::",
            "println!",
        ],
    ),
    (
        "src/transport",
        &[
            "crate::ui",
            "crate::engine",
            "crate::presets",
            "crate::settings",
            "crate::wizard",
            "crate::commands",
            "crate::report",
            "ratatui",
            "inquire",
            "indicatif",
            "println!",
        ],
    ),
    (
        "src/ui",
        &["crate::transport", "crate::rehearsal", "ssh2", "bollard"],
    ),
    (
        "src/images",
        &["crate::ui", "crate::engine", "crate::report"],
    ),
    ("src/logs", &["crate::ui", "crate::engine", "crate::report"]),
    (
        "src/rehearsal",
        &[
            "crate::ui",
            "crate::engine",
            "crate::presets",
            "crate::wizard",
        ],
    ),
];

/// Products: presets know them, code does not.
const PRODUCTS: &[&str] = &[
    "jupyterhub",
    "kuberay",
    "cybergis",
    "microk8s",
    "ray",
    "postgres",
    "redis",
];

/// Where products may be named: the rehearsal plays the part of the customer's machines, with stand-ins of the real images.
const KNOWS_PRODUCTS: &[&str] = &["src/rehearsal", "src/rehearsal.rs"];

/// Most lines a source file may have; documentation does not count, or it would be the first thing to go.
const MOST_LINES: usize = 400;

/// Most lines of a file that only tests are built from.
const MOST_LINES_OF_TESTS: usize = 600;

/// One line of code: where it stands and what it says, comments left out.
struct Line {
    place: String,
    code: String,
}

#[test]
fn layers_use_only_what_is_below_them() {
    let mut wrong = Vec::new();
    for (folder, words) in FORBIDDEN {
        for line in code_of(folder) {
            for word in *words {
                if line.code.contains(word) {
                    wrong.push(format!(
                        "{}: `{word}` does not belong in {folder}",
                        line.place
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn code_knows_no_product() {
    let mut wrong = Vec::new();
    for line in code_of("src") {
        if KNOWS_PRODUCTS
            .iter()
            .any(|known| line.place.starts_with(known))
        {
            continue;
        }
        let words = line.code.split(|c: char| !c.is_ascii_alphanumeric());
        for word in words.map(str::to_ascii_lowercase) {
            if PRODUCTS.contains(&word.as_str()) {
                wrong.push(format!("{}: names the product `{word}`", line.place));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn files_are_small_and_stand_beside_their_folder() {
    let mut wrong = Vec::new();
    for path in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = fs_err::read_to_string(&path).unwrap();
        let documentation = |line: &&str| line.trim_start().starts_with("//");
        let lines = text.lines().filter(|line| !documentation(line)).count();
        let most = if is_for_tests(&path) {
            MOST_LINES_OF_TESTS
        } else {
            MOST_LINES
        };
        if lines > most {
            wrong.push(format!("{}: {lines} lines, at most {most}", shown(&path)));
        }
        if path.ends_with("mod.rs") {
            wrong.push(format!("{}: name it after its folder", shown(&path)));
        }
        if !text.starts_with("//!") && !is_for_tests(&path) {
            wrong.push(format!(
                "{}: begin with `//!` and what it is for",
                shown(&path)
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn nothing_is_put_off_or_switched_off() {
    let mut wrong = Vec::new();
    for place in ["src", "tests"] {
        for path in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(place)) {
            if path.ends_with("tests/layers.rs") {
                continue;
            }
            let text = fs_err::read_to_string(&path).unwrap();
            for word in ["TODO", "FIXME", "XXX", "#[ignore", "#[allow("] {
                if text.contains(word) {
                    wrong.push(format!("{}: holds `{word}`", shown(&path)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Returns the code lines of a folder and of the file beside it: no comments, no test modules.
fn code_of(folder: &str) -> Vec<Line> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let beside = root.join(format!("{folder}.rs"));
    let files = sources(&root.join(folder))
        .into_iter()
        .chain(beside.is_file().then_some(beside));
    files.flat_map(|path| code_lines(&path)).collect()
}

/// Returns the code lines of one file; what only tests are built from does not count.
fn code_lines(path: &Path) -> Vec<Line> {
    if is_for_tests(path) {
        return Vec::new();
    }
    let text = fs_err::read_to_string(path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let mut code = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        if lines[at].trim() == "#[cfg(test)]" {
            // A module in a file of its own takes one line; anything else is the test module that ends a file.
            if !lines
                .get(at + 1)
                .is_some_and(|next| next.trim().ends_with(';'))
            {
                break;
            }
            at += 1;
        } else {
            code.push(Line {
                place: format!("{}:{}", shown(path), at + 1),
                code: without_comment(lines[at]).to_owned(),
            });
        }
        at += 1;
    }
    code
}

/// Returns whether a file, or a folder above it, is a module that `#[cfg(test)]` declares.
fn is_for_tests(path: &Path) -> bool {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    path.ancestors()
        .take_while(|ancestor| *ancestor != src)
        .any(declared_for_tests)
}

/// Returns whether the parent module declares this file or folder for tests only.
fn declared_for_tests(path: &Path) -> bool {
    let (Some(name), Some(folder)) = (path.file_stem(), path.parent()) else {
        return false;
    };
    let name = name.to_string_lossy();
    let parents = [folder.with_extension("rs"), folder.join("lib.rs")];
    parents
        .iter()
        .filter(|parent| parent.is_file())
        .any(|parent| {
            let text = fs_err::read_to_string(parent).unwrap();
            let lines: Vec<&str> = text.lines().map(str::trim).collect();
            lines
                .windows(2)
                .any(|pair| pair[0] == "#[cfg(test)]" && pair[1].ends_with(&format!("mod {name};")))
        })
}

/// Returns a line without its comment; an address such as `https://…` is no comment.
fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with("//") {
        return "";
    }
    line.split(" //").next().unwrap_or_default()
}

/// Returns every Rust file below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs_err::read_dir(folder) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Returns a path as seen from the package.
fn shown(path: &Path) -> String {
    path.strip_prefix(env!("CARGO_MANIFEST_DIR"))
        .unwrap_or(path)
        .display()
        .to_string()
}
