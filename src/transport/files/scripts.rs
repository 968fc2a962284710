//! The POSIX sh behind [`super`]. Each runs after [`SHARED`] and a line `path=…`; statuses tell what a text could only hint at.

/// Nothing is at the path, or for [`PUT`] at its folder's.
pub(super) const ABSENT: i32 = 101;
/// A folder is in the way.
pub(super) const IS_FOLDER: i32 = 102;
/// A link to elsewhere is in the way; where to is printed.
pub(super) const LINK_ELSEWHERE: i32 = 103;
/// Something else arrived than was sent; its checksum is printed.
pub(super) const DAMAGED: i32 = 104;
/// No program on the host can make the checksum.
pub(super) const NO_CHECKSUM: i32 = 105;
/// Neither file nor folder.
pub(super) const NOT_A_FILE: i32 = 106;
/// A folder on the way may not be searched, so nobody knows what is in it; which is printed.
pub(super) const NO_ENTRY: i32 = 107;

/// `sum` prints the checksum of its input. `seek` ends the script unless something is at `$path`; "not there" is only said when every folder
/// on the way could be looked into.
pub(super) const SHARED: &str = r#"set -u
sum() {
    if command -v sha256sum >/dev/null 2>&1; then set -- "$(sha256sum)"
    elif command -v openssl >/dev/null 2>&1; then set -- "$(openssl dgst -sha256 -r)"
    elif command -v busybox >/dev/null 2>&1; then set -- "$(busybox sha256sum)"
    else exit 105
    fi
    printf '%s\n' "${1%% *}"
}
seek() {
    if [ -e "$path" ] || [ -L "$path" ]; then return; fi
    above=$path
    while above=$(dirname "$above"); [ ! -e "$above" ]; do :; done
    if [ -d "$above" ] && [ ! -x "$above" ]; then printf '%s\n' "$above"; exit 107; fi
    exit 101
}
file() {
    if [ -d "$path" ]; then exit 102; fi
    if [ ! -f "$path" ]; then exit 106; fi
}
"#;

/// Wants `mode`, `sent` and `nonce`, and the content on standard input.
pub(super) const PUT: &str = r#"umask 077
folder=$(dirname "$path")
if [ ! -d "$folder" ]; then exit 101; fi
if [ -L "$path" ]; then
    real=$(readlink -f "$path") || exit 103
    if [ "$(dirname "$real")" != "$(readlink -f "$folder")" ]; then printf '%s\n' "$real"; exit 103; fi
    path=$real
fi
if [ -d "$path" ]; then exit 102; fi
if [ -e "$path" ] && [ ! -f "$path" ]; then exit 106; fi
name=$(basename "$path")
for old in "$folder/.$name."*.part; do
    if [ -f "$old" ]; then rm -f "$old"; fi
done
part=$folder/.$name.$nonce.part
trap 'rm -f "$part"' EXIT
trap 'exit 129' HUP
trap 'exit 143' TERM
(set -C; : >"$part") && chmod "$mode" "$part" && cat >"$part" || exit 1
found=$(sum <"$part") || exit $?
if [ "$found" != "$sent" ]; then printf '%s\n' "$found"; exit 104; fi
sync "$part" 2>/dev/null || :
mv -f "$part" "$path" || exit 1
sync "$folder" 2>/dev/null || :
"#;

/// Prints the content.
pub(super) const READ: &str = r#"seek
file
exec cat "$path"
"#;

/// Prints the checksum.
pub(super) const CHECKSUM: &str = r#"seek
file
sum <"$path"
"#;

/// Wants `mode`; prints `new` or `there`.
pub(super) const MAKE_FOLDER: &str = r#"if [ -d "$path" ]; then echo there; exit 0; fi
if [ -e "$path" ]; then echo 'something else than a folder stands there' >&2; exit 1; fi
umask 022
mkdir -p "$(dirname "$path")" && (umask 077; mkdir "$path") && chmod "$mode" "$path" && echo new
"#;

/// Removes one file or link.
pub(super) const REMOVE: &str = r#"seek
if [ -d "$path" ] && [ ! -L "$path" ]; then exit 102; fi
exec rm -f "$path"
"#;

/// Prints `gone`, or `full` when something is in the folder.
pub(super) const REMOVE_EMPTY_FOLDER: &str = r#"seek
if [ ! -d "$path" ]; then exit 106; fi
for inner in "$path"/* "$path"/.[!.]* "$path"/..?*; do
    if [ -e "$inner" ] || [ -L "$inner" ]; then echo full; exit 0; fi
done
rmdir "$path" && echo gone
"#;

/// Prints each entry as a letter and its name, ended by a NUL.
pub(super) const LIST: &str = r#"seek
if [ ! -d "$path" ]; then exit 106; fi
if [ ! -r "$path" ] || [ ! -x "$path" ]; then printf '%s\n' "$path"; exit 107; fi
for inner in "$path"/* "$path"/.[!.]* "$path"/..?*; do
    if [ -L "$inner" ]; then kind=l
    elif [ -f "$inner" ]; then kind=f
    elif [ -d "$inner" ]; then kind=d
    elif [ -e "$inner" ]; then kind=o
    else continue
    fi
    printf '%s%s\0' "$kind" "${inner##*/}"
done
"#;

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use rstest::rstest;

    use super::*;

    /// Asks each POSIX shell of this machine whether a script is well formed; `sh` is always there.
    #[rstest]
    #[case(PUT)]
    #[case(READ)]
    #[case(CHECKSUM)]
    #[case(MAKE_FOLDER)]
    #[case(REMOVE)]
    #[case(REMOVE_EMPTY_FOLDER)]
    #[case(LIST)]
    fn well_formed(#[case] script: &str, #[values("sh", "dash")] shell: &str) {
        let Ok(mut child) = Command::new(shell).arg("-n").stdin(Stdio::piped()).spawn() else {
            assert_ne!(shell, "sh");
            return;
        };
        let text = format!("{SHARED}path=/a\n{script}");
        child
            .stdin
            .take()
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        assert!(child.wait().unwrap().success());
    }
}
