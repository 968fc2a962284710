//! The POSIX sh behind [`super`]. Each but the runner follows [`SHARED`] and lines `folder=…` and `id=…`.

/// The deployment's folder is not there.
pub(super) const NO_FOLDER: i32 = 101;
/// The step runs, so it cannot be cleaned.
pub(super) const RUNS: i32 = 102;

/// `word` prints where the step stands. A process is the one that was started when number, start time and boot are the same: numbers are
/// given out again.
pub(super) const SHARED: &str = r#"set -u
umask 077
pause() { sleep "$1" 2>/dev/null || sleep 1; }
# Nothing of a process that only waits to be reaped.
began() {
    read -r stat <"/proc/$1/stat" || return 0
    set -- ${stat##*) }
    case $1 in Z | X) ;; *) echo "${20}" ;; esac
} 2>/dev/null
alive() {
    read -r pid group born boot <"$run/pid" 2>/dev/null || return 1
    read -r now </proc/sys/kernel/random/boot_id
    [ "$boot" = "$now" ] && [ -n "$born" ] && [ "$(began "$pid")" = "$born" ]
}
ended() { [ -f "$run/exit" ]; }
word() {
    if ended; then :
    elif [ ! -f "$run/pid" ]; then echo absent; return
    elif alive; then echo running; return
    # It may have ended between the two looks.
    elif ! ended; then echo interrupted; return
    fi
    if [ -f "$run/cancelled" ]; then echo cancelled; else echo "exit $(cat "$run/exit")"; fi
}
"#;

/// What runs the script, with the step's folder as its argument. Whoever writes `pid` first runs it. Room for the exit status is taken
/// beforehand, so that a full disk cannot swallow it.
pub(super) const RUNNER: &str = r#"run=$1
cd / && umask 077 || exit 0
trap '' HUP
trap : TERM
set -- $(sed 's/.*) //' "/proc/$$/stat")
(set -C; echo "$$ $3 ${20} $(cat /proc/sys/kernel/random/boot_id)" >"$run/pid") 2>/dev/null || exit 0
echo '???' >"$run/exit.part"
exec 3<"$run/input"
rm -f "$run/input"
sh "$run/script" <&3 3<&- >>"$run/log" 2>&1
printf '%-3d\n' "$?" 1<>"$run/exit.part"
sync "$run/exit.part" 2>/dev/null
mv -f "$run/exit.part" "$run/exit"
exit 0
"#;

/// Wants `script` and `input`, the numbers of bytes of both on standard input, and `runner`. Prints `new` or where it stands.
///
/// Where logind ends all processes of a session with it, only a scope of its own saves the step; that takes root's rights.
pub(super) const START: &str = r#"if [ ! -d "$folder" ]; then exit 101; fi
run=$folder/.run/$id
found=$(word)
if [ "$found" != absent ]; then cat >/dev/null; echo "$found"; exit 0; fi
fail() { rm -rf "$run"; printf '%s\n' "$1" >&2; exit 1; }
trap 'fail "cut off while the step was sent"' HUP TERM
mkdir -p "$run" && chmod 700 "$run" || exit 1
: >"$run/log" && dd bs=1 count="$script" of="$run/script" 2>/dev/null && cat >"$run/input" || fail 'the step cannot be written: is the disk full?'
if [ "$(wc -c <"$run/script")" -ne "$script" ] || [ "$(wc -c <"$run/input")" -ne "$input" ]; then fail 'the step arrived in part only'; fi
printf '%s' "$runner" >"$run/runner" || fail 'the step cannot be written: is the disk full?'
set -- sh "$run/runner" "$run"
if [ "$(id -u)" = 0 ] && [ -d /run/systemd/system ] && command -v systemd-run >/dev/null 2>&1; then
    # The second attempt finds the work taken when the first began it.
    set -- sh -c 'systemd-run --quiet --scope "$@" || "$@"' sh "$@"
fi
if command -v setsid >/dev/null 2>&1; then set -- setsid "$@"; fi
nohup "$@" </dev/null >/dev/null 2>&1 &
tries=0
while [ ! -s "$run/pid" ] && [ "$tries" -lt 100 ]; do
    if [ "$tries" -lt 10 ]; then pause 0.01; else pause 0.1; fi
    tries=$((tries + 1))
done
if [ ! -s "$run/pid" ]; then fail 'the step does not start'; fi
echo new
"#;

/// Prints where the step stands.
pub(super) const STATUS: &str = r"run=$folder/.run/$id
word
";

/// Wants `offset` and `portion`. Waits some seconds for news, then prints where the step stands and the log's size on one line, and after it
/// what is new. Where it stands is asked first: once it is over, the log is whole.
pub(super) const FOLLOW: &str = r#"run=$folder/.run/$id
tries=0
while :; do
    found=$(word)
    size=0
    if [ -f "$run/log" ]; then size=$(wc -c <"$run/log"); fi
    if [ "$found" != running ] || [ "$size" -gt "$offset" ] || [ "$tries" -ge 30 ]; then break; fi
    # What ends soon is seen soon; what takes long is asked less often.
    if [ "$tries" -lt 10 ]; then pause 0.05; else pause 0.25; fi
    tries=$((tries + 1))
done
echo "$found" $((size))
if [ "$size" -gt "$offset" ]; then tail -c +$((offset + 1)) "$run/log" | head -c $((size - offset < portion ? size - offset : portion)); fi
"#;

/// Ends what runs and prints where it stands then.
pub(super) const CANCEL: &str = r#"run=$folder/.run/$id
if ! ended && alive; then
    : >"$run/cancelled"
    for signal in TERM KILL; do
        kill -s "$signal" -- "-$group" 2>/dev/null || :
        tries=0
        while alive && [ "$tries" -lt 50 ]; do pause 0.2; tries=$((tries + 1)); done
        if ! alive; then break; fi
    done
    if ! alive && ! ended; then echo 137 >"$run/exit"; fi
fi
word
"#;

/// Removes all that is kept of the step.
pub(super) const CLEAN: &str = r#"run=$folder/.run/$id
if [ "$(word)" = running ]; then exit 102; fi
rm -rf "$run"
rmdir "$folder/.run" 2>/dev/null || :
"#;

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// Asks each POSIX shell of this machine whether a script is well formed; `sh` is always there.
    #[rstest]
    #[case(SHARED)]
    #[case(RUNNER)]
    #[case(START)]
    #[case(STATUS)]
    #[case(FOLLOW)]
    #[case(CANCEL)]
    #[case(CLEAN)]
    fn well_formed(#[case] script: &str, #[values("sh", "dash")] shell: &str) {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), script).unwrap();
        match std::process::Command::new(shell)
            .arg("-n")
            .arg(file.path())
            .status()
        {
            Ok(status) => assert!(status.success()),
            Err(error) => assert!(shell != "sh", "{error}"),
        }
    }
}
