//! The tutorial for a product of one's own, as it stands in `docs/own-product.md`: its files are written and its commands run, and nothing else.

use std::process::Command;

use syntho_installer::rehearsal::VmSpec;
use syntho_installer::rehearsal::images::Release;

use crate::program;
use crate::site::{Site, release};

const TUTORIAL: &str = include_str!("../../docs/own-product.md");
/// The host that the tutorial speaks of.
const ADDRESS: &str = "10.0.0.11";

/// A block of the tutorial.
enum Block<'t> {
    /// A file, whose name stands in the line before it.
    File(&'t str, String),
    /// A command.
    Run(&'t str),
}

fn blocks() -> Vec<Block<'static>> {
    let mut blocks = Vec::new();
    let mut lines = TUTORIAL.lines();
    let mut before = "";
    while let Some(line) = lines.next() {
        let Some(kind) = line.strip_prefix("```") else {
            if !line.is_empty() {
                before = line;
            }
            continue;
        };
        let inside: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let named = before
            .strip_prefix('`')
            .and_then(|line| line.strip_suffix("`:"));
        match (kind, named) {
            ("console", _) => blocks.extend(inside.into_iter().map(Block::Run)),
            (_, Some(name)) => blocks.push(Block::File(name, inside.join("\n") + "\n")),
            _ => panic!("a block that is neither a file nor commands, after: {before}"),
        }
        before = "";
    }
    blocks
}

/// Runs a line in a shell that finds the program; returns what it prints.
fn run(site: &Site, line: &str) -> String {
    let program = site.program();
    let folder = std::path::Path::new(program.get_program())
        .parent()
        .unwrap();
    let mut command = Command::new("sh");
    command
        .args(["-c", line])
        .current_dir(&site.home)
        .env_clear();
    for (name, value) in program.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    command.env(
        "PATH",
        format!("{}:/usr/local/bin:/usr/bin:/bin", folder.display()),
    );
    program::run(command).expect_code(0).all()
}

#[test]
fn the_tutorial_does_what_it_says() {
    let mut held = release(Release::Old);
    held.retain(|image| image.starts_with("nginx:"));
    let site = Site::with(&[VmSpec::new("web").images(held)]);
    let vm = site.vm("web");
    let address = vm.address().to_string();
    // What somebody who follows it has from before: a key, and hosts that are known.
    let ssh = site.home.join(".ssh");
    fs_err::create_dir(&ssh).unwrap();
    fs_err::copy(site.fleet.private_key(), ssh.join("id_ed25519")).unwrap();
    fs_err::write(
        ssh.join("known_hosts"),
        format!("{address} {}\n", vm.host_key()),
    )
    .unwrap();
    let before = site.footprint();
    let mut said = Vec::new();
    for block in blocks() {
        match block {
            Block::File(name, text) => {
                let path = site.home.join(name);
                fs_err::create_dir_all(path.parent().unwrap()).unwrap();
                fs_err::write(path, text.replace(ADDRESS, &address)).unwrap();
            }
            Block::Run(line) => said.push((line, run(&site, &line.replace(ADDRESS, &address)))),
        }
    }
    let of = |words: &str| {
        let mut found = said.iter().filter(|(line, _)| line.contains(words));
        found
            .next()
            .unwrap_or_else(|| panic!("nothing runs {words}"))
            .1
            .clone()
    };
    assert!(
        of("presets presets").contains("notice-board"),
        "{}",
        of("presets presets")
    );
    assert!(of("answers example").contains("preset = \"notice-board\""));
    assert!(
        of("plan ").contains("There is a compressed copy of the page"),
        "{}",
        of("plan ")
    );
    assert!(
        of("curl").contains("<p>The lift works again</p>"),
        "{}",
        of("curl")
    );
    let log = fs_err::read_to_string(site.home.join("board.log")).unwrap();
    assert!(log.contains("web/board/web"), "{log}");
    site.expect_footprint(&before);
}
