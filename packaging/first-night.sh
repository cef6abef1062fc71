#!/bin/sh
# first-night.sh ROOT: in a clean Debian at ROOT into which the package was just installed, does what docs/install.md says, and then lets the
# units' commands run in the order of their timers, and a real cron run the script of `tagih install cron`. Needs root.
set -eu
root=$1
key=SK-first-night-0123456789 address=127.0.0.1:18473
settings=/etc/tagih/tagih.toml state=/var/lib/tagih credentials=/run/tagih-credentials
as_tagih() {
    chroot --userspec=tagih:tagih "$root" /usr/bin/env -i PATH=/usr/bin:/bin HOME=$state TMPDIR=/tmp CREDENTIALS_DIRECTORY=$credentials "$@"
}
failed() { echo "failed: $*" >&2; exit 1; }

# What an administrator does.
cp "$root$settings" "$root$settings.packed"
sed -i -e 's#^base_url = .*#base_url = "http://'$address'"#' -e 's#^client_id = .*#client_id = "BRN-0001"#' "$root$settings"
for folder in /etc/tagih $credentials; do
    mkdir -p "$root$folder"
    # systemd hands over a copy that the service may read.
    name=$([ $folder = /etc/tagih ] && echo doku-secret || echo doku_secret)
    (umask 077 && printf %s $key >"$root$folder/$name")
done
chroot "$root" chown -R tagih:tagih $credentials
mkdir -p "$root/srv/billing"
printf 'invoice_number,amount,customer_name,channel\nN-1,10000,Budi,alfa\nN-2,20000,Siti,alfa\n' >"$root/srv/billing/today.csv"
as_tagih tagih --config $settings --quiet ledger create

chroot --userspec=tagih:tagih "$root" /usr/bin/env -i PATH=/usr/bin TMPDIR=/tmp TAGIH_DOKU_CLIENT_ID=BRN-0001 TAGIH_DOKU_SECRET=$key \
    tagih sandbox --listen $address >"$root/sandbox.log" 2>&1 &
sandbox=$!
mount -t proc proc "$root/proc"
trap 'kill $sandbox ${cron:-} 2>/dev/null || true; umount -l "$root/proc" || true' EXIT
for _ in $(seq 100); do grep -q listening "$root/sandbox.log" && break; sleep 0.1; done

for job in ingest issue sync ingest ledger-backup ledger-verify; do
    command=$(sed -n 's/^ExecStart=//p' "$root/usr/lib/systemd/system/tagih-$job.service")
    # shellcheck disable=SC2086 # a word each, as systemd has it
    said=$(as_tagih sh -c "$command" 2>&1) || failed "tagih-$job: $said"
    [ -z "$said" ] || failed "tagih-$job says something: $said"
done
as_tagih tagih --config $settings status | grep -q 'active *2 ' || failed "not all was issued"
[ "$(ls "$root$state/backup" | wc -l)" -eq 1 ] || failed "there is no copy"
echo "the first night goes without hands"

# Cron has no credentials.
sed -i 's#^secret_file = .*#secret_file = "'$state'/doku-secret"#' "$root$settings"
(umask 077 && printf %s $key >"$root$state/doku-secret") && chroot "$root" chown tagih:tagih $state/doku-secret
as_tagih tagih --config $settings --quiet install cron --out $state/cron
install -m 0755 "$root$state/cron/tagih-night" "$root/usr/local/bin/tagih-night"
# Every minute, instead of each night.
sed -n 's#^30 1 \* \* \*#* * * * *#p' "$root$state/cron/tagih" >"$root/etc/cron.d/tagih"
printf 'invoice_number,amount,customer_name,channel\nN-3,30000,Eko,alfa\n' >"$root/srv/billing/today.csv"
before=$(as_tagih tagih --config $settings runs list --last 0 --command sync | wc -l)
chroot "$root" /usr/sbin/cron -f >"$root/cron.log" 2>&1 &
cron=$!
for _ in $(seq 150); do
    [ "$(as_tagih tagih --config $settings runs list --last 0 --command sync 2>/dev/null | grep -c 'exit 0')" -gt "$before" ] && break
    sleep 1
done
as_tagih tagih --config $settings status | grep -q 'active *3 ' || failed "cron has run nothing: $(cat "$root/cron.log")"
[ -z "$(as_tagih tagih --config $settings runs list --last 0 --failed 2>/dev/null)" ] || failed "a run of cron's failed"
echo "and so does a night that cron begins"
rm -rf "${root:?}/srv/billing" "$root/etc/cron.d/tagih" "$root/usr/local/bin/tagih-night" "${root:?}$credentials"
mv "$root$settings.packed" "$root$settings"
