use std::sync::Condvar;

use super::*;
use crate::engine::action::Rights;
use crate::engine::lock::Owner;
use crate::engine::sample::Site;
use crate::model::ids::RunId;

fn locks(site: &Site, run: &str, owner: &str) -> BTreeMap<HostName, HostLock> {
    let lock = |name: &HostName| HostLock {
        // The sample's machines share a file system, so each has a folder of its own here.
        folder: format!("{}/{name}", site.base()),
        run: RunId(run.to_owned()),
        owner: Owner {
            name: owner.to_owned(),
            pid: 1,
        },
        since: "2026-11-20 12:00 UTC".to_owned(),
        rights: Rights::Login,
    };
    site.machines
        .keys()
        .map(|name| (name.clone(), lock(name)))
        .collect()
}

fn holding(site: &Arc<Site>, listener: Arc<dyn Listener>) -> Holding {
    Holding {
        links: Arc::clone(site) as Arc<dyn Links>,
        listener,
        cancel: Cancel::new(),
        beat: Duration::from_millis(5),
    }
}

#[test]
fn all_hosts_are_locked_and_given_back() {
    let site = Arc::new(Site::new());
    let quiet: Arc<dyn Listener> = Arc::new(|_: Event| {});
    let held = Held::take(
        locks(&site, "run-1", "a@b"),
        TakeOver::No,
        holding(&site, quiet),
    )
    .unwrap();
    assert_eq!(
        site.state()
            .keys()
            .filter(|path| std::path::Path::new(path).ends_with(".lock"))
            .count(),
        3
    );
    held.release();
    assert!(site.state().is_empty());
}

#[test]
fn when_one_host_is_refused_no_other_stays_locked() {
    let site = Arc::new(Site::new());
    let quiet: Arc<dyn Listener> = Arc::new(|_: Event| {});
    let ui: HostName = "ui".parse().unwrap();
    locks(&site, "run-0", "eve@elsewhere")[&ui]
        .take(site.host(&ui).unwrap().as_ref(), TakeOver::No)
        .unwrap();
    let refused = Held::take(
        locks(&site, "run-1", "a@b"),
        TakeOver::No,
        holding(&site, quiet),
    );
    assert!(matches!(refused.unwrap_err(), LockError::Held { .. }));
    let left: Vec<String> = site.state().into_keys().collect();
    assert_eq!(left, ["opt/ui/.lock", "opt/ui/.lock-made"]);
}

#[test]
fn a_lock_that_is_taken_over_stops_the_run() {
    let site = Arc::new(Site::new());
    let noticed = Arc::new((Mutex::new(None), Condvar::new()));
    let heard = Arc::clone(&noticed);
    let listener: Arc<dyn Listener> = Arc::new(move |event: Event| {
        if let Event::Noticed { host, .. } = event {
            *heard.0.lock().unwrap() = host;
            heard.1.notify_all();
        }
    });
    let holding = holding(&site, listener);
    let cancel = holding.cancel.clone();
    let _held = Held::take(locks(&site, "run-1", "a@b"), TakeOver::No, holding).unwrap();
    let ui: HostName = "ui".parse().unwrap();
    locks(&site, "run-2", "eve@elsewhere")[&ui]
        .take(site.host(&ui).unwrap().as_ref(), TakeOver::Knowingly)
        .unwrap();
    let (host, more) = &*noticed;
    let (host, late) = more
        .wait_timeout_while(host.lock().unwrap(), Duration::from_secs(20), |host| {
            host.is_none()
        })
        .unwrap();
    assert!(!late.timed_out());
    assert_eq!(*host, Some(ui));
    drop(host);
    assert!(cancel.wait(Duration::from_secs(20)));
}

/// A machine that sleeps does not beat; what it lost meanwhile it sees before it writes again.
#[test]
fn after_a_sleep_a_lock_is_looked_at_before_anything_is_written() {
    let site = Arc::new(Site::new());
    let quiet: Arc<dyn Listener> = Arc::new(|_: Event| {});
    let mut holding = holding(&site, quiet);
    // The heart of this test does not beat by itself.
    holding.beat = Duration::from_hours(1);
    let (ui, ray): (HostName, HostName) = ("ui".parse().unwrap(), "ray-1".parse().unwrap());
    let held = Held::take(locks(&site, "run-1", "a@b"), TakeOver::No, holding).unwrap();
    let long_ago = SystemTime::now() - Duration::from_hours(4);
    for seen in held.body.seen.lock().unwrap().values_mut() {
        *seen = long_ago;
    }
    assert!(held.holds(&ui) && !held.is_lost());
    locks(&site, "run-2", "eve@elsewhere")[&ray]
        .take(site.host(&ray).unwrap().as_ref(), TakeOver::Knowingly)
        .unwrap();
    assert!(!held.holds(&ray) && held.is_lost());
    assert!(!held.holds(&ui), "one lost lock stops the whole run");
}
