# Asks a host what only it can answer: do names resolve, is the registry reached, may the login write the folder. Writes nothing. Runs under dash and busybox sh.
#
# The caller puts three assignments before it: `names`, `registries` (host or host:port each) and `folder`. All look-ups run at once, each with its own
# limit; each prints one `key<TAB>value...` line.

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin
has() { command -v "$1" >/dev/null 2>&1; }
limited() { if has timeout; then timeout "$@"; else shift; "$@"; fi; }

name() {
    if has getent; then
        printf 'name\t%s\t%s\n' "$1" "$(limited 4 getent ahosts "$1" 2>/dev/null | while read -r address rest; do printf '%s ' "$address"; done)"
    else
        printf 'name-untried\t%s\n' "$1"
    fi
}

# registry<TAB>host<TAB>tool<TAB>outcome<TAB>milliseconds<TAB>detail
# Outcome: ok, tcp (TLS could not be tried), resolve, connect, timeout, tls, untrusted, untried.
registry() {
    host=$1
    case $host in *:*) place=${host%:*} port=${host##*:} ;; *) place=$host port=443 ;; esac
    ca=/etc/docker/certs.d/$host/ca.crt
    [ -r "$ca" ] || ca=
    tell() { printf 'registry\t%s\t%s\t%s\t%s\t%s\n' "$host" "$1" "$2" "$3" "$4"; }
    if has curl; then
        said=$(curl -sS -o /dev/null --connect-timeout 5 -m 8 ${ca:+--cacert "$ca"} -w '\n%{time_total} %{http_code}' "https://$host/v2/" 2>&1)
        status=$?
        time=$(printf '%s' "$said" | sed -n '$s/ .*//p')
        case $status in
            0) outcome=ok ;;
            6) outcome=resolve ;;
            7) outcome=connect ;;
            28) outcome=timeout ;;
            51 | 60 | 77) outcome=untrusted ;;
            *) outcome=tls ;;
        esac
        tell curl "$outcome" "$time" "$(printf '%s' "$said" | sed '$d' | tr '\n\t' '  ')$([ "$status" = 0 ] && printf 'HTTP %s' "${said##* }")"
    elif has openssl && has timeout; then
        before=$(date +%s.%N)
        said=$(timeout 8 openssl s_client -connect "$place:$port" -servername "$place" ${ca:+-CAfile "$ca"} </dev/null 2>&1)
        status=$?
        after=$(date +%s.%N)
        case $status:$said in
            124:* | 143:*) outcome=timeout ;;
            *'Verify return code: 0'* | *'Verification: OK'*) outcome=ok ;;
            *'Verify return code'*) outcome=untrusted ;;
            *'ame or service not known'* | *'emporary failure'* | *gethostbyname*) outcome=resolve ;;
            *refused* | *unreachable* | *'o route'* | *'connect:errno'*) outcome=connect ;;
            *) outcome=tls ;;
        esac
        tell openssl "$outcome" "$before $after" "$(printf '%s\n' "$said" | sed -n 's/^ *Verify return code: //p;s/^[^:]*:error:[^:]*://p;/connect:errno/p' | head -n 1)"
    elif has bash && has timeout; then
        before=$(date +%s.%N)
        said=$(timeout 5 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$place" "$port" 2>&1)
        status=$?
        after=$(date +%s.%N)
        case $status:$said in
            0:*) outcome=tcp ;;
            124:* | 143:*) outcome=timeout ;;
            *'ame or service not known'* | *'emporary failure'*) outcome=resolve ;;
            *) outcome=connect ;;
        esac
        tell bash "$outcome" "$before $after" "$(printf '%s\n' "$said" | sed -n '$s/.*: //p')"
    else
        tell none untried '' ''
    fi
}

# The nearest folder that exists decides whether what is missing below it can be made.
folder() {
    at=$folder
    while [ ! -d "$at" ]; do at=$(dirname "$at"); done
    if [ -w "$at" ] && [ -x "$at" ]; then answer=yes; else answer=no; fi
    printf 'folder\t%s\t%s\n' "$answer" "$at"
}

for one in $names; do name "$one" & done
for one in $registries; do registry "$one" & done
folder
wait
