#!/usr/bin/env bash
# The operator's part: make the database from globins.fasta in the folder that is named.
set -euo pipefail
mkdir -p "$1"
makeblastdb -in "$(dirname "$0")/globins.fasta" -dbtype prot -parse_seqids -title Globins -out "$1/globins"
