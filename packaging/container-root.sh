#!/bin/sh
# container-root.sh CONTEXT ROOT: does what packaging/Containerfile says in a folder, on the same Debian packages its base image is made
# of, and runs the program there as its user. Needs root, and apt's archive.
set -eu
cd "$(dirname "$0")/.."
context=$1 root=$(mkdir -p "$2" && cd "$2" && pwd)
rm -rf "${root:?}"/* && mkdir -p "$root/.packages" "$root/tmp" "$root/etc/ssl/certs"
# What distroless/cc has: no shell, no package manager.
chmod 0777 "$root/.packages"
(cd "$root/.packages" && apt-get download -q base-files netbase libc6 libgcc-s1 tzdata)
for package in "$root"/.packages/*.deb; do dpkg-deb -x "$package" "$root"; done
rm -rf "$root/.packages"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
chmod 1777 "$root/tmp"
printf 'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n' >"$root/etc/passwd"

user= folder=/ program= variables=
while read -r word rest; do
    case $word in
        COPY) from=${rest% *} to=${rest#* }; install -D -m "$(stat -c %a "$context/$from")" "$context/$from" "$root$to" ;;
        ENV) variables="$variables $rest" ;;
        USER) user=$rest ;;
        WORKDIR) folder=$rest ;;
        ENTRYPOINT) program=$(echo "$rest" | tr -d '[]"') ;;
        FROM | '#'* | '') ;;
        *) echo "packaging/Containerfile: $word is not known here" >&2; exit 2 ;;
    esac
done <packaging/Containerfile
# The volume.
install -d -o "${user%:*}" -g "${user#*:}" -m 0700 "$root$folder"

test -z "$(find "$root" -name sh -o -name bash -o -name dash)" || { echo "there is a shell" >&2; exit 1; }
# shellcheck disable=SC2086 # a word each
run() { env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin $variables chroot --userspec="$user" "$root" "$program" "$@"; }
run --version
run config show >/dev/null
run demo --out "$folder/demo" --quiet
echo "the program runs as $user without a shell; the image beyond its base: $(du -sh "$root/usr/bin/tagih" | cut -f1)"
