//! The wizard: whatever is pressed, pasted or clicked, what was accepted is on disk before the next key, and comes back after a kill.

use std::sync::Arc;

use camino::Utf8Path;
use jiff::{SignedDuration, Timestamp};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use ratatui::crossterm::event::{Event as Input, KeyCode, KeyModifiers};
use ratatui::layout::Size;
use syntho_installer::engine::session::Connector;
use syntho_installer::engine::store::{DraftId, DraftStore, Home};
use syntho_installer::model::operator::Operator;
use syntho_installer::presets::Presets;
use syntho_installer::transport::{ConnectSpec, Host, TransportError};
use syntho_installer::ui::desk::{Desk, Outfit};
use syntho_installer::ui::tui::wizard::WizardScreen;
use syntho_installer::ui::tui::{App, Effect};
use syntho_installer::wizard::Draft;

use crate::{draw, key, random_input, random_look, random_size};

/// How much happens in one round.
const EVENTS: usize = 150;

/// Hosts that nobody answers at.
struct Nowhere;

impl Connector for Nowhere {
    fn connect(
        &self,
        _spec: &ConnectSpec,
        _operator: &dyn Operator,
    ) -> Result<Arc<dyn Host>, TransportError> {
        Err(TransportError::Lost {
            detail: "nobody answers\u{1b}[2J".to_owned(),
        })
    }
}

/// Shakes one wizard.
pub(crate) fn round(seed: u64) {
    let mut dice = SmallRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(folder.path()).unwrap();
    let drafts = Home::new(root.join("home")).drafts();
    let mut size = random_size(&mut dice);
    let mut now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    let mut app = open(root, Draft::new(root), &mut dice, size, now);
    for _ in 0..EVENTS {
        let effect = match dice.random_range(0..12) {
            0 => {
                size = random_size(&mut dice);
                app.heed(&Input::Resize(size.width, size.height))
            }
            _ => app.heed(&random_key(&mut dice, size)),
        };
        now += SignedDuration::from_millis(dice.random_range(0..800));
        app.turn(now);
        draw(&app, size);
        match kept(&drafts) {
            Some(kept) => assert_eq!(kept, said(&app), "what was accepted is on disk"),
            None => assert!(said(&app).is_empty(), "{:?} is not on disk", said(&app)),
        }
        // As after a kill: only what is on disk is left.
        if matches!(effect, Effect::Leave) || dice.random_bool(0.02) {
            let Some(draft) = kept(&drafts) else { return };
            let before = (draft.place.page, draft.fields.clone());
            app = open(root, draft, &mut dice, size, now);
            let after = app.screen().draft();
            assert_eq!((after.place.page, after.fields.clone()), before);
        }
    }
}

/// Returns what is on disk.
fn kept(drafts: &DraftStore) -> Option<Draft> {
    let saved = drafts.all().unwrap();
    saved
        .first()
        .map(|saved| Draft::from_text(&saved.text).unwrap())
}

/// Returns the draft as it stands and as it would be kept.
fn said(app: &App<WizardScreen>) -> Draft {
    let text = app.screen().draft().to_text().unwrap();
    Draft::from_text(&text).unwrap()
}

fn open(
    root: &Utf8Path,
    draft: Draft,
    dice: &mut SmallRng,
    size: Size,
    now: Timestamp,
) -> App<WizardScreen> {
    let presets = Presets::new(None);
    let known = presets.ids().into_iter();
    let outfit = Outfit {
        store: Home::new(root.join("home")).drafts(),
        images: root.join("home/images"),
        presets: known.map(|id| presets.load(&id).unwrap()).collect(),
        assets: presets.assets(),
        asks_registries: false,
        connector: Arc::new(Nowhere),
        home: Some(root.to_owned()),
        is_set: |_| false,
        clock: || Timestamp::UNIX_EPOCH,
    };
    let id = DraftId::new(Timestamp::UNIX_EPOCH, 1);
    let screen = WizardScreen::new(Desk::new(outfit, id, draft));
    App::new(screen, random_look(dice), size, now)
}

/// Returns a key; more often than not one that leads somewhere in a wizard. No `/` is typed, so that nothing is written outside the round's folder.
fn random_key(dice: &mut SmallRng, size: Size) -> Input {
    let keys: Vec<char> = "aetixdlgcpw12 yn.0-=,éx漢".chars().collect();
    match dice.random_range(0..8) {
        0 | 1 => key(
            KeyCode::Char(*keys.choose(dice).unwrap()),
            KeyModifiers::NONE,
        ),
        2 => {
            let function = dice.random_range(2..9);
            key(KeyCode::F(function), KeyModifiers::NONE)
        }
        3 => key(
            *[
                KeyCode::Enter,
                KeyCode::PageDown,
                KeyCode::PageUp,
                KeyCode::Insert,
            ]
            .choose(dice)
            .unwrap(),
            KeyModifiers::NONE,
        ),
        4 => Input::Paste("web 10.0.0.1 deploy\nray-1 10.0.0.2\n".to_owned()),
        _ => match random_input(dice, size) {
            Input::Paste(text) => Input::Paste(text.replace('/', "_")),
            Input::Key(pressed) if pressed.code == KeyCode::Char('/') => {
                key(KeyCode::Char('_'), KeyModifiers::NONE)
            }
            input => input,
        },
    }
}
