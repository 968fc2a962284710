//! A still of a terminal as an SVG picture: what stands in each cell, with its colours, readable wherever pictures are.

use std::fmt::Write as _;

use camino::Utf8PathBuf;
use vt100::{Cell, Color, Screen};

/// Keeps a still of a large terminal, where `SYNTHO_STILLS` names a folder for such; `make stills` does.
pub fn keep(screen: &Screen, name: &str) {
    if let Ok(folder) = std::env::var("SYNTHO_STILLS")
        && screen.size().1.get() >= LARGE
    {
        let path = Utf8PathBuf::from(folder).join(format!("{name}.svg"));
        fs_err::write(path, svg(screen)).unwrap();
    }
}

/// Columns from which on a terminal is worth a still.
const LARGE: u16 = 120;

/// Pixels of one cell.
const WIDE: f32 = 8.4;
const TALL: f32 = 18.0;

/// Pixels around the cells.
const MARGIN: f32 = 12.0;

/// The sixteen colours of a terminal on dark ground.
const COLOURS: [&str; 16] = [
    "#15181c", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#c8ccd4",
    "#5c6370", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#ffffff",
];
const GROUND: &str = "#15181c";
const TEXT: &str = "#c8ccd4";

/// How a run of cells looks.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Looks {
    text: &'static str,
    ground: Option<&'static str>,
    bold: bool,
    dim: bool,
}

/// Draws what is to be seen.
fn svg(screen: &Screen) -> String {
    let (rows, columns) = screen.size();
    let (rows, columns) = (rows.get(), columns.get());
    let wide = f32::from(columns) * WIDE + 2.0 * MARGIN;
    let tall = f32::from(rows) * TALL + 2.0 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {wide:.0} {tall:.0}\" width=\"{wide:.0}\" height=\"{tall:.0}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{GROUND}\"/>\n\
         <g font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"14\" xml:space=\"preserve\">\n"
    );
    for row in 0..rows {
        draw_row(&mut svg, screen, row, columns);
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

fn draw_row(svg: &mut String, screen: &Screen, row: u16, columns: u16) {
    let mut column = 0;
    while column < columns {
        let start = column;
        let looks = looks(screen.cell(row, column));
        let mut text = String::new();
        while column < columns && looks_same(screen.cell(row, column), looks) {
            push_cell(&mut text, screen.cell(row, column));
            column += 1;
        }
        draw_run(svg, row, (start, column), looks, &text);
    }
}

fn draw_run(svg: &mut String, row: u16, (from, to): (u16, u16), looks: Looks, text: &str) {
    let left = MARGIN + f32::from(from) * WIDE;
    let top = MARGIN + f32::from(row) * TALL;
    let wide = f32::from(to - from) * WIDE;
    if let Some(ground) = looks.ground {
        let _ = writeln!(
            svg,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{TALL}\" fill=\"{ground}\"/>"
        );
    }
    if text.trim().is_empty() {
        return;
    }
    let weight = if looks.bold {
        " font-weight=\"bold\""
    } else {
        ""
    };
    let dim = if looks.dim { " opacity=\"0.6\"" } else { "" };
    let base = top + TALL * 0.75;
    let _ = writeln!(
        svg,
        "<text x=\"{left:.1}\" y=\"{base:.1}\" textLength=\"{wide:.1}\" fill=\"{}\"{weight}{dim}>{}</text>",
        looks.text,
        escaped(&homely(text))
    );
}

fn looks_same(cell: Option<&Cell>, wanted: Looks) -> bool {
    // The second half of a wide character has no looks of its own.
    cell.is_some_and(Cell::is_wide_continuation) || looks(cell) == wanted
}

fn push_cell(text: &mut String, cell: Option<&Cell>) {
    match cell {
        Some(cell) if cell.is_wide_continuation() => {}
        Some(cell) if cell.has_contents() => text.push_str(cell.contents()),
        _ => text.push(' '),
    }
}

fn looks(cell: Option<&Cell>) -> Looks {
    let Some(cell) = cell else {
        return Looks {
            text: TEXT,
            ground: None,
            bold: false,
            dim: false,
        };
    };
    let text = colour(cell.fgcolor());
    let ground = colour(cell.bgcolor());
    let (text, ground) = if cell.inverse() {
        (ground.unwrap_or(GROUND), Some(text.unwrap_or(TEXT)))
    } else {
        (text.unwrap_or(TEXT), ground)
    };
    Looks {
        text,
        ground,
        bold: cell.bold(),
        dim: cell.dim(),
    }
}

/// Returns a colour; the program uses the terminal's sixteen and no others.
fn colour(colour: Color) -> Option<&'static str> {
    match colour {
        Color::Idx(number) => COLOURS.get(usize::from(number)).copied(),
        Color::Default | Color::Rgb(..) => None,
    }
}

/// Writes the home of whoever makes stills as everybody's home, in as many cells.
fn homely(text: &str) -> String {
    let home = std::env::var("HOME").unwrap_or_default();
    if home.len() < 2 || !text.contains(&home) {
        return text.to_owned();
    }
    let shorter = text.replace(&home, "~");
    let lost = text.chars().count() - shorter.chars().count();
    shorter + &" ".repeat(lost)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        // A picture keeps blanks only where they cannot be broken.
        .replace(' ', "\u{a0}")
}

#[test]
fn a_still_shows_what_is_to_be_seen() {
    let mut parser = vt100::Parser::new(
        std::num::NonZero::new(2).unwrap(),
        std::num::NonZero::new(20).unwrap(),
        0,
    );
    parser.process(b"plain \x1b[32mgreen\x1b[0m <&>\r\n\x1b[7mchosen\x1b[0m \x1b[1mbold");
    let drawn = svg(parser.screen());
    assert!(drawn.contains(">green</text>"), "{drawn}");
    assert!(drawn.contains("fill=\"#98c379\""), "{drawn}");
    assert!(drawn.contains("&lt;&amp;&gt;"), "{drawn}");
    assert!(
        drawn.contains("<rect x=\"12.0\" y=\"30.0\" width=\"50.4\""),
        "{drawn}"
    );
    assert!(drawn.contains("font-weight=\"bold\">bold"), "{drawn}");
}
