#!/bin/sh
# backup.sh KAIFENG DATA BACKUPS KEEP: one copy, verified, under its time; the newest KEEP stay.
set -eu
kaifeng=$1 data=$2 backups=$3 keep=$4
name=$(date -u +%Y%m%dT%H%M%SZ)
rm -rf "$backups"/.partial-*
"$kaifeng" backup "$data" "$backups/.partial-$name"
"$kaifeng" verify "$backups/.partial-$name" --policy "$data/policy.txt" --charter "$data/charter.txt"
mv "$backups/.partial-$name" "$backups/$name"
find "$backups" -mindepth 1 -maxdepth 1 -type d -name '2*Z' | sort -r | tail -n "+$((keep + 1))" |
    while IFS= read -r old; do rm -rf -- "$old"; done
