#!/bin/sh
# deb-root.sh FOLDER ROOT: installs the package of FOLDER by dpkg into a clean Debian at ROOT, and holds what is there against what it
# promises. Needs root, and apt's archive.
set -eu
package=$(ls -t "$1"/tagih_*.deb | head -n 1)
root=$2
. /etc/os-release
command -v debootstrap >/dev/null || { apt-get update && apt-get install -y --no-install-recommends debootstrap; }
if ! [ -x "$root/usr/sbin/cron" ]; then
    rm -rf "${root:?}"
    archive=$(apt-get indextargets --format '$(REPO_URI)' "Codename: $VERSION_CODENAME" "Component: main" | head -n 1)
    debootstrap --variant=minbase --include=ca-certificates,cron "$VERSION_CODENAME" "$root" "$archive"
fi
cp "$package" "$root/tagih.deb"
inside() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"; }
as_tagih() { chroot --userspec=tagih:tagih "$root" /usr/bin/env -i PATH=/usr/bin:/bin HOME=/var/lib/tagih TMPDIR=/tmp "$@"; }
check() { echo "$1"; shift; "$@" >/dev/null || { echo "failed: $*" >&2; exit 1; }; }

inside dpkg --purge tagih 2>/dev/null || true
rm -rf "$root/var/lib/tagih"
check "it installs" inside dpkg -i /tagih.deb
check "all its files are as they were packed" inside dpkg --verify tagih
check "its configuration is a conffile" inside sh -c 'dpkg-query -W -f="\${Conffiles}" tagih | grep -q /etc/tagih/tagih.toml'
check "its user has a folder of its own" inside sh -c 'test "$(stat -c %U:%a /var/lib/tagih)" = tagih:700'
check "the program runs" as_tagih tagih --version
check "it knows its configuration" as_tagih tagih --config /etc/tagih/tagih.toml config show
check "the whole loop runs" as_tagih tagih demo --out /var/lib/tagih/demo --quiet
check "there is a manual" inside sh -c 'zcat /usr/share/man/man1/tagih.1.gz | grep -q tagih'
check "there are completions" test -s "$root/usr/share/bash-completion/completions/tagih"
check "its units name what is installed" sh -c "! grep -r 'target/' '$root/usr/lib/systemd/system/' --include='tagih*'"
# Whether systemd takes such units is tests/it/cli/install.rs's.
check "what its units start is installed" sh -c "sed -n 's/^ExecStart=\([^ ]*\).*/\1/p' '$root'/usr/lib/systemd/system/tagih* | sort -u |
    while read -r program; do test -x \"$root\$program\" || exit 1; done"
packaging/first-night.sh "$root"
echo "# kept" >>"$root/etc/tagih/tagih.toml"
check "it is installed once more over itself" inside dpkg -i --force-confold /tagih.deb
check "what was changed in its configuration stays" grep -q "# kept" "$root/etc/tagih/tagih.toml"
check "it is removed" inside dpkg --remove tagih
check "a ledger outlives a purge" sh -c "chroot '$root' dpkg --purge tagih && test -d '$root/var/lib/tagih/demo'"
rm -rf "$root/var/lib/tagih" "$root/tagih.deb"
