#!/bin/sh
# stage.sh PROGRAM NOTICES ROOT: lays out below ROOT what a package installs.
set -eu
cd "$(dirname "$0")/.."
program=$1 notices=$2
rm -rf "$3"
mkdir -p "$3"
root=$(cd "$3" && pwd)
place() { install -D -m "$1" "$2" "$root/$3"; }
umask 022

place 0755 "$program" usr/bin/tagih
tagih=$root/usr/bin/tagih
place 0644 LICENSE usr/share/doc/tagih/LICENSE
place 0644 "$notices" usr/share/doc/tagih/THIRD-PARTY-NOTICES.txt
for page in README.md CHANGELOG.md docs/*.md docs/alerts.yml; do place 0644 "$page" "usr/share/doc/tagih/$page"; done
for sample in samples/*; do place 0644 "$sample" "usr/share/doc/tagih/$sample"; done

# Every setting with its default, but for what the service keeps: that is where its user may write.
place 0644 config/default.toml etc/tagih/tagih.toml
sed -i -E 's#^(path|log_dir) = "tagih([.-])#\1 = "/var/lib/tagih/tagih\2#' "$root/etc/tagih/tagih.toml"

(cd "$root" && "$tagih" man usr/share/man/man1)
gzip -9n "$root"/usr/share/man/man1/*.1
mkdir -p "$root/usr/share/bash-completion/completions" "$root/usr/share/zsh/vendor-completions" "$root/usr/share/fish/vendor_completions.d"
"$tagih" completions bash >"$root/usr/share/bash-completion/completions/tagih"
"$tagih" completions zsh >"$root/usr/share/zsh/vendor-completions/_tagih"
"$tagih" completions fish >"$root/usr/share/fish/vendor_completions.d/tagih.fish"

# What runs the jobs, for the configuration above; an administrator's own below /etc/systemd/system goes before.
"$tagih" --config "$root/etc/tagih/tagih.toml" --quiet install systemd --out "$root/usr/lib/systemd/system"
sed -i "s#$root##g" "$root"/usr/lib/systemd/system/*
place 0644 packaging/sysusers.conf usr/lib/sysusers.d/tagih.conf
place 0644 packaging/tmpfiles.conf usr/lib/tmpfiles.d/tagih.conf
